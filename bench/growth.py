"""What pages of admins take when there is ten times as much: `python -m bench growth --admin`.

A made-up year is written and added up, each page is asked for often; then a second year is written
beside it, so that there is ten times as much, and each is asked for again. A page's factor is what
it takes then, by what it took before; its target is 2.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

import httpx2
import sqlalchemy as sa

from bench.site import Served, Site
from models.base import utc_now
from models.ops import profit
from models.ops.user_search import Filter
from models.schema.admins import AdminRole
from models.schema.jobs import Job
from models.schema.sessions import UserSession
from models.schema.users import User
from settings import PROJECT_DIR, get_settings

FACTOR_LIMIT = 2.0
TIMES = 10
PEOPLE, MESSAGES = 2_000, 500_000
ASKED = 15
# Below this a factor is noise.
LEAST_MS = 10.0


@dataclass(frozen=True)
class Taken:
    """A page, and the median of what it took, in milliseconds."""

    path: str
    milliseconds: float


def main(arguments: list[str]) -> int:
    """Measure and print; return 1 when a page misses its target."""
    parser = argparse.ArgumentParser(prog="bench growth")
    parser.add_argument("--admin", action="store_true", help="the pages of admins")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    asked = parser.parse_args(arguments)
    if not asked.admin:
        parser.error("what is to be measured? --admin")
    with Site.for_one_run(PROJECT_DIR / ".test-data") as site:
        os.environ.update(site.environment())  # noqa: TID251  # what is written goes there
        get_settings.cache_clear()
        _grow(site, asked.people, asked.messages, seed=1)
        (admin,) = site.visitors(1)
        with site.database() as db:
            db.get_one(User, admin.id).admin_role = AdminRole.OWNER
            has_shown_a_code = sa.update(UserSession).where(UserSession.user_id == admin.id)
            db.execute(has_shown_a_code.values(two_factor_at=utc_now()))
        with site.serves() as product:
            paths = _paths(site)
            before = _measure(product, admin.cookie, paths)
            others = (TIMES - 1) * asked.people, (TIMES - 1) * asked.messages
            _grow(site, *others, seed=2, first=asked.people + 1)
            after = _measure(product, admin.cookie, paths)
    return _report(before, after)


def _grow(site: Site, people: int, messages: int, *, seed: int, first: int = 1) -> None:
    print(f"{people:,} people with {messages:,} messages", flush=True)
    given = {"people": people, "messages": messages, "seed": seed, "first": first}
    flags = (f"--{name}={number}" for name, number in given.items())
    subprocess.run([sys.executable, "-m", "tasks.cli.seed_demo", *flags], check=True)
    # As autovacuum does within minutes.
    with site.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (ANALYZE)"))


def _measure(product: Served, cookie: str, paths: list[str]) -> list[Taken]:
    """Ask for each page a few times, each in turn."""
    found: dict[str, list[float]] = {path: [] for path in paths}
    url = f"http://127.0.0.1:{product.port}"
    with httpx2.Client(base_url=url, cookies={"session": cookie}, timeout=120) as browser:
        for _ in range(ASKED + 1):
            for path in paths:
                began = time.perf_counter()
                answer = browser.get(path)
                found[path].append(1000 * (time.perf_counter() - began))
                assert answer.status_code == 200, f"{path} answered {answer.status_code}"
    # The first time templates are read.
    return [Taken(path, statistics.median(times[1:])) for path, times in found.items()]


def _paths(site: Site) -> list[str]:
    """List the pages, with the user who brought most and their last message among them."""
    month, _ = profit.month_of(utc_now(), 1)
    with site.database() as db:
        user_id = profit.read_best_and_worst(db, month)[profit.Order.WINNERS][0].user_id
        latest = sa.select(Job.id).where(Job.user_id == user_id).order_by(Job.id.desc()).limit(1)
        job_id = db.scalar(latest)
    ranges = (f"/admin?range={one}" for one in ("24h", "7d", "30d", "1y"))
    months = ("/admin/accounting?back=1", "/admin/simulator", "/admin/simulator?margin=50&grant=2")
    searches = (f"/admin/people?q={one}" for one in ("novak", "demo.example", "an", "cus_none"))
    filters = (f"/admin/people?filter={one}" for one in Filter)
    lists = ("/admin/people?sort=balance", *searches, *filters)
    queue = (
        "/admin/queue",
        "/admin/queue?hours=168",
        "/admin/queue?state=failed",
        "/admin/queue?state=pending",
        "/admin/queue/now",
    )
    ones = (f"/admin/people/{user_id}", f"/admin/queue/{job_id}")
    rest = ("/admin/now", "/admin/workers", "/admin/abuse", "/admin/invitations", "/admin/books")
    others = ("/admin/queue/bulk", "/admin/approvals", "/admin/switches", "/admin/log?q=novak")
    return [*ranges, *months, *lists, *queue, *ones, *rest, *others, "/admin/log"]


def _report(before: list[Taken], after: list[Taken]) -> int:
    missed = 0
    print(f"\n{'page':<42}{'once':>10}{f'{TIMES} x':>10}{'factor':>9}")
    for one, more in zip(before, after, strict=True):
        factor = more.milliseconds / max(one.milliseconds, LEAST_MS)
        missed += factor > FACTOR_LIMIT
        name = one.path if len(one.path) < 42 else f"{one.path[:38]}…"
        mark = "  beyond" if factor > FACTOR_LIMIT else ""
        print(
            f"{name:<42}{one.milliseconds:7.0f} ms{more.milliseconds:7.0f} ms{factor:8.1f} x{mark}"
        )
    print(f"\n{missed} of {len(before)} pages take more than {FACTOR_LIMIT:.0f} times as long")
    return 1 if missed else 0
