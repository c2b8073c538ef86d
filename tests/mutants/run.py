"""Copies of the tree with services of their own, in which faults are planted one after another."""

import contextlib
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from queue import SimpleQueue

import pytest

from embedded.environ import environ
from embedded.stack import Services
from tests.mutants.mutant import Mutant
from tests.running import SERVICES_ARE_THERE

# What is made by running; what is compiled already spares each copy the time.
LEFT_OUT = (
    *(".git", ".venv", ".engine", ".data", ".test-data", "node_modules"),
    *(".hypothesis", ".pytest_cache", ".ruff_cache", ".import_linter_cache"),
)
PYTEST = ("-q", "-x", "-n0", "-p", "no:cacheprovider", "--timeout=100", "-m", "not long")
PATIENCE_SECONDS = 300
# The exit codes of pytest.
ALL_PASSED, SOME_FAILED = 0, 1
OURS = {
    *(
        "actions",
        "agent",
        "channels",
        "embedded",
        "gateways",
        "models",
        "settings",
        "tasks",
        "telegram_bot",
        "tests",
        "untrusted",
    ),
    *("webapp", "__mp_main__"),
}
# To import these takes longer than most tests do, so it is done once for all of them.
THEIRS = [
    *("aiohttp", "alembic.command", "anthropic", "boto3", "dramatiq", "flask", "flask_limiter"),
    *("flask_login", "flask_wtf", "genai_prices", "google.genai", "httpx2", "hypothesis"),
    *("markdown_it", "nh3", "openai", "PIL.Image", "psycopg", "pydantic_settings", "pypdf"),
    *("pygments.lexers", "pytest", "redis", "sqlalchemy.orm", "stripe", "structlog"),
    *("time_machine", "zxcvbn"),
]
forked = multiprocessing.get_context("forkserver")
forked.set_forkserver_preload(THEIRS)


class Verdict(Enum):
    """What became of a fault."""

    NOTICED = "noticed"
    MISSED = "MISSED"
    # Tests could not even be begun: that is no proof of anything.
    BROKEN = "BROKEN"


def _run_tests(
    folder: Path, environment: Mapping[str, str], log: Path, tests: Sequence[str]
) -> None:
    """Be a process that runs tests of the tree in `folder`, and exit as pytest does."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    os.chdir(folder)
    os.environ.clear()  # noqa: TID251
    os.environ.update(environment)  # noqa: TID251
    sys.path[:] = [str(folder), *sys.path[1:]]
    with log.open("w") as said, contextlib.redirect_stdout(said):
        code = pytest.main([*PYTEST, *tests])
    sys.exit(int(code))


class Copy:
    """A copy of the tree, and services that its tests share, as long as it is entered."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._undo = ExitStack()
        self._environment: dict[str, str] = {}
        self.folder = Path()

    def __enter__(self) -> "Copy":
        with ExitStack() as undo:
            above = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="mutants-")))
            # Cells and helpers run under other uids, and read their programs from here.
            above.chmod(0o755)
            self.folder = above / "tree"
            shutil.copytree(self._tree, self.folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
            (self.folder / ".engine").symlink_to(self._tree / ".engine")
            services = undo.enter_context(Services(above / "data", is_kept=False))
            self._environment = {
                **environ(),
                **services.environment(),
                "ENGINE_DIR": str(self._tree / ".engine"),
                SERVICES_ARE_THERE: "yes",
            }
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def test(self, tests: Sequence[str], *, seconds: float = PATIENCE_SECONDS) -> int:
        """Run tests in the copy; return the exit code, that of a failure if they take too long."""
        log = self.folder.parent / "said"
        given = (self.folder, self._environment, log, tests)
        process = forked.Process(target=_run_tests, args=given)
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            return SOME_FAILED
        if process.exitcode not in {ALL_PASSED, SOME_FAILED}:
            print(log.read_text()[-3000:], flush=True)
        return process.exitcode

    def said(self) -> str:
        """Return what the tests said that ran last."""
        return (self.folder.parent / "said").read_text()

    def plant(self, mutant: Mutant) -> Verdict:
        """Tell whether the tests of a fault notice it, and take it out again."""
        path = self.folder / mutant.path
        text, times = path.read_text(), path.stat()
        path.write_text(text.replace(mutant.old, mutant.new))
        try:
            code = self.test(mutant.tests)
        finally:
            path.write_text(text)
            # What was compiled of it before counts again.
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        if code == ALL_PASSED:
            return Verdict.MISSED
        return Verdict.NOTICED if code == SOME_FAILED else Verdict.BROKEN


def misplaced(tree: Path, mutants: Iterable[Mutant]) -> list[Mutant]:
    """List the faults that have no place: their text must stand in their file exactly once."""
    return [one for one in mutants if not _has_place(tree / one.path, one)]


def _has_place(path: Path, mutant: Mutant) -> bool:
    is_there = path.is_file() and path.read_text().count(mutant.old) == 1
    return is_there and mutant.old != mutant.new and bool(mutant.tests)


def try_all(
    tree: Path, mutants: Sequence[Mutant], *, runners: int
) -> Generator[tuple[Mutant, Verdict]]:
    """Plant faults, some side by side; tell of each what became of it, in their order.

    Raises RuntimeError when a test that is to notice one fails on the tree as it is.
    """
    free: SimpleQueue[Copy] = SimpleQueue()
    with ExitStack() as afterwards:
        for _ in range(runners):
            free.put(afterwards.enter_context(Copy(tree)))
        pool = afterwards.enter_context(ThreadPoolExecutor(runners))
        _refuse_failing_tests(pool, free, mutants, runners)

        def _plant(mutant: Mutant) -> Verdict:
            copy = free.get()
            try:
                return copy.plant(mutant)
            finally:
                free.put(copy)

        yield from zip(mutants, pool.map(_plant, mutants), strict=True)


def _refuse_failing_tests(
    pool: ThreadPoolExecutor, free: "SimpleQueue[Copy]", mutants: Sequence[Mutant], runners: int
) -> None:
    tests = sorted({test for mutant in mutants for test in mutant.tests})

    def _run(share: list[str]) -> None:
        copy = free.get()
        try:
            if share and copy.test(share, seconds=10 * PATIENCE_SECONDS) != ALL_PASSED:
                print(copy.said()[-5000:], flush=True)
                raise RuntimeError("A test that is to notice a fault fails without one.")
        finally:
            free.put(copy)

    list(pool.map(_run, [tests[at::runners] for at in range(runners)]))
