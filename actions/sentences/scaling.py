"""Why there are as many workers as there are, as admins read it."""

from collections.abc import Mapping

from models.ops.fleet import Fleet
from models.schema.scaling import ScalingDecision, ScalingReason
from models.translation import gettext, marked
from settings import Settings

WORDS: Mapping[ScalingReason, str] = {
    ScalingReason.DEMAND: marked(
        "Started %(more)s more: a demand of %(demand)s was more than the others had room for."
    ),
    ScalingReason.CALM: marked(
        "Letting %(draining)s finish and go: demand has been lower for a while (%(demand)s)."
    ),
    ScalingReason.RELEASE: marked(
        "Letting %(draining)s of the older release finish and go, as the new one is ready."
    ),
    ScalingReason.DRAINED: marked("Stopped %(fewer)s that had finished all they had."),
}
DEMAND = marked(
    "Demand just now: %(demand)s, which is everybody who waits or is being answered. Room:"
    " %(cells)s."
)
BY_HAND = marked(
    "Nothing starts or stops workers here, so there are as many as were started by hand."
)
RULE = marked(
    "So that a new message finds room, %(percent)s%% of it is meant to be in use. At least"
    " %(fewest)s and at most %(most)s workers run."
)


def decided(decision: ScalingDecision) -> str:
    """Say what was decided, and why."""
    change = decision.desired - decision.desired_before
    return gettext(
        WORDS[decision.reason],
        more=max(change, 0),
        fewer=max(-change, 0),
        demand=decision.demand,
        draining=decision.draining,
    )


def standing(seen: Fleet, settings: Settings) -> str:
    """Say how much is needed just now, and by which rule there are as many workers."""
    demand = gettext(DEMAND, demand=seen.demand, cells=seen.cells)
    if not settings.ecs_worker_service:
        return f"{demand} {gettext(BY_HAND)}"
    rule = gettext(
        RULE,
        percent=settings.scaling_target_percent,
        fewest=settings.fewest_workers,
        most=settings.most_workers,
    )
    return f"{demand} {rule}"
