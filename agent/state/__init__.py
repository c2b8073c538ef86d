"""A person's files in storage: saved after each turn, restored into any cell.

What is saved is the assistant's database and workspace, and nothing of the cell around them. A save
uploads one object, a pack, with the 4 KiB pages that changed; a version is the list of packs that
make it up, oldest first. See docs/snapshots.md for the format and its checks.
"""

from agent.state.layout import DATABASE, UPLOADS, WORKSPACE, may_be_kept
from agent.state.pack import DamagedState
from agent.state.saved import Restored, SavedStates, unused
from agent.state.saving import BLANK, STANDING, Known, StateWriter, TooLarge

__all__ = [
    "BLANK",
    "DATABASE",
    "STANDING",
    "UPLOADS",
    "WORKSPACE",
    "DamagedState",
    "Known",
    "Restored",
    "SavedStates",
    "StateWriter",
    "TooLarge",
    "may_be_kept",
    "unused",
]
