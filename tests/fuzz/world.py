"""The people that hostile requests are sent by, and Ada, who sends none.

What is Ada's nobody else may see or change; what can be read of hers has a canary in it. Of each
thing that a page is about there is one of hers, and one of Max's, who is a member like others.
"""

from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import ledger, lists, payments
from models.base import new_id, utc_now
from models.channels import accounts
from models.chat import conversations
from models.jobs import ask
from models.jobs.cancellation import cancel_all
from models.jobs.enqueue import SentFile
from models.memory import notes
from models.notifications import subscriptions
from models.notifications.subscriptions import Keys
from models.payments import cards
from models.people import sessions, users, waiting_list
from models.people.users import Profile
from models.schema.admins import AdminRole
from models.schema.alerts import Alert, AlertKind
from models.schema.answer_files import AnswerFile
from models.schema.archives import Export, ExportStatus
from models.schema.chat import Conversation
from models.schema.ledger import FreezeReason
from models.schema.lists import ListItem
from models.schema.memory import MemoryChange, MemoryNote, NoteAuthor
from models.schema.payments import Payment, PaymentKind
from models.schema.reminders import Reminder
from models.schema.users import User
from tests import factories
from tests.models.reminders.making import made

Role = Literal["stranger", "newcomer", "member", "eve", "admin", "frozen", "unverified"]
ROLES: tuple[Role, ...] = get_args(Role)
CANARY = "canary-7f3a"
ADA = f"ada.{CANARY}@example.org"
ADDRESSES: dict[Role, str] = {
    "newcomer": "nina@example.org",
    "member": "max@example.org",
    "eve": "eve@example.org",
    "admin": "grace@example.org",
    "frozen": "fred@example.org",
    "unverified": "una@example.org",
}
CREDITS = 50_000_000
# What the clock makes of other tables whenever it is time.
ADDED_UP = ("user_days", "user_months", "user_model_months", "product_events", "abuse_scores")
# What requests may change of a person, so that the next ones find them as they were.
KEPT = (
    *("id", "email", "password_hash", "name", "timezone", "needs", "onboarded_at"),
    *("email_verified_at", "admin_role", "model", "message_limit_micros", "day_limit_micros"),
    *("month_limit_micros", "spending_frozen_at", "spending_frozen_reason"),
    *("sending_suspended_at", "sign_in_suspended_at", "deletion_due_at"),
    *("quiet_from_minute", "quiet_until_minute"),
)
Kept = list[dict[str, object]]


@dataclass
class World:
    """Whose rows there are, by the names that addresses of pages have for them."""

    ada: UUID
    adas: dict[str, UUID]
    # Those of the member.
    ids: dict[str, UUID]
    # Everybody who sends requests.
    people: dict[Role, UUID]


def build(db: Session) -> World:
    """Make everybody, and of everything one that is Ada's and one that is Max's.

    The caller commits.
    """
    people: dict[Role, User] = {role: _person(db, role, email) for role, email in ADDRESSES.items()}
    ada = _person(db, "member", ADA, CANARY)
    ledger.freeze(people["frozen"], FreezeReason.AUDIT)
    users.set_admin_role(people["admin"], AdminRole.OWNER)
    waiting_list.join(db, "wanda@example.org")
    db.flush()
    return World(
        ada=ada.id,
        adas=_belongings(db, ada, CANARY),
        ids=_belongings(db, people["member"], "Max"),
        people={role: person.id for role, person in people.items()},
    )


def restore(db: Session, world: World, kept: Kept) -> None:
    """Make everybody again what they were, and give Max new things; the caller commits."""
    # Somebody may have signed up, or moved, to an address that was left.
    others = User.id.not_in([*world.people.values(), world.ada])
    db.execute(sa.update(User).where(others).values(email=sa.cast(User.id, sa.Text)))
    for row in kept:
        db.execute(sa.update(User).where(User.id == row["id"]).values(row))
    for person_id in world.people.values():
        for conversation in conversations.list_own(db, person_id):
            cancel_all(db, person_id, conversation.id)
            conversations.erase(db, conversation)
    # Of these there may be so many of each; the pages of what is Max's are about new ones.
    for kind in (Reminder, MemoryNote, ListItem):
        db.execute(sa.delete(kind).where(kind.user_id.in_(world.people.values())))
    member = db.get_one(User, world.people["member"], populate_existing=True)
    world.ids.update(_belongings(db, member, "Max"))


def snapshot(db: Session, world: World) -> Kept:
    """Remember what people are, for `restore`."""
    people = db.scalars(sa.select(User).where(User.id.in_(world.people.values())))
    return [{name: getattr(person, name) for name in KEPT} for person in people]


def what_is_adas(db: Session, world: World) -> dict[str, str]:
    """Sum up every row that is Ada's, by its table."""
    tables = db.scalars(
        sa.text("""SELECT DISTINCT table_name FROM information_schema.columns
                   WHERE table_schema = 'public' AND column_name = 'user_id'
                   AND table_name <> ALL(:added_up)"""),
        {"added_up": list(ADDED_UP)},
    ).all()
    found = {"users": _sum(db, "users", "id", world.ada)}
    return found | {name: _sum(db, name, "user_id", world.ada) for name in sorted(tables)}


def _sum(db: Session, table: str, column: str, person: UUID) -> str:
    rows = sa.text(
        f"SELECT md5(coalesce(string_agg(t::text, ';' ORDER BY t::text), '')) "
        f'FROM "{table}" t WHERE {column} = :person'
    )
    return str(db.scalar(rows, {"person": person}))


def _person(db: Session, role: Role, email: str, mark: str = "") -> User:
    person = users.sign_up(db, email, factories.PASSWORD)
    if role != "newcomer":
        users.complete_onboarding(
            person, Profile(f"A {role} {mark}", "Europe/Berlin", f"My garden {mark}")
        )
    if role not in ("newcomer", "unverified"):
        person.email_verified_at = utc_now()
        ledger.grant(db, person.id, CREDITS, reference=f"gift:{person.id}")
    db.flush()
    return person


def _belongings(db: Session, person: User, mark: str) -> dict[str, UUID]:
    """One of each thing, in which nothing is waited for."""
    payments.record_customer(db, person.id, f"cus_{person.id.hex}")
    cards.saved(db, person.id, f"pm_{person.id.hex}", "visa", "4242")
    payment = Payment(user_id=person.id, kind=PaymentKind.CHECKOUT, amount_micros=10_000_000)
    alert = Alert(
        user_id=person.id,
        kind=AlertKind.DAY,
        percent=50,
        limit_micros=1_000_000,
        period_begins=utc_now(),
    )
    session = sessions.open_for(db, person, "Firefox on Linux")
    keys = Keys(f"https://push.example/{session.id}", f"key of {mark}", f"secret of {mark}")
    db.add_all((payment, alert))
    db.flush()
    accounts.link(db, person.id, "pigeon", f"bird-{person.id}", f"bird-{person.id}", mark)
    return {
        "payment_id": payment.id,
        "alert_id": alert.id,
        "session_id": session.id,
        "subscription_id": subscriptions.subscribe(db, session, keys).id,
        "user_id": person.id,
        "export_id": _export(db, person),
        "reminder_id": made(db, person, f"Feed {mark}").id,
        **_written_down(db, person, mark),
        **_talk(db, person, mark),
    }


def _written_down(db: Session, person: User, mark: str) -> dict[str, UUID]:
    """Something on a list, and a note that was changed."""
    lists.add(db, person.id, "shopping", [f"Seeds for {mark}"])
    note = notes.add(db, person.id, f"Has a bird, {mark}.", author=NoteAuthor.USER)
    notes.edit(db, note, f"Has {mark}, a bird.", author=NoteAuthor.USER)
    changes = sa.select(MemoryChange.id).where(MemoryChange.note_id == note.id)
    return {
        "item_id": lists.show(db, person.id)[0].id,
        "note_id": note.id,
        "change_id": db.scalars(changes.order_by(MemoryChange.id.desc())).first() or note.id,
    }


def _export(db: Session, person: User) -> UUID:
    """An archive that can be downloaded."""
    export = Export(
        user_id=person.id,
        status=ExportStatus.READY,
        storage_key=f"exports/{person.id}/{new_id()}",
        size_bytes=5,
    )
    db.add(export)
    db.flush()
    return export.id


def _talk(db: Session, person: User, mark: str) -> dict[str, UUID]:
    """A conversation with an answer, a file that was sent and one that was handed over."""
    conversation: Conversation = factories.conversation(db, person)
    file = SentFile(f"{mark}.txt", "text/plain", 5, f"uploads/{person.id}/{new_id()}")
    asked = ask(db, conversation, f"What is {mark}?", model=factories.MODEL, files=[file])
    job = factories.claim(db, only=[person.id])
    assert job is not None
    assert job.id == asked.id
    factories.charge(db, job, 5_000)
    factories.answer(db, job, f"{mark} is a bird.", f"<p>{mark} is a bird.</p>")
    uploads = sa.text("SELECT id FROM uploads WHERE conversation_id = :one")
    upload = db.scalars(uploads, {"one": conversation.id}).one()
    made = AnswerFile(
        user_id=person.id,
        conversation_id=conversation.id,
        job_id=job.id,
        path=f"files/{mark}.md",
        name=f"{mark}.md",
        media_type="text/markdown",
        size_bytes=5,
        storage_key=f"answers/{person.id}/{new_id()}",
    )
    db.add(made)
    db.flush()
    return {
        "conversation_id": conversation.id,
        "job_id": job.id,
        "message_id": asked.message_id or job.id,
        "upload_id": upload,
        "file_id": made.id,
    }
