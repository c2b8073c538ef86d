"""Jobs: one row for each message that waits for its answer.

Why a queue in PostgreSQL beside Dramatiq: the job is written in the transaction that writes the
message, so none is lost and none is answered twice, whatever dies. Dramatiq only carries nudges,
which have no content: "somebody look". See docs/jobs.md for the states and the lease protocol.

A person's jobs form a lane. Only the head of a lane may be claimed, so a lane is answered in order,
one at a time, and the claim stays as cheap with a million waiting as with one.
"""

from models.jobs.asking import (
    AlreadyAnswered,
    AlreadySent,
    NothingToSend,
    TooManyUsersWaiting,
    TooManyWaiting,
    ask,
    ask_again,
    further_allowance,
    go_on,
    refuse_if_unable,
)
from models.jobs.claiming import Claim, Queue, claim_many, count_claimable, queue
from models.jobs.ending import FinishedAnswer, complete_many, fail, hand_back, stop
from models.jobs.leases import (
    LeaseLost,
    abandoned,
    lock_held,
    release_abandoned,
    renew,
    retry_delay,
    still_ours,
)
from models.jobs.pausing import is_paused, pause, resume
from models.jobs.preferring import (
    may_warm,
    open_to_all,
    stop_waiting_for,
    stop_waiting_for_the_dead,
)
from models.jobs.reading import MOST_COUNTED, find_own, position, written_so_far
from models.jobs.table import Job, JobStatus

__all__ = [
    "MOST_COUNTED",
    "AlreadyAnswered",
    "AlreadySent",
    "Claim",
    "FinishedAnswer",
    "Job",
    "JobStatus",
    "LeaseLost",
    "NothingToSend",
    "Queue",
    "TooManyUsersWaiting",
    "TooManyWaiting",
    "abandoned",
    "ask",
    "ask_again",
    "claim_many",
    "complete_many",
    "count_claimable",
    "fail",
    "find_own",
    "further_allowance",
    "go_on",
    "hand_back",
    "is_paused",
    "lock_held",
    "may_warm",
    "open_to_all",
    "pause",
    "position",
    "queue",
    "refuse_if_unable",
    "release_abandoned",
    "renew",
    "resume",
    "retry_delay",
    "still_ours",
    "stop",
    "stop_waiting_for",
    "stop_waiting_for_the_dead",
    "written_so_far",
]
