"""How large an installation is."""

from dataclasses import dataclass
from typing import Literal

Name = Literal["small", "production"]


@dataclass(frozen=True)
class Profile:
    """The sizes of one installation. A worker's memory is what its cells need, 1.2 GB each."""

    is_lasting: bool
    zones: int
    web_tasks: int
    clock_tasks: int
    fewest_workers: int
    # Each has some ten connections to the database, which is what bounds them here.
    most_workers: int
    worker_cpu: int
    worker_memory_mib: int
    cells_per_worker: int
    database: str
    # At so many an alarm rings; the database takes some more.
    many_connections: int
    cache: str
    backup_days: int
    # A month, of the whole account; it rings at 80 % and when it is spent.
    budget_dollars: int


PROFILES: dict[Name, Profile] = {
    # For trying out: what is in it goes when the stack goes.
    "small": Profile(
        is_lasting=False,
        zones=2,
        web_tasks=1,
        clock_tasks=1,
        fewest_workers=1,
        most_workers=3,
        worker_cpu=2048,
        worker_memory_mib=8192,
        cells_per_worker=5,
        database="t4g.micro",
        many_connections=60,
        cache="cache.t4g.micro",
        backup_days=1,
        budget_dollars=250,
    ),
    "production": Profile(
        is_lasting=True,
        zones=3,
        web_tasks=2,
        clock_tasks=2,
        fewest_workers=2,
        most_workers=50,
        worker_cpu=4096,
        worker_memory_mib=30720,
        cells_per_worker=23,
        database="m7g.large",
        many_connections=650,
        cache="cache.t4g.small",
        backup_days=14,
        budget_dollars=1500,
    ),
}
