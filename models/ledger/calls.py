"""Model calls: held before they start, charged for what they used, absorbed when we failed."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.ledger.entries import CallCost, OutOfCredit, SpendingFrozen, lock_account, record
from models.ledger.write_offs import room_today, write_off
from models.ops import switches
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, EntryNote, Transaction, WriteOffReason
from models.schema.model_calls import CallKind, CallStatus, ModelCall
from models.schema.users import User

NOTES = {CallStatus.CUT: EntryNote.CALL_CUT, CallStatus.LOST: EntryNote.CALL_LOST}


class CallNotOpen(Exception):
    """A call was closed that had never been opened."""


def open_call(
    db: Session,
    user: User,
    *,
    call_id: UUID,
    job_id: UUID | None,
    attempt: int,
    model: str,
    held: int,
) -> None:
    """Set `held` micros of a locked account aside for a call; without a job it is a transcription.

    Raises OutOfCredit or SpendingFrozen. The caller proves the lease.
    """
    call = ModelCall(
        id=call_id,
        kind=CallKind.ANSWER if job_id else CallKind.TRANSCRIPTION,
        job_id=job_id,
        attempt=attempt,
        model=model,
        held_micros=held,
    )
    hold(db, user, call)


def hold(db: Session, user: User, call: ModelCall) -> None:
    """Open a call of a locked account, and set aside what it holds. Raises as `open_call` does."""
    if user.is_frozen:
        raise SpendingFrozen(user.spending_frozen_reason, user.spending_frozen_details)
    if call.held_micros <= 0 or user.credits_available_micros < call.held_micros:
        raise OutOfCredit
    user.credits_held_micros += call.held_micros
    call.user_id = user.id
    db.add(call)
    db.flush()


def close_call(
    db: Session,
    *,
    call_id: UUID,
    status: CallStatus,
    cost: CallCost,
    provider_request_id: str | None = None,
    detail: str | None = None,
    is_ours: bool = False,
) -> int:
    """Turn a call's hold into its charge; return the micros charged. Telling it twice is harmless.

    With `is_ours`, or when its attempt was given up meanwhile, the person pays nothing: we absorb
    the cost. So we do what goes beyond the hold: nobody pays more than they were told. And so we do
    a recording without words, while it fits into the day's cap. `detail`, which may repeat what a
    user had written, is not kept of a message that they have deleted meanwhile.
    """
    user_id = db.scalar(select(ModelCall.user_id).where(ModelCall.id == call_id))
    if user_id is None:
        raise CallNotOpen(str(call_id))
    user = lock_account(db, user_id)
    call = db.get_one(ModelCall, call_id, with_for_update=True, populate_existing=True)
    if call.status is not CallStatus.OPEN:
        return 0
    user.credits_held_micros -= call.held_micros
    call.status, call.closed_at = status, utc_now()
    call.provider_request_id = provider_request_id
    call.detail = None if detail and _is_of_deleted_message(db, call) else detail
    if status is CallStatus.FAILED and cost.charge_micros == 0:
        db.flush()
        return 0
    if is_ours or owes_nothing(db, call_id):
        _absorb(db, user, call, cost)
        return 0
    if cost.is_unheard and _absorb_unheard(db, user, call, cost):
        return 0
    return _charge(db, user, call, cost)


def forget_details(db: Session, which: ColumnElement[bool]) -> None:
    """Forget what providers said of calls for jobs: it may repeat what a user had written.

    What a call was, and what it cost, stays.
    """
    jobs = select(Job.id).where(which)
    db.execute(update(ModelCall).where(ModelCall.job_id.in_(jobs)).values(detail=None))


def owes_nothing(db: Session, call_id: UUID) -> bool:
    """Tell whether a call is at our expense: its attempt was given up or its job failed."""
    given_up = db.scalar(
        select(ModelCall.id)
        .join(Job, Job.id == ModelCall.job_id)
        .where(
            ModelCall.id == call_id,
            or_(
                Job.attempt != ModelCall.attempt,
                Job.status.in_((JobStatus.PENDING, JobStatus.PAUSED, JobStatus.FAILED)),
            ),
        )
    )
    return given_up is not None


def lose_call(db: Session, call_id: UUID) -> None:
    """Close a call whose worker is dead, at our expense; nobody knows what it used.

    Against the day's cap counts the most that it can have cost.
    """
    nothing = CallCost(0, 0, 0, 0, 0, 0, "", is_estimated=True)
    close_call(
        db,
        call_id=call_id,
        status=CallStatus.LOST,
        cost=nothing,
        is_ours=True,
    )


def _is_of_deleted_message(db: Session, call: ModelCall) -> bool:
    lost_it = select(Job.id).where(Job.id == call.job_id, Job.message_id.is_(None))
    return db.scalar(lost_it) is not None


def _absorb(db: Session, user: User, call: ModelCall, cost: CallCost) -> None:
    is_lost = call.status is CallStatus.LOST
    reason = WriteOffReason.CALL_LOST if is_lost else WriteOffReason.LATE_CALL
    carried = _most_cost(call) if is_lost else cost.provider_cost_micros
    write_off(db, user, _entry(call, 0, cost), reason, carried_micros=carried)


def _absorb_unheard(db: Session, user: User, call: ModelCall, cost: CallCost) -> bool:
    """Take the cost of a recording without words on us; False if the day's cap is used up."""
    carried, room = cost.provider_cost_micros, room_today(db, user)
    if carried > room.left_micros:
        return False
    reason = WriteOffReason.NOTHING_HEARD
    write_off(db, user, _entry(call, 0, cost), reason, carried_micros=carried, room=room)
    return True


def _most_cost(call: ModelCall) -> int:
    """Return what of a call's hold the provider would get, in micros."""
    return call.held_micros * (100 - switches.last_read().margin_percent) // 100


def _charge(db: Session, user: User, call: ModelCall, cost: CallCost) -> int:
    """Charge up to what was held, and absorb the rest with its part of what the provider got."""
    payable = min(cost.charge_micros, call.held_micros)
    beyond = cost.charge_micros - payable
    lost = cost.provider_cost_micros * beyond // cost.charge_micros if beyond else 0
    paid = replace(cost, provider_cost_micros=cost.provider_cost_micros - lost)
    charge = _entry(call, -payable, paid)
    charge.kind = EntryKind.CHARGE
    record(db, user, charge)
    if beyond:
        rest = Transaction(
            amount_micros=0,
            provider_cost_micros=lost,
            reference=f"absorbed:call:{call.id}",
            call_id=call.id,
            job_id=call.job_id,
            model=call.model,
            provider=call.model.partition("/")[0],
        )
        write_off(db, user, rest, WriteOffReason.BEYOND_HOLD, carried_micros=lost)
    return payable


def _entry(call: ModelCall, amount_micros: int, cost: CallCost) -> Transaction:
    return Transaction(
        amount_micros=amount_micros,
        reference=f"call:{call.id}",
        call_id=call.id,
        job_id=call.job_id,
        model=call.model,
        provider=call.model.partition("/")[0],
        tokens_in=cost.tokens_in,
        tokens_out=cost.tokens_out,
        tokens_cache_read=cost.tokens_cache_read,
        tokens_cache_write=cost.tokens_cache_write,
        provider_cost_micros=cost.provider_cost_micros,
        price_version=cost.price_version,
        is_estimated=cost.is_estimated,
        note=NOTES.get(call.status),
    )
