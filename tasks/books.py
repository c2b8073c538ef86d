"""The meter's books for one turn, kept in PostgreSQL."""

from dataclasses import dataclass
from uuid import UUID

from agent.meter.books import ClosedCall, NoCredit, OpenCall
from models import jobs, ledger
from models.database import unit_of_work
from models.ledger import CallCost, CallStatus
from models.payments import automatic
from models.users import User
from tasks import nudges


@dataclass(frozen=True)
class TurnBooks:
    """Holds and charges for the calls of one attempt at one job."""

    user_id: UUID
    job_id: UUID
    attempt: int

    def available_micros(self) -> int:
        """What the person can still spend."""
        with unit_of_work() as db:
            return db.get_one(User, self.user_id).spendable_micros

    def open(self, call: OpenCall) -> None:
        """Hold `call.held_micros`; raise NoCredit, or LeaseLost when the job is another's now."""
        with unit_of_work() as db:
            jobs.still_ours(db, self.job_id, self.attempt)
            try:
                ledger.open_call(
                    db,
                    call_id=call.call_id,
                    user_id=self.user_id,
                    job_id=self.job_id,
                    attempt=self.attempt,
                    model=call.model,
                    held=call.held_micros,
                )
            except (ledger.OutOfCredit, ledger.SpendingFrozen) as refused:
                raise NoCredit from refused

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
            ledger.close_call(
                db,
                call_id=call.call_id,
                status=CallStatus(call.outcome),
                cost=cost,
                provider_request_id=call.provider_request_id,
                detail=call.detail,
            )
            is_due = bool(automatic.due(db, self.user_id))
        if is_due:
            nudges.top_up(self.user_id)
