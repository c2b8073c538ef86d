"""Jobs: one row for each message that waits for its answer.

Why a queue in PostgreSQL beside Dramatiq: the job is written in the transaction that writes the
message, so none is lost and none is answered twice, whatever dies. Dramatiq only carries wake-ups,
which have no content: "somebody look". See docs/jobs.md for the states and the lease protocol.

A person's jobs form a lane. Only the head of a lane may be claimed, so a lane is answered in order,
one at a time, and the claim stays as cheap with a million waiting as with one.
"""

from models.jobs.affinity import drop_affinity, drop_affinity_of_dead, may_warm, release_affinity
from models.jobs.claiming import Claim, Queue, claim_many, count_claimable, queue
from models.jobs.completion import FinishedAnswer, complete_many, fail, requeue, stop
from models.jobs.enqueue import (
    AlreadyAnswered,
    AlreadySent,
    NothingToSend,
    Source,
    ask,
    ask_again,
    find_sent,
    further_allowance,
    go_on,
)
from models.jobs.leases import (
    LeaseLost,
    abandoned,
    lock_held,
    lock_lease,
    reap_expired,
    renew,
    retry_delay,
)
from models.jobs.pausing import held_up, is_paused, pause, resume, resume_with_credits
from models.jobs.queries import MOST_COUNTED, find_own, find_pause, position, written_so_far
from models.jobs.room import TooManyUsersWaiting, TooManyWaiting, refuse_if_unable
from models.schema.jobs import Job, JobStatus

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
    "Source",
    "TooManyUsersWaiting",
    "TooManyWaiting",
    "abandoned",
    "ask",
    "ask_again",
    "claim_many",
    "complete_many",
    "count_claimable",
    "drop_affinity",
    "drop_affinity_of_dead",
    "fail",
    "find_own",
    "find_pause",
    "find_sent",
    "further_allowance",
    "go_on",
    "held_up",
    "is_paused",
    "lock_held",
    "lock_lease",
    "may_warm",
    "pause",
    "position",
    "queue",
    "reap_expired",
    "refuse_if_unable",
    "release_affinity",
    "renew",
    "requeue",
    "resume",
    "resume_with_credits",
    "retry_delay",
    "stop",
    "written_so_far",
]
