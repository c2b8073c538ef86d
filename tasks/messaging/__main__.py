"""`python -m tasks.messaging`: runs a messaging process until it is told to end."""

import structlog

from channels import registry
from gateways import logs
from models import database
from settings import get_settings
from tasks.messaging.process import THREADS, MessagingProcess
from tasks.scheduler import over_at_a_signal
from telegram_bot import channels_of

log = structlog.get_logger()


def main() -> None:
    settings = get_settings()
    logs.configure(settings)
    database.connect(settings.database_url.get_secret_value(), pool_size=10, overflow=THREADS)
    registry.install(channels_of(settings))
    over = over_at_a_signal()
    channels = {channel.name: channel for channel in registry.installed()}
    log.info("messaging.begun", channels=list(channels))
    MessagingProcess(channels).run(over)


if __name__ == "__main__":
    main()
