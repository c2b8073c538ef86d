"""The embedded stack as a library: the services alone, or the whole product on top of them.

with Services(Path(".test-data")) as services:
    use(services.environment())

with Stack(Path(".data"), port=0) as stack:
    use(stack.url)
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from pydantic import ValidationError

from embedded import fakes, postgres, product
from embedded.console import Console
from embedded.data_folder import DataFolder
from embedded.engine import PROJECT_DIR, is_installed, wanted_name
from embedded.errors import CannotStart
from embedded.ports import LOCALHOST
from embedded.process import Program, wait_done, wait_ready
from embedded.processes import end_recorded
from embedded.programs import node_path
from embedded.push_key import vapid_key
from embedded.stores import BUCKET, prepare_object_store, prepare_valkey
from embedded.supervisor import Supervisor
from embedded.web_port import take_port
from settings import Settings

READY_SECONDS = 60.0
MIGRATION_SECONDS = 300.0
STOP_ORDER = (
    *("web", "bot", "clock", "worker", "messaging", "engine"),
    *("mailbox", "telegram", "google", "example-web", "stripe", "demo", "s3", "valkey", "postgres"),
)


class Services:
    """PostgreSQL, Valkey, S3 and the demo model on a data folder, and their addresses.

    Entering raises CannotStart with a sentence for the person, and then has left nothing running.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        engine_dir: Path | None = None,
        stream: TextIO | None = None,
        is_kept: bool = True,
    ) -> None:
        """Use `data_dir` and print on `stream`; what is not kept is removed when it stops."""
        self.folder = DataFolder(data_dir)
        self.console = Console(self.folder.logs, stream)
        self.supervisor = Supervisor(self.folder, self.console)
        self.engine_dir = (engine_dir or PROJECT_DIR / ".engine").absolute()
        self._is_kept = is_kept
        self._environment: dict[str, str] = {}
        self._undo = ExitStack()

    @classmethod
    def for_one_run(cls, parent: Path) -> Self:
        """Return services on a fresh folder in `parent` that goes when they stop.

        Folders of runs that were killed go first. Several runs may go on side by side.
        """
        for left in parent.glob("run-*"):
            with suppress(CannotStart), DataFolder(left).held():
                end_recorded(left / "processes.json")
                _remove(DataFolder(left))
        return cls(parent / f"run-{os.getpid()}", is_kept=False)

    def __enter__(self) -> Self:
        try:
            self._hold()
            self.start()
        except BaseException as error:
            # Told why, it leaves no folder that was made for nothing.
            self._undo.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()

    def _hold(self) -> None:
        """Take the folder, and note what is to be undone at the end, last things first."""
        self._undo.enter_context(self.folder.held())
        if not self._is_kept:
            self._undo.callback(_remove, self.folder)
        self._undo.callback(self._remove_cells)
        self._undo.callback(self.supervisor.close, STOP_ORDER)
        self.supervisor.open()

    def start(self) -> None:
        """Start what this stack is made of and return when it works."""
        self.console.say("starting PostgreSQL, Valkey, S3, the demo model and the mailbox")
        # What is thrown away afterwards need not survive a power cut, and is faster so.
        database = postgres.prepare(self.folder, is_durable=self._is_kept)
        valkey = prepare_valkey(self.folder)
        objects = prepare_object_store(self.folder)
        demo_port = self.folder.port("demo")
        demo = product.demo_model(demo_port)
        smtp_port, mailbox_port = self.folder.port("smtp"), self.folder.port("mailbox")
        token = self.folder.secret("mailbox")
        mailbox = product.mailbox(self.folder.path / "mailbox", smtp_port, mailbox_port, token)
        programs = (database.program(), valkey.program(), objects.program(), demo, mailbox)
        for child in [self.supervisor.start(program) for program in programs]:
            wait_ready(child, READY_SECONDS)
        database.create_database()
        self._environment = {
            "SECRET_KEY": self.folder.secret("secret_key"),
            "DATABASE_URL": database.url,
            "REDIS_URL": valkey.url,
            "S3_ENDPOINT_URL": objects.url,
            "S3_ACCESS_KEY_ID": objects.access_key,
            "S3_SECRET_ACCESS_KEY": objects.secret_key,
            "S3_BUCKET": BUCKET,
            "DEMO_MODEL_URL": f"http://{LOCALHOST}:{demo_port}",
            "SMTP_URL": f"smtp+plain://{LOCALHOST}:{smtp_port}",
            "MAILBOX_URL": f"http://{LOCALHOST}:{mailbox_port}/{token}",
            "ENGINE_DIR": str(self.engine_dir),
            "NODE_PATH": str(node_path()),
            "CELLS_DIR": str(self.cells_dir("worker")),
        }

    def environment(self) -> dict[str, str]:
        """Return the settings that lead to these services, by their environment names."""
        return dict(self._environment)

    def cells_dir(self, worker: str) -> Path:
        """Return the folder for a worker's cells.

        Its path is short, since those of sockets have a limit, and lies outside the data folder,
        which the cells' accounts may not be able to reach.
        """
        return Path(tempfile.gettempdir()) / f"shellmate-{self.folder.short_id()}-{worker}"

    def _remove_cells(self) -> None:
        if not self.folder.has_credentials():
            return
        of_any_worker = self.cells_dir("*")
        for left in of_any_worker.parent.glob(of_any_worker.name):
            shutil.rmtree(left, ignore_errors=True)


class Stack(Services):
    """The whole product on the services: web, a worker, the clock, and the engine's installer.

    Entering returns when the web answers. The engine is installed meanwhile.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        engine_dir: Path | None = None,
        stream: TextIO | None = None,
        is_kept: bool = True,
    ) -> None:
        """Serve on `port` of 127.0.0.1 (0: any free one); `settings` win over the stack's own."""
        super().__init__(data_dir, engine_dir=engine_dir, stream=stream, is_kept=is_kept)
        self._wanted_port = port
        self._settings = dict(settings or {})
        self.workers: list[str] = []
        # The page of the stand-in for Telegram, when there is one.
        self._phone = ""
        self.port = port

    @property
    def url(self) -> str:
        return f"http://{LOCALHOST}:{self.port}"

    def start(self) -> None:
        """Start everything and return when the web answers."""
        listener = self._undo.enter_context(take_port(self._wanted_port))
        self.port = int(listener.getsockname()[1])
        super().start()
        read = self._complete_environment()
        self._start_fakes(read)
        if not read.vapid_private_key:
            self._environment.setdefault("VAPID_PRIVATE_KEY", vapid_key(self.folder))
        self.console.say("bringing the database to its newest shape")
        migrated = self.supervisor.start(product.migrations(self._environment))
        wait_done(migrated, MIGRATION_SECONDS)
        self.console.say("starting the website")
        web = product.web(self._environment, listener.fileno(), self.port)
        wait_ready(self.supervisor.start(web), READY_SECONDS)
        self.console.say(f"{read.product_name} is ready: {self.url}")
        if "MAILBOX_URL" in self._environment:
            self.console.say(f"its mail can be read here: {self._environment['MAILBOX_URL']}")
        if self._phone:
            self.console.say(f"a phone to try its Telegram bot on is here: {self._phone}/")
        self.add_worker()
        self.supervisor.start(product.clock(self._environment))
        if self._has_telegram(read):
            self.supervisor.start(product.telegram_bot(self._environment))
        self.supervisor.start(product.messaging(self._environment))
        self._install_engine()

    def add_worker(self) -> str:
        """Start a further worker with an empty disk of its own and return its name."""
        number = len(self.workers) + 1
        name = "worker" if number == 1 else f"worker-{number}"
        self.workers.append(name)
        self.supervisor.start(self._worker(name))
        return name

    def _worker(self, name: str) -> Program:
        return product.worker(self._environment, name, self.cells_dir(name))

    def _start_fakes(self, read: Settings) -> None:
        """Start what stands in for companies that no setting leads to, and lead the product there.

        Some are for a machine of one's own alone: there anybody may be anybody.
        """
        public_url = self._environment.get("PUBLIC_URL", read.public_url)
        is_own = read.model_copy(update={"public_url": public_url}).is_on_own_machine
        if read.stripe_secret_key is None and "STRIPE_SECRET_KEY" not in self._environment:
            self._start_fake(fakes.stripe(self.folder, self.url))
        if is_own and read.google_client_id is None and "GOOGLE_CLIENT_ID" not in self._environment:
            self._start_fake(fakes.google(self.folder))
        if is_own and not self._has_search(read):
            self._start_fake(fakes.made_up_web(self.folder))
        if is_own and not self._has_telegram(read):
            telegram = fakes.telegram(self.folder, read.product_name)
            self._start_fake(telegram)
            self._phone = telegram.settings["TELEGRAM_LINK_BASE"]

    def _start_fake(self, fake: fakes.Fake) -> None:
        wait_ready(self.supervisor.start(fake.program), READY_SECONDS)
        self._environment |= fake.settings

    def _has_search(self, read: Settings) -> bool:
        keys = (read.brave_search_api_key, read.exa_api_key, read.searxng_base_url)
        names = ("BRAVE_SEARCH_API_KEY", "EXA_API_KEY", "SEARXNG_BASE_URL")
        return any(keys) or any(name in self._environment for name in names)

    def _has_telegram(self, read: Settings) -> bool:
        return read.telegram_bot_token is not None or "TELEGRAM_BOT_TOKEN" in self._environment

    def _complete_environment(self) -> Settings:
        """Add what the product needs beside the services; return the settings as far as they go.

        Raises CannotStart when a setting given from outside is not valid.
        """
        self._environment |= {"LOG_FORMAT": "console", **self._settings}
        required = ("secret_key", "database_url", "redis_url")
        given = {name: self._environment[name.upper()] for name in required}
        try:
            read = Settings(_env_file=PROJECT_DIR / ".env", **given)  # pyright: ignore[reportCallIssue]
        except ValidationError as refused:
            first = refused.errors()[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            raise CannotStart(f"The setting {name} is not valid: {first['msg']}.") from refused
        if "public_url" not in read.model_fields_set:
            self._environment.setdefault("PUBLIC_URL", self.url)
        # A mail server of the person's own comes without a page of ours.
        if (read.smtp_url or read.mail_by_ses) and read.mailbox_url is None:
            del self._environment["SMTP_URL"], self._environment["MAILBOX_URL"]
        return read

    def _install_engine(self) -> None:
        if is_installed(self.engine_dir):
            self.console.say(f"the assistant engine is there: {wanted_name()}")
            return
        self.console.say("the assistant engine is being installed; the site works meanwhile")
        self.supervisor.start(product.engine(self.engine_dir))


def _remove(folder: DataFolder) -> None:
    postgres.forget(folder)
    shutil.rmtree(folder.path, ignore_errors=True)
