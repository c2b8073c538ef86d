"""The life of a cell: its states, and the only ways from one to the next.

                                                  ┌── a turn ──▶ busy ─┐
    booting ─▶ warming ─▶ spare ─▶ binding ─▶ hot ◀────────────────────┘
       │          │         │         │        │                  │
       └──────────┴─────────┴─── ending it ────┴──────────────────┘
                                      ▼
                                  draining ─▶ gone

A cell that dies by itself is gone at once, from wherever it was.
"""

from enum import StrEnum


class State(StrEnum):
    # Its processes start, and nobody can ask it anything yet.
    BOOTING = "booting"
    # It answers, and is made to load what it would load in somebody's first turn.
    WARMING = "warming"
    # It is blank and nobody's.
    SPARE = "spare"
    # It is somebody's from now on and for good; their files are being put in place.
    BINDING = "binding"
    # It has somebody's files and waits for their next message.
    HOT = "hot"
    # It is at somebody's turn.
    BUSY = "busy"
    # It is asked to end, and may take a moment to do so.
    DRAINING = "draining"
    # Nothing of it runs any more.
    GONE = "gone"


ENDS = frozenset({State.DRAINING, State.GONE})
MOVES: dict[State, frozenset[State]] = {
    State.BOOTING: ENDS | {State.WARMING},
    State.WARMING: ENDS | {State.SPARE},
    State.SPARE: ENDS | {State.BINDING},
    State.BINDING: ENDS | {State.HOT},
    State.HOT: ENDS | {State.BUSY},
    State.BUSY: ENDS | {State.HOT},
    State.DRAINING: frozenset({State.GONE}),
    State.GONE: frozenset(),
}


class IllegalMove(Exception):
    """A cell cannot come from the one state to the other: something is wrong with our code."""


def moved(old: State, new: State) -> State:
    """Return `new`, or raise IllegalMove when no way leads there from `old`."""
    if new not in MOVES[old]:
        raise IllegalMove(f"from {old} to {new}")
    return new
