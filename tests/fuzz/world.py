"""The people that hostile requests are sent by, and what is Ada's, which nobody else may see or change.

What can be read of hers has a canary in it.
"""

from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import ledger, payments, sessions, users
from models.alerts import Alert, AlertKind
from models.base import new_id, utc_now
from models.conversations import Conversation
from models.jobs import ask
from models.jobs.asking import SentFile
from models.payments import cards
from models.users import Profile, User
from tests import factories

Role = Literal["stranger", "newcomer", "member", "eve", "admin", "frozen", "unverified"]
ROLES: tuple[Role, ...] = get_args(Role)
CANARY = "canary-7f3a"
ADDRESSES: dict[Role, str] = {
    "newcomer": "nina@example.org",
    "member": f"ada.{CANARY}@example.org",
    "eve": "eve@example.org",
    "admin": "grace@example.org",
    "frozen": "fred@example.org",
    "unverified": "una@example.org",
}
CREDITS = 50_000_000


@dataclass(frozen=True)
class World:
    """Whose rows there are, by the names that addresses of pages have for them."""

    # Ada's.
    ids: dict[str, UUID]
    # Of every person, by role.
    people: dict[Role, UUID]


def build(db: Session) -> World:
    """Make everybody, and of everything one that is Ada's; the caller commits."""
    people = {role: _person(db, role) for role in ROLES if role != "stranger"}
    ada = people["member"]
    conversation, job_ids = _talk(db, ada)
    payment = payments.begin(db, ada.id, 10_000_000)
    payments.is_customer(db, ada.id, "cus_ada")
    cards.saved(db, ada.id, "pm_ada", "visa", "4242")
    alert = Alert(
        user_id=ada.id,
        kind=AlertKind.DAY,
        percent=50,
        limit_micros=1_000_000,
        period_begins=utc_now(),
    )
    db.add(alert)
    ledger.freeze(people["frozen"], "Somebody has to look at this account.")
    users.set_admin(people["admin"], is_admin=True)
    db.flush()
    ids = {
        "conversation_id": conversation.id,
        "payment_id": payment.id,
        "alert_id": alert.id,
        "session_id": sessions.open_for(db, ada, "Firefox on Linux").id,
        "user_id": ada.id,
        **job_ids,
    }
    return World(ids, {role: person.id for role, person in people.items()})


def _person(db: Session, role: Role) -> User:
    person = users.sign_up(db, ADDRESSES[role], factories.PASSWORD)
    mark = f" {CANARY}" if role == "member" else ""
    if role != "newcomer":
        users.introduce(person, Profile(f"A {role}{mark}", "Europe/Berlin", f"My garden{mark}"))
    if role not in ("newcomer", "unverified"):
        person.email_verified_at = utc_now()
        ledger.grant(db, person.id, CREDITS, reference=f"gift:{person.id}")
    db.flush()
    return person


def _talk(db: Session, ada: User) -> tuple[Conversation, dict[str, UUID]]:
    """A conversation with an answer and a file, in which nothing is waited for."""
    conversation = factories.conversation(db, ada)
    file = SentFile(f"{CANARY}.txt", "text/plain", 5, f"uploads/{ada.id}/{new_id()}")
    words = f"What is {CANARY}?"
    asked = ask(db, conversation, words, model=factories.MODEL, files=[file])
    job = factories.claim(db)
    assert job is not None
    assert job.id == asked.id
    factories.charge(db, job, 5_000)
    factories.answer(db, job, f"{CANARY} is a bird.", f"<p>{CANARY} is a bird.</p>")
    upload = db.scalar(sa.text("SELECT id FROM uploads WHERE user_id = :ada"), {"ada": ada.id})
    return conversation, {"job_id": job.id, "upload_id": upload}
