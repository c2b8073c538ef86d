"""The meter's books for one turn, kept in PostgreSQL."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from actions import charges
from agent.meter.call_ledger import (
    BooksUnavailable,
    Bound,
    ClosedCall,
    NoRoom,
    OpenCall,
    SizeHold,
    TurnLost,
)
from agent.turn import TurnFailure
from models import jobs, ledger
from models.database import OUTAGES, unit_of_work
from models.ledger import CallCost, limits
from models.schema.model_calls import CallStatus, ModelCall


@dataclass(frozen=True)
class TurnCallLedger:
    """Holds and charges for the calls of one attempt at one job."""

    user_id: UUID
    job_id: UUID
    attempt: int

    def open(self, call_id: UUID, model: str, fit: SizeHold) -> OpenCall:
        """Hold what `fit` makes of the balance and then the limits that the person has set.

        Raises NoRoom, TurnLost when another worker has the job now, or BooksUnavailable.
        """
        try:
            with unit_of_work() as db:
                return OpenCall(call_id, model, self._open(db, call_id, model, fit))
        except jobs.LeaseLost as lost:
            raise TurnLost from lost
        except OUTAGES as outage:
            raise BooksUnavailable(str(outage)) from outage

    def _open(self, db: Session, call_id: UUID, model: str, fit: SizeHold) -> int:
        # The account is locked: what is left now is left until the hold is written.
        user, job = jobs.lock_held(db, self.job_id, self.attempt)
        if (earlier := db.get(ModelCall, call_id)) is not None:
            # It was told before, and the answer to that was lost.
            return earlier.held_micros
        found = limits.bounds(db, user, job)
        held = fit([_told(bound) for bound in found])
        bound = limits.tightest(found)
        if bound.left_micros < held:
            raise NoRoom(_told(bound))
        ledger.open_call(
            db,
            user,
            call_id=call_id,
            job_id=self.job_id,
            attempt=self.attempt,
            model=model,
            held=held,
        )
        return held

    def close(self, call: ClosedCall) -> None:
        """Charge what the call used; at our expense when its attempt has been given up."""
        usage = call.usage
        cost = CallCost(
            tokens_in=usage.input_tokens,
            tokens_out=usage.output_tokens,
            tokens_cache_read=usage.cache_read_tokens,
            tokens_cache_write=usage.cache_write_tokens,
            provider_cost_micros=call.provider_cost_micros,
            charge_micros=call.charge_micros,
            price_version=call.price_version,
            is_estimated=call.is_estimated,
        )
        with unit_of_work() as db:
            charged = ledger.close_call(
                db,
                call_id=call.call_id,
                status=CallStatus(call.outcome),
                cost=cost,
                provider_request_id=call.provider_request_id,
                detail=call.detail,
            )
            charges.follow_up(db, self.user_id, charged)


def _told(bound: limits.Bound) -> Bound:
    return Bound(TurnFailure(bound.code), bound.left_micros)
