"""The product's names are the field's: none of the private words of before comes back."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import PROJECT_DIR

SOURCES = (
    *("actions", "agent", "embedded", "gateways", "models", "tasks", "untrusted", "webapp"),
    *("settings", "wsgi.py"),
)
# What each of them is called now stands behind it.
CLASSES = {
    "Teller": "EventPublisher",
    "Told": "PartialAnswer",
    "Knocks": "WakeQueue",
    "Ears": "WakeListener",
    "Pump": "CommitLoop",
    "HeldJob": "LeasedJob",
    "HeldJobs": "LeasedJobs",
    "Glance": "ExchangeSummary",
    "Ground": "WorkerDir",
    "Place": "CellPaths, ListPosition",
    "Kit": "CellSpec",
    "Doors": "CellSockets",
    "Groups": "Cgroups",
    "Boots": "BootScheduler",
    "Pauses": "Backoff",
    "Changes": "Pulse",
    "Pieces": "SurrogateDecoder",
    "Watch": "HealthMonitor",
    "Waiting": "Demand",
    "Fit": "size_hold",
    "Census": "stats",
    "Drawings": "HtmlCache",
    "Openings": "PrewarmDebouncer",
    "MayCostMore": "CostConfirmationRequired",
    "Keeper": "Supervisor",
    "Letter": "EmailContent",
    "MailedLink": "EmailToken",
}
FUNCTIONS = {
    "tell": "publish, fire, offer",
    "fold": "replay",
    "give_in": "submit",
    "hand_back": "requeue",
    "still_ours": "lock_lease",
    "release_abandoned": "reap_expired",
    "open_to_all": "release_affinity",
    "hold_cell": "set_affinity",
    "thaw": "auto_unfreeze",
    "take_back": "clawback",
    "same_person": "identity_keys",
    "introduce": "complete_onboarding",
    "prove": "check_password",
    "compute_in": "set_executor",
    "was_used": "touch",
    "burst": "kill_oom",
    "worn": "due_for_recycle",
    "is_worn": "is_due_for_recycle",
    "is_ill": "is_unhealthy",
    "hurry": "raise_priority",
    "keep_private": "mute_logs",
    "census": "stats",
    "aside": "on_own_stack",
    "let_go": "release_connection",
    "drawings": "html_cache",
    "draw": "render",
    "look_at": "read_status",
    "is_dry": "out_of_credit",
    "till": "stripe_client",
    "_ring": "wake",
}
CONSTANTS = {"AFTER_ALL": "MAX_UUID", "DOORS": "PROVIDERS_BY_PATH"}
MODULES = {
    "telling": "stripe_effects",
    "chat_told": "partial_answer",
    "ears": "wake_listener",
    "knocks": "wake_queue",
    "pump": "commit_loop",
    "helping": "boot_allocation",
    "preferring": "affinity",
    "thawing": "auto_unfreeze",
    "taking": "clawbacks",
    "comparing": "stripe_reconciliation",
    "reconciling": "stripe_backfill",
    "failing": "failures",
    "buying": "checkout",
    "readdressing": "email_change",
    "resetting": "password_reset",
    "letters": "email.templates",
    "mailed_links": "email_tokens",
    "staging": "pending_uploads",
    "oversight": "admin_reports",
    "pruning": "retention",
    "exchanges": "context",
    "canned": "warmup_responses",
    "newcomers": "trial_status",
    "ground": "worker_dir",
    "kit": "spec",
    "nudges": "wakeups",
    "tether": "pdeathsig_launcher",
    "keeper": "supervisor",
    "by_hand": "admin_cli",
    "surroundings": "environ",
    "stand_in": "fake_google, fake_stripe",
}
GONE = CLASSES | FUNCTIONS | CONSTANTS | MODULES


def files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *SOURCES],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    found = [Path(name) for name in listed if name.endswith(".py")]
    return [path for path in found if (PROJECT_DIR / path).exists()]


def names_in(path: Path, source: str) -> Iterator[tuple[str, int]]:
    """Name the module, its folders, its classes, its functions and its constants."""
    yield from ((part, 1) for part in path.with_suffix("").parts)
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        if isinstance(node, ast.AnnAssign):
            targets = (node.target,)
        yield from ((one.id, one.lineno) for one in targets if isinstance(one, ast.Name))


def test_no_private_word_is_a_name() -> None:
    found = [
        f"{path}:{line}: {name}, which is called {GONE[name]}"
        for path in files()
        for name, line in names_in(path, (PROJECT_DIR / path).read_text())
        if name in GONE
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("agent/pump.py", "", "pump"),
        ("letters/a.py", "", "letters"),
        ("a.py", "class Teller: ...", "Teller"),
        ("a.py", "class A:\n    def hand_back(self): ...", "hand_back"),
        ("a.py", "async def thaw(): ...", "thaw"),
        ("a.py", "AFTER_ALL = 1", "AFTER_ALL"),
        ("a.py", "AFTER_ALL: int = 1", "AFTER_ALL"),
    ],
)
def test_each_kind_of_name_is_read(path: str, source: str, found: str) -> None:
    assert found in [name for name, _ in names_in(Path(path), source)]
    assert found in GONE


def test_prose_is_left_alone() -> None:
    assert dict(names_in(Path("a.py"), '"""The pump."""\n# thaw\nx = "Teller"\n')) == {
        "a": 1,
        "x": 3,
    }
