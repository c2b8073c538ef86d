"""What admins have decided about networks, domains and users: the lists, as they are asked.

`models.ops.access_rule_actions` writes them.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from models.errors import Refused
from models.people.identity_keys import domains_of, hashed, network_of
from models.schema.abuse import AccessRule, SubjectKind, Verdict


class HeldForReview(Refused):
    """An admin has put an account on hold until somebody has looked."""

    code = "held_for_review"


class ListedAsBlocked(Refused):
    """An admin's list blocks an account."""

    code = "listed_as_blocked"


# Who is on hold or blocked sends nothing.
WITHHOLDS = (Verdict.HOLD, Verdict.BLOCK)
# Of several rules the one that names its subject most closely counts.
CLOSEST = (SubjectKind.USER, SubjectKind.NETWORK, SubjectKind.DOMAIN)


def verdict_on(
    db: Session, address: str, network_address: str | None, user_id: UUID | None = None
) -> Verdict | None:
    """Tell what is decided about somebody, by who they are and where they come from; or None."""
    domains = domains_of(address)
    named: list[ColumnElement[bool]] = [_is(SubjectKind.DOMAIN, domains)]
    network = network_of(network_address)
    if network:
        named.append(_is(SubjectKind.NETWORK, [hashed("network", network)]))
    if user_id is not None:
        named.append(_is(SubjectKind.USER, [str(user_id)]))
    rules = db.scalars(select(AccessRule).where(AccessRule.ended_at.is_(None), or_(*named))).all()
    # Of domains the one furthest below counts.
    closest = min(
        rules, key=lambda one: (CLOSEST.index(one.subject_kind), -len(one.subject)), default=None
    )
    return closest.verdict if closest else None


def own_verdict(db: Session, user_id: UUID) -> Verdict | None:
    """Tell what admins have decided about an account itself; None if nothing."""
    of_user = _is(SubjectKind.USER, [str(user_id)])
    return db.scalar(select(AccessRule.verdict).where(AccessRule.ended_at.is_(None), of_user))


def refuse_if_listed(db: Session, user_id: UUID) -> None:
    """Raise HeldForReview or ListedAsBlocked if a list of admins says so of an account itself."""
    verdict = own_verdict(db, user_id)
    if verdict is Verdict.HOLD:
        raise HeldForReview
    if verdict is Verdict.BLOCK:
        raise ListedAsBlocked


def _is(kind: SubjectKind, subjects: list[str]) -> ColumnElement[bool]:
    return and_(AccessRule.subject_kind == kind, AccessRule.subject.in_(subjects))
