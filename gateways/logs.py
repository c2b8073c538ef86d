"""How every process of ours writes its log: JSON lines, or colours for a person at a terminal."""

import logging
import sys

import structlog

from gateways import error_reports
from settings import Settings

# Libraries that tell what our own lines tell better.
QUIET = (
    "httpx",
    "httpx2",
    "botocore",
    "boto3",
    "urllib3",
    "aiohttp.access",
    "dramatiq.broker",
    "stripe",
)


def configure(settings: Settings) -> None:
    """Send structlog's and the standard library's records to stdout in one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_last(settings))
    )
    root = logging.getLogger()
    reports = error_reports.install(settings)
    root.handlers[:] = [handler, reports] if reports else [handler]
    root.setLevel(settings.log_level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _last(settings: Settings) -> list[structlog.typing.Processor]:
    drop_own_fields = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if settings.log_format == "json":
        return [
            drop_own_fields,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    return [drop_own_fields, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]
