"""Publishes the numbers that alarms watch; of several clocks one does it."""

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateways import metrics
from models.database import unit_of_work
from models.ops import gauges
from models.ops.leadership import NUMBERS, Leadership

log = structlog.get_logger()

SECONDS = 10.0


def run(over: threading.Event) -> None:
    """Publish until `over` is set. While nothing can be counted nothing is said: an alarm hears."""
    leadership = Leadership(NUMBERS)
    while not over.wait(SECONDS):
        try:
            if leadership.is_ours():
                publish()
        except SQLAlchemyError as error:
            log.warning("metrics.missed", error=str(error))
        except Exception:
            log.exception("metrics.failed")
    leadership.give_up()


def publish() -> None:
    """Count once, and say it."""
    with unit_of_work() as db:
        seen = gauges.read(db)
    metrics.publish(vars(seen))
