"""Brings updates to the web.

python -m telegram_bot            asks Telegram for them, until it is told to end
python -m telegram_bot webhook    has Telegram send them to PUBLIC_URL from now on, and exits
"""

import signal
import sys
import threading

import structlog

from channels.base import ChannelFailed
from gateways import logs
from settings import Settings, get_settings
from telegram_bot.bot import TelegramChannel
from telegram_bot.polling import Poller, Route, TelegramAway

log = structlog.get_logger()

PATH = "/channels/telegram"
ENDS = {signal.SIGTERM, signal.SIGINT}


def main(arguments: list[str]) -> int:
    """Do as the arguments say; return the exit code."""
    if arguments not in ([], ["webhook"]):
        sys.stderr.write(__doc__ or "")
        return 2
    settings = get_settings()
    logs.configure(settings)
    if not (settings.telegram_bot_token and settings.telegram_webhook_secret):
        log.error("telegram.not_set_up", needs="TELEGRAM_BOT_TOKEN and TELEGRAM_WEBHOOK_SECRET")
        return 2
    channel = TelegramChannel(settings)
    if arguments == ["webhook"]:
        return _set_webhook(channel, settings)
    _poll(channel, settings)
    return 0


def _set_webhook(channel: TelegramChannel, settings: Settings) -> int:
    url = settings.public_url.rstrip("/") + PATH
    try:
        channel.set_webhook(url)
        channel.set_menu()
    except ChannelFailed as failed:
        log.error("telegram.webhook_not_set", url=url, error=str(failed))
        return 1
    finally:
        channel.close()
    log.info("telegram.webhook_set", url=url)
    return 0


def _poll(channel: TelegramChannel, settings: Settings) -> None:
    # Blocked, so that only the wait below takes them, and no call is interrupted.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    poller = Poller(_route(channel, settings), lambda: _prepare(channel))
    threading.Thread(target=poller.run, name="polling", daemon=True).start()
    log.info("telegram.polling")
    signal.sigwait(ENDS)
    poller.finish()
    log.info("telegram.polling_ended")


def _route(channel: TelegramChannel, settings: Settings) -> Route:
    secret = settings.telegram_webhook_secret
    origin = settings.web_origin or settings.public_url
    return Route(
        updates_url=channel.api.url("getUpdates"),
        web_url=origin.rstrip("/") + PATH,
        secret=secret.get_secret_value() if secret else "",
        timeout_seconds=settings.telegram_timeout_seconds,
    )


def _prepare(channel: TelegramChannel) -> None:
    """Have updates kept for us, and show the menu, without which all works too."""
    try:
        channel.delete_webhook()
    except ChannelFailed as failed:
        raise TelegramAway(str(failed), failed.retry_after_seconds or 0) from None
    try:
        channel.set_menu()
    except ChannelFailed as failed:
        log.warning("telegram.menu_not_set", error=str(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
