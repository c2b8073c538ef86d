"""A user asks for all that is theirs, and is told once it is there."""

from sqlalchemy.orm import Session

from actions import notifications, wakeups
from models import ledger
from models.archives import exports
from models.archives.exports import ClaimedExport
from models.database import after_commit
from models.email import templates
from models.email.templates import Action
from models.email.templates.content import address_on_site
from models.schema.archives import Export
from models.schema.notifications import Topic
from models.schema.users import User
from models.translation import gettext, speaking


def ask(db: Session, user: User) -> Export:
    """Have an archive put together by a worker, which hears of it after the commit.

    Refuses what `exports.ask` refuses.
    """
    ledger.lock_account(db, user.id)
    export = exports.ask(db, user.id)
    after_commit(db, wakeups.export)
    return export


def tell_over(db: Session, export: ClaimedExport, *, is_ready: bool) -> None:
    """Tell its user that an archive can be downloaded, or could not be made; once."""
    user = db.get_one(User, export.user_id)
    with speaking(user.locale):
        letter = templates.answer_ready(
            gettext("Your archive is ready") if is_ready else gettext("Your archive has failed"),
            gettext("You can download it for a week.")
            if is_ready
            else gettext("It could not be put together. Please ask for it again."),
            see=Action(gettext("Open the settings"), address_on_site("/settings#archives")),
            why=gettext("You asked for all of your data."),
        )
    notifications.notify(db, user, Topic.LONG_WORK, letter, reference=f"export:{export.id}")
