"""How each part of the product is started: the same entry points as in production."""

import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import serve
from embedded.engine import PROJECT_DIR
from embedded.environ import environ
from embedded.ports import LOCALHOST
from embedded.process import Program
from embedded.stores import is_listening

# A worker lets running turns finish for its drain time (a setting, 20 s) and then ends its cells.
WORKER_STOP_SECONDS = 45.0
OPEN_STREAMS_SECONDS = 3
# No load balancer is in front, and a stop need not wait for long.
KEEP_ALIVE_SECONDS = 2

Environment = Mapping[str, str]


def demo_model(port: int) -> Program:
    """The model that answers when no provider's key is given."""
    return Program(
        name="demo",
        command=(sys.executable, "-m", "embedded.demo_model", "--port", str(port)),
        environment=_with({}),
        directory=PROJECT_DIR,
        is_ready=lambda: is_listening(port),
        is_quiet=True,
    )


def mailbox(folder: Path, smtp_port: int, port: int, token: str) -> Program:
    """Takes the mail when no other server is named, and shows it to who knows the token."""
    ports = ("--smtp-port", str(smtp_port), "--port", str(port))
    return Program(
        name="mailbox",
        command=(sys.executable, "-m", "embedded.mailbox", *ports, "--folder", str(folder)),
        environment=_with({"MAILBOX_TOKEN": token}),
        directory=PROJECT_DIR,
        is_ready=lambda: is_listening(smtp_port) and is_listening(port),
        is_quiet=True,
    )


def fake_stripe(port: int, secret: str, data: Path, webhook_url: str) -> Program:
    """What takes the payments when no key of Stripe is given."""
    flags = ("--port", str(port), "--data", str(data), "--webhook-url", webhook_url)
    return Program(
        name="stripe",
        command=(sys.executable, "-m", "embedded.fake_stripe", *flags),
        environment=_with({"STRIPE_WEBHOOK_SECRET": secret}),
        directory=PROJECT_DIR,
        is_ready=lambda: is_listening(port),
        is_quiet=True,
    )


def fake_google(port: int, client_id: str, secret: str) -> Program:
    """What signs people in with made-up accounts when no client of Google is given."""
    flags = ("--port", str(port), "--client-id", client_id)
    return Program(
        name="google",
        command=(sys.executable, "-m", "embedded.fake_google", *flags),
        environment=_with({"GOOGLE_CLIENT_SECRET": secret}),
        directory=PROJECT_DIR,
        is_ready=lambda: is_listening(port),
        is_quiet=True,
    )


def fake_telegram(port: int, tokens: Environment, data: Path, name: str) -> Program:
    """What people write to the bot on when no token of Telegram is given."""
    flags = ("--port", str(port), "--data", str(data), "--name", name)
    return Program(
        name="telegram",
        command=(sys.executable, "-m", "embedded.fake_telegram", *flags),
        environment=_with(tokens),
        directory=PROJECT_DIR,
        is_ready=lambda: is_listening(port),
        is_quiet=True,
    )


def fake_web(port: int) -> Program:
    """What the assistant searches and reads when no key of a search engine is given."""
    return Program(
        name="example-web",
        command=(sys.executable, "-m", "embedded.fake_web", "--port", str(port)),
        environment=_with({}),
        directory=PROJECT_DIR,
        is_ready=lambda: is_listening(port),
        is_quiet=True,
    )


def migrations(settings: Environment) -> Program:
    """Bring the database to the newest shape."""
    return Program(
        name="migrate",
        command=serve.migrate(),
        environment=_with(settings),
        directory=PROJECT_DIR,
        is_task=True,
        is_quiet=True,
    )


def web(settings: Environment, listener: int, port: int) -> Program:
    """The website, on a socket that the supervisor already holds."""
    return Program(
        name="web",
        command=serve.web(
            f"fd://{listener}",
            open_requests_seconds=OPEN_STREAMS_SECONDS,
            keep_alive_seconds=KEEP_ALIVE_SECONDS,
        ),
        environment=_with(settings),
        directory=PROJECT_DIR,
        is_ready=lambda: _answers(f"http://{LOCALHOST}:{port}/healthz"),
        inherits=(listener,),
    )


def worker(settings: Environment, name: str, cells_dir: Path) -> Program:
    """A worker process with its own cells. The name tells several of one stack apart."""
    return Program(
        name=name,
        command=serve.worker(),
        environment=_with({**settings, "CELLS_DIR": str(cells_dir)}),
        directory=PROJECT_DIR,
        stop_seconds=WORKER_STOP_SECONDS,
    )


def clock(settings: Environment) -> Program:
    """Sweeps for what was lost."""
    return Program(
        name="clock",
        command=serve.clock(),
        environment=_with(settings),
        directory=PROJECT_DIR,
    )


def telegram_bot(settings: Environment) -> Program:
    """Asks Telegram for what people wrote, and hands it to the website."""
    return Program(
        name="bot",
        command=(sys.executable, "-m", "telegram_bot"),
        environment=_with(settings),
        directory=PROJECT_DIR,
    )


def messaging(settings: Environment) -> Program:
    """Fetches what came in from messengers, and sends what goes out to them."""
    return Program(
        name="messaging",
        command=serve.messaging(),
        environment=_with(settings),
        directory=PROJECT_DIR,
    )


def engine(engine_dir: Path) -> Program:
    """Installs the assistant engine; the worker notices by itself when it is there."""
    return Program(
        name="engine",
        command=(sys.executable, "-m", "embedded.engine", "--engine-dir", str(engine_dir)),
        environment=_with({}),
        directory=PROJECT_DIR,
        stop_signal=signal.SIGTERM,
        is_task=True,
    )


def _with(settings: Environment) -> dict[str, str]:
    return {**environ(), "PYTHONUNBUFFERED": "1", **settings}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310  # our own address
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
