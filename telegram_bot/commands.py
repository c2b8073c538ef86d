"""What is set up with Telegram once: the menu of commands, and where updates go."""

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import Bot, BotCommand

from telegram_bot.api import BotApi
from telegram_bot.parsing import KINDS

# So many updates may be on their way to the web at once.
CONNECTIONS = 40


@dataclass(frozen=True)
class Command:
    """An entry of the menu: a name without its slash, and what it does in a few words."""

    name: str
    description: str


# In the menu of every chat with the bot, whatever its user speaks: what `actions.channels.notices`
# says of them in English. A test holds the two together.
MENU = (
    Command("new", "Begin a new conversation"),
    Command("stop", "Stop the answer"),
    Command("model", "Choose the model that answers"),
    Command("reminders", "See your reminders"),
    Command("usage", "See what you have spent"),
    Command("limits", "See what may be spent"),
    Command("unlink", "Disconnect this chat"),
    Command("help", "See what can be done here"),
)


def set_menu(api: BotApi, menu: Sequence[Command]) -> None:
    """Show these commands, and no others, in the menu of every chat. Raises ChannelFailed."""
    commands = [BotCommand(one.name, one.description) for one in menu]
    api.call(lambda bot: bot.set_my_commands(commands))


def set_webhook(api: BotApi, url: str, secret: str) -> None:
    """Have updates sent to an address, with the secret in a header. Raises ChannelFailed."""

    async def set_it(bot: Bot) -> bool:
        return await bot.set_webhook(
            url,
            secret_token=secret,
            allowed_updates=list(KINDS),
            max_connections=CONNECTIONS,
        )

    api.call(set_it)


def delete_webhook(api: BotApi) -> None:
    """Have updates kept until they are asked for. Raises ChannelFailed."""
    api.call(lambda bot: bot.delete_webhook())
