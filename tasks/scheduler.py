"""The clock: sweeps, reminders, audits, scaling and payments (`python -m tasks.scheduler`).

Two clocks do no harm.
"""

import signal
import threading
import time
from queue import SimpleQueue

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions import reminders, stripe_backfill, task_runs
from gateways import logs
from models import database
from settings import get_settings
from tasks import analytics, audits, measuring, upkeep
from tasks.scaling import leader

log = structlog.get_logger()

PRUNE_SECONDS = 60.0
ROLLUP_SECONDS = 60.0
SCORE_SECONDS = 300.0
ANALYTICS_SECONDS = 60.0
REMINDER_SECONDS = 1.0


def run(over: threading.Event) -> None:
    """Sweep until `over` is set; what fails is tried again at the next tick."""
    settings = get_settings()
    next_audit = next_pruning = time.monotonic()
    while not over.wait(settings.sweep_seconds):
        try:
            upkeep.sweep()
            if time.monotonic() >= next_pruning:
                upkeep.prune()
                next_pruning = time.monotonic() + PRUNE_SECONDS
            if time.monotonic() >= next_audit:
                audits.audit()
                next_audit = time.monotonic() + settings.audit_seconds
        except SQLAlchemyError as error:
            log.warning("sweep.missed", error=str(error))
        except Exception:
            log.exception("sweep.failed")


def run_numbers(over: threading.Event) -> None:
    """Add the numbers up until `over` is set; what fails is tried again at the next tick."""
    next_scores = time.monotonic()
    while True:
        try:
            upkeep.roll_up()
            upkeep.gather_events()
            if time.monotonic() >= next_scores:
                upkeep.score_abuse()
                next_scores = time.monotonic() + SCORE_SECONDS
        except SQLAlchemyError as error:
            log.warning("rollup.missed", error=str(error))
        except Exception:
            log.exception("rollup.failed")
        if over.wait(ROLLUP_SECONDS):
            return


def run_analytics(over: threading.Event) -> None:
    """Hand events on until `over` is set; what fails is tried again at the next tick."""
    while True:
        try:
            analytics.forward()
        except SQLAlchemyError as error:
            log.warning("analytics.missed", error=str(error))
        except Exception:
            log.exception("analytics.failed")
        if over.wait(ANALYTICS_SECONDS):
            return


def run_reminders(over: threading.Event) -> None:
    """Fire what is due until `over` is set; what fails is tried again at the next tick."""
    while not over.is_set():
        fired = 0
        try:
            fired = reminders.fire_due()
        except SQLAlchemyError as error:
            log.warning("reminders.missed", error=str(error))
        except Exception:
            log.exception("reminders.failed")
        if fired < reminders.FIRED_AT_ONCE:
            over.wait(REMINDER_SECONDS)


def run_tasks(over: threading.Event) -> None:
    """Begin tasks that are due, and tell of those that are over, until `over` is set."""
    while not over.wait(REMINDER_SECONDS):
        try:
            while task_runs.begin_due() == task_runs.AT_ONCE:
                pass
            task_runs.tell_over()
        except SQLAlchemyError as error:
            log.warning("tasks.missed", error=str(error))
        except Exception:
            log.exception("tasks.failed")


def run_money(over: threading.Event) -> None:
    """Look after payments until `over` is set; what fails is tried again at the next tick."""
    settings, next_audit = get_settings(), time.monotonic()
    while True:
        try:
            stripe_backfill.reconcile()
            # After it: what only had not been told yet is no finding.
            if settings.sells_credits and time.monotonic() >= next_audit:
                audits.audit_at_stripe()
                next_audit = time.monotonic() + settings.audit_seconds
        except SQLAlchemyError as error:
            log.warning("backfill.missed", error=str(error))
        except Exception:
            log.exception("backfill.failed")
        if over.wait(settings.reconcile_seconds):
            return


def over_at_a_signal() -> threading.Event:
    """Return what SIGTERM and SIGINT set from now on."""
    over, asked = threading.Event(), SimpleQueue[int]()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        # A handler runs in the middle of whatever the main thread does, which may be waiting for
        # the event: its lock would never come free. This kind of queue has none to wait for.
        signal.signal(wanted, lambda number, _frame: asked.put(number))

    def follow() -> None:
        asked.get()
        over.set()

    threading.Thread(target=follow, name="signals", daemon=True).start()
    return over


def main() -> None:
    settings = get_settings()
    logs.configure(settings)
    database.connect(settings.database_url.get_secret_value(), pool_size=6)
    over = over_at_a_signal()
    # By itself: it asks Stripe, which may take its time, and no lease waits for that.
    threading.Thread(target=run_money, args=(over,), name="money", daemon=True).start()
    # A backlog takes its time too.
    threading.Thread(target=run_numbers, args=(over,), name="numbers", daemon=True).start()
    # The network may take its time.
    if settings.posthog_key is not None:
        threading.Thread(target=run_analytics, args=(over,), name="analytics", daemon=True).start()
    # So are these: a sweep that takes long makes no reminder late.
    threading.Thread(target=run_reminders, args=(over,), name="reminders", daemon=True).start()
    threading.Thread(target=run_tasks, args=(over,), name="tasks", daemon=True).start()
    if settings.log_format == "json":
        # For machines; nobody at a terminal reads them.
        threading.Thread(target=measuring.run, args=(over,), name="measuring", daemon=True).start()
    if settings.ecs_worker_service:
        # A burst waits for nothing else.
        given = (over, settings)
        threading.Thread(target=leader.run, args=given, name="scaling", daemon=True).start()
    run(over)


if __name__ == "__main__":
    main()
