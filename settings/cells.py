"""Where assistants run, and what reads foreign bytes."""

from pathlib import Path
from tempfile import gettempdir
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from settings.places import PROJECT_DIR


class CellSettings(BaseSettings):
    """Where assistants run, and what reads foreign bytes."""

    # Cells: one OpenClaw process tree each, about 1 GB of memory.
    cells_per_worker: int = Field(default=0, ge=0, description="0 takes it from free memory")
    spare_cells: int = 1
    hot_cell_idle_seconds: float = 900
    # One that was bound when its person opened the chat, and has not been asked anything since.
    warmed_cell_idle_seconds: float = 180
    # A turn that waits for no provider, and in which nothing has moved for so long, is stuck: it is
    # tried again in another cell.
    cell_silent_seconds: float = 90
    # After so many turns, or once its processes have grown so large, a cell that has nothing to do
    # is ended; the person's next message takes a fresh one.
    cell_max_turns: int = Field(default=200, ge=1)
    cell_memory_recycle_mb: int = Field(default=1_600, ge=1)
    # A cell that takes more than this is ended at once, whatever it is at.
    cell_memory_limit_mb: int = Field(default=2_400, ge=1)
    # A cell that has more than this on the disk, or more files and folders, is ended as well: about
    # twice what is kept of a person, since their database is copied while it is saved.
    cell_disk_limit_mb: int = Field(default=2_560, ge=64)
    cell_files_limit: int = Field(default=20_000, ge=2_000)
    # Node and OpenClaw as `embedded.engine` or the image installed them.
    engine_dir: Path = PROJECT_DIR / ".engine"
    node_path: Path | None = None
    bwrap_path: Path | None = None
    # State and sockets of live cells; emptied when a worker starts. One folder a worker.
    cells_dir: Path = Path(gettempdir()) / "shellmate-cells"
    # The first of the unprivileged uids that cells run under, when the worker runs as root.
    cell_uid_base: int = 64000
    # Parsers of answers and of files that people send run in helper processes, under this uid when
    # the process that has them is root; so many at most, in each process, for words, for files and
    # for pages of the web.
    untrusted_uid: int = Field(default=63999, ge=1)
    untrusted_text_helpers: int = Field(default=4, ge=2)
    untrusted_file_helpers: int = Field(default=3, ge=2)
    untrusted_page_helpers: int = Field(default=2, ge=2)
    # "bwrap" has no cells without namespaces, "jail" none without a root of their own and without
    # every network closed; "uid" accepts separation by uid alone and then runs one person's cell at
    # a time; "auto" takes the best of them and says so in the log. "none" separates cells from
    # nothing: for a machine of one's own, and refused where others come in.
    sandbox: Literal["auto", "bwrap", "jail", "uid", "none"] = "auto"
    # The root of jailed cells, where an image brings one (agent.cells.host.jail); only its folder
    # `cells` has to be writable then. Unset, each worker makes its own below CELLS_DIR.
    jail_dir: Path | None = None
