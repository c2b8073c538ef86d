"""Find the jobs of a conversation that moved without reading all that it ever had."""

from alembic import op

from migrations.online import create_index

revision = "7b06d3f52c9e"
down_revision = "e7a3b95c14d0"
branch_labels = None
depends_on = None

NAME = "ix_jobs_conversation_id_finished_at"


def upgrade() -> None:
    create_index(NAME, "jobs", ["conversation_id", "finished_at"])


def downgrade() -> None:
    op.drop_index(NAME, table_name="jobs")
