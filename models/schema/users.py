"""Users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, Details, PrimaryKey, stored_as_text
from models.schema.admins import AdminRole
from models.schema.ledger import FreezeReason


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("credits_balance_micros >= 0", name="balance_not_negative"),
        CheckConstraint(
            "credits_held_micros BETWEEN 0 AND credits_balance_micros", name="held_within_balance"
        ),
        CheckConstraint(
            "least(message_limit_micros, day_limit_micros, month_limit_micros) > 0",
            name="limits_positive",
        ),
        CheckConstraint(
            "credits_promotional_micros BETWEEN 0 AND credits_balance_micros",
            name="promotional_within_balance",
        ),
        CheckConstraint(
            "(spending_frozen_at IS NULL) = (spending_frozen_reason IS NULL)",
            name="frozen_has_reason",
        ),
        CheckConstraint(
            "(quiet_from_minute IS NULL) = (quiet_until_minute IS NULL)"
            " AND quiet_from_minute <> quiet_until_minute"
            " AND quiet_from_minute BETWEEN 0 AND 1439 AND quiet_until_minute BETWEEN 0 AND 1439",
            name="quiet_hours_are_two_times",
        ),
        # Few are, and somebody looks for them among all.
        Index(
            "ix_users_spending_frozen_at",
            "spending_frozen_at",
            postgresql_where=text("spending_frozen_at IS NOT NULL"),
        ),
        # The clock looks for those whose grants lapse every few minutes.
        Index(
            "ix_users_oldest_grant_at",
            "oldest_grant_at",
            postgresql_where=text("oldest_grant_at IS NOT NULL"),
        ),
        # The clock looks for those whose time is over.
        Index(
            "ix_users_deletion_due_at",
            "deletion_due_at",
            postgresql_where=text("deletion_due_at IS NOT NULL"),
        ),
        # Rolled-up numbers count the sign-ups of some hours.
        Index("ix_users_created_at", "created_at", postgresql_using="brin"),
        # Admins look for users by a part of a name or an address, …
        Index(
            "ix_users_email_trigrams",
            "email",
            postgresql_using="gin",
            postgresql_ops={"email": "gin_trgm_ops"},
        ),
        Index(
            "ix_users_name_trigrams",
            func.lower(text("name")).label("lowered"),
            postgresql_using="gin",
            postgresql_ops={"lowered": "gin_trgm_ops"},
        ),
        # … and for those of whom there are few.
        Index(
            "ix_users_suspended",
            "id",
            postgresql_where=text(
                "sending_suspended_at IS NOT NULL OR sign_in_suspended_at IS NOT NULL"
            ),
        ),
        Index("ix_users_unverified", "id", postgresql_where=text("email_verified_at IS NULL")),
        Index("ix_users_admins", "id", postgresql_where=text("admin_role IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(unique=True)
    # None while no password opens the account: its user signs in with an identity, or has to choose
    # a new one by a mailed link.
    password_hash: Mapped[str | None]
    name: Mapped[str] = mapped_column(default="", server_default="")
    timezone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    needs: Mapped[str] = mapped_column(default="", server_default="")
    onboarded_at: Mapped[datetime | None]
    # When a link was opened that had been sent to `email`, as it is now.
    email_verified_at: Mapped[datetime | None]
    # What they see and do on the pages of admins; it is set by hand alone.
    admin_role: Mapped[AdminRole | None] = mapped_column(stored_as_text(AdminRole))
    # Since when an admin keeps them from sending messages, or from signing in.
    sending_suspended_at: Mapped[datetime | None]
    sign_in_suspended_at: Mapped[datetime | None]
    # "provider/model" of the catalogue; None follows the default.
    model: Mapped[str | None]
    # A cache of the sum of this person's transactions, changed in the same transaction.
    credits_balance_micros: Mapped[int] = mapped_column(default=0, server_default="0")
    # The part of the balance that was granted; the rest is bought. Granted credits are used first.
    credits_promotional_micros: Mapped[int] = mapped_column(default=0, server_default="0")
    # When the oldest grant was made that has not lapsed, used up or not; None without one.
    oldest_grant_at: Mapped[datetime | None]
    # The part of the balance that running model calls may still use up.
    credits_held_micros: Mapped[int] = mapped_column(default=0, server_default="0")
    # What they let themselves spend. None: the usual limit of a message, no other limit.
    message_limit_micros: Mapped[int | None]
    day_limit_micros: Mapped[int | None]
    month_limit_micros: Mapped[int | None]
    # The same for all their tasks of a day; None for the usual limit.
    task_day_limit_micros: Mapped[int | None]
    # The language that they chose; None for what their browser asks for.
    locale: Mapped[str | None]
    # Between these minutes of their day, by their own clock, notifications wait; None for never.
    quiet_from_minute: Mapped[int | None]
    quiet_until_minute: Mapped[int | None]
    # Since when they may read but not spend, and why.
    spending_frozen_at: Mapped[datetime | None]
    spending_frozen_reason: Mapped[FreezeReason | None] = mapped_column(
        stored_as_text(FreezeReason)
    )
    spending_frozen_details: Mapped[Details]
    # The worker that holds this person's live files, and until when it goes first.
    cell_worker_id: Mapped[UUID | None]
    cell_worker_until: Mapped[datetime | None]
    # When an admin had that worker end the cell: it does so as soon as no turn runs.
    cell_ended_at: Mapped[datetime | None]
    # When all that is theirs will be erased, unless they change their mind; and when it was.
    deletion_due_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    @property
    def is_onboarded(self) -> bool:
        return self.onboarded_at is not None

    @property
    def is_admin(self) -> bool:
        return self.admin_role is not None

    @property
    def has_password(self) -> bool:
        return self.password_hash is not None

    @property
    def credits_available_micros(self) -> int:
        return self.credits_balance_micros - self.credits_held_micros

    @property
    def credits_bought_micros(self) -> int:
        return self.credits_balance_micros - self.credits_promotional_micros

    @property
    def is_frozen(self) -> bool:
        return self.spending_frozen_at is not None

    @property
    def spendable_micros(self) -> int:
        """What a message may cost: the credits that are free, and none while spending is frozen."""
        return 0 if self.is_frozen else self.credits_available_micros
