"""What admins put on the lists, and take off. Each is done once under its key, and logged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.errors import NotFound, Refused
from models.ops import admin_actions, user_actions
from models.ops.admin_actions import Change, Order
from models.people import free_credit, users
from models.people.access_rules import WITHHOLDS
from models.people.admin_roles import Permission
from models.people.identity_keys import hashed, network_of
from models.people.users import BadAddress
from models.schema.abuse import AccessRule, SubjectKind, Verdict
from models.schema.admins import AdminActionKind
from models.schema.free_credit import RefusalReason
from models.schema.users import User

SUBJECT_MAX_LENGTH = 254
# A network as the page shows it, which knows no more of it.
HASH = re.compile(r"[0-9a-f]{64}")
SHOWN_LETTERS = 12


class BadSubject(Refused):
    """What is to be put on a list is no network, no domain, and no user."""

    code = "bad_subject"


class RuleOver(Refused):
    """An entry was taken off its list already."""

    code = "rule_over"


@dataclass(frozen=True)
class Subject:
    """What a rule is about: how it is found, and how admins read it."""

    kind: SubjectKind
    key: str
    shown: str
    user_id: UUID | None = None


def subject_of(db: Session, kind: SubjectKind, typed: str) -> Subject:
    """Read what is to be put on a list; raise BadSubject."""
    words = typed.strip().lower()[:SUBJECT_MAX_LENGTH]
    if kind is SubjectKind.NETWORK and HASH.fullmatch(words):
        return Subject(kind, words, f"network {words[:SHOWN_LETTERS]}")
    if kind is SubjectKind.NETWORK:
        network = _network(words)
        return Subject(kind, hashed("network", network), network)
    if kind is SubjectKind.DOMAIN:
        domain = _domain(words)
        return Subject(kind, domain, domain)
    user = _user(db, words)
    return Subject(kind, str(user.id), user.email, user.id)


def set_rule(db: Session, order: Order, subject: Subject, verdict: Verdict) -> None:
    """Put something on a list, instead of what was there about it.

    A user who is held or blocked sends nothing; one who is allowed again gets the free credit that
    waited for that, and sends unless an admin keeps them from it by hand. Refuses what
    `admin_actions.begin` refuses, of a user's own account too.
    """
    if not _begin(db, order, subject.user_id):
        return
    _wait_for_others(db, subject)
    before = _current(db, subject)
    if before is not None:
        before.ended_at = utc_now()
        db.flush()
    db.add(
        AccessRule(
            subject_kind=subject.kind,
            subject=subject.key,
            shown=subject.shown,
            user_id=subject.user_id,
            verdict=verdict,
            reason=order.reason.strip(),
        )
    )
    db.flush()
    _apply(db, subject.user_id, verdict)
    change = Change(
        {"subject": None, "verdict": before.verdict if before else None},
        # The log outlives the account: it names users by its own column alone.
        {"subject": None if subject.user_id else subject.shown, "verdict": verdict},
    )
    admin_actions.note(db, order, AdminActionKind.RULE_SET, subject.user_id, change=change)


def end_rule(db: Session, order: Order, rule_id: UUID) -> None:
    """Take something off its list; a user whom no admin keeps from it by hand sends again.

    Raises NotFound, and RuleOver where it is off already.
    """
    rule = db.get(AccessRule, rule_id)
    if rule is None:
        raise NotFound
    if not _begin(db, order, rule.user_id):
        return
    db.refresh(rule, with_for_update=True)
    if rule.ended_at is not None:
        raise RuleOver
    rule.ended_at = utc_now()
    db.flush()
    _apply(db, rule.user_id, None)
    subject = None if rule.user_id else rule.shown
    change = Change(
        {"subject": subject, "verdict": rule.verdict}, {"subject": subject, "verdict": None}
    )
    admin_actions.note(db, order, AdminActionKind.RULE_ENDED, rule.user_id, change=change)


def list_rules(db: Session, *, limit: int, before: UUID | None = None) -> Sequence[AccessRule]:
    """List what is on the lists, the latest first: all, or what lies before one."""
    wanted = select(AccessRule).where(AccessRule.ended_at.is_(None))
    if before is not None:
        wanted = wanted.where(AccessRule.id < before)
    return db.scalars(wanted.order_by(AccessRule.id.desc()).limit(limit)).all()


def _begin(db: Session, order: Order, user_id: UUID | None) -> bool:
    if user_id is not None:
        return admin_actions.begin(db, order, user_id) is not None
    return admin_actions.admit(db, order, needs=Permission.ACT)


def _wait_for_others(db: Session, subject: Subject) -> None:
    # Of two admins who list something new at once, neither finds a row of the other to lock.
    lock = func.hashtextextended(f"access-rule:{subject.kind}:{subject.key}", 0)
    db.execute(select(func.pg_advisory_xact_lock(lock)))


def _current(db: Session, subject: Subject) -> AccessRule | None:
    wanted = select(AccessRule).where(
        AccessRule.subject_kind == subject.kind,
        AccessRule.subject == subject.key,
        AccessRule.ended_at.is_(None),
    )
    return db.scalar(wanted.with_for_update())


def _apply(db: Session, user_id: UUID | None, verdict: Verdict | None) -> None:
    """Let a user send or not, and give the free credit that waited."""
    if user_id is None:
        return
    user = ledger.lock_account(db, user_id)
    if verdict in WITHHOLDS:
        user.sending_suspended_at = user.sending_suspended_at or utc_now()
        db.flush()
        return
    # A list lets go only of whom a list withheld.
    if not user_actions.is_suspended_by_hand(db, user):
        user.sending_suspended_at = None
        db.flush()
    if free_credit.find_refusal(db, user_id) is RefusalReason.HELD:
        free_credit.decide(db, user, None)


def _network(words: str) -> str:
    try:
        given = ip_network(words, strict=False)
    except ValueError:
        raise BadSubject from None
    network = network_of(str(given.network_address))
    if network is None:
        raise BadSubject
    return network


def _domain(words: str) -> str:
    domain = words.removeprefix("@").strip(".")
    try:
        address = users.normal_address(f"somebody@{domain}")
    except BadAddress:
        raise BadSubject from None
    return address.rpartition("@")[2]


def _user(db: Session, words: str) -> User:
    found = users.find_id(db, words) if "@" in words else _id(words)
    user = db.get(User, found) if found else None
    if user is None:
        raise BadSubject
    return user


def _id(words: str) -> UUID | None:
    try:
        return UUID(words)
    except ValueError:
        return None
