"""Where dramatiq starts a worker: wires the settings, the database and the cells together."""

from typing import Any

import dramatiq
from dramatiq.middleware import Middleware

from actions.broker import get_broker
from gateways import logs
from models import database
from settings import get_settings
from tasks.worker import process
from tasks.worker.process import WorkerProcess

# Importing the actors registers them with the broker.
from tasks.worker.answering import answer_later, begin  # isort: skip
from tasks.worker.forgetting import forget  # isort: skip
from tasks.mailing import send_mail  # isort: skip
from tasks.pushing import send_pushes  # isort: skip
from actions.automatic_charges import top_up  # isort: skip
from actions.bulk_jobs import work_off  # isort: skip
from actions.admin_refunds import ask_stripe  # isort: skip
from tasks.worker.prewarm import warm  # isort: skip

__all__ = [
    "answer_later",
    "ask_stripe",
    "forget",
    "send_mail",
    "send_pushes",
    "top_up",
    "warm",
    "work_off",
]


class Cells(Middleware):
    """Boots the cells when a worker process starts, and ends them when it stops."""

    def after_process_boot(self, broker: Any) -> None:
        """Connect after the fork, which connections do not survive, before the first wake-up."""
        settings = get_settings()
        logs.configure(settings)
        database.connect(settings.database_url.get_secret_value())
        working = WorkerProcess(settings, begin)
        process.enter(working)
        working.start()

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """Claim nothing more; what runs may go on for a while."""
        process.current_process().drain(get_settings().worker_drain_seconds)

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        process.current_process().stop()


_broker = get_broker()
_broker.add_middleware(Cells())
dramatiq.set_broker(_broker)
