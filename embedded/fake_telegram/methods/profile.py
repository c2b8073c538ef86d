"""What the bot is, and its menu of commands."""

import re
from typing import Any, cast

from embedded.fake_telegram.errors import Body, bad_request
from embedded.fake_telegram.given import Given
from embedded.fake_telegram.messenger import Messenger

MOST_COMMANDS, LONGEST_DESCRIPTION = 100, 256
NAME = re.compile(r"[a-z0-9_]{1,32}")


class Profile:
    """Methods about the bot itself."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger

    def get_me(self, _: Given) -> Body:
        return {
            **self._messenger.bot.as_user(),
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def set_my_commands(self, given: Given) -> bool:
        raw = given.parsed("commands", "commands")
        if not isinstance(raw, list):
            raise bad_request("expected an Array of BotCommand")
        commands = [_command(one) for one in cast(list[Any], raw)]
        if len(commands) > MOST_COMMANDS:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        self._messenger.store.put("commands", _scope(given), commands)
        for person in self._messenger.people():
            self._messenger.show_state(person["id"])
        return True

    def get_my_commands(self, given: Given) -> list[Body]:
        return self._messenger.store.find("commands", _scope(given)) or []

    def delete_my_commands(self, given: Given) -> bool:
        self._messenger.store.remove("commands", _scope(given))
        return True


def _command(raw: Any) -> Body:
    if not isinstance(raw, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    asked = cast(Body, raw)
    name = str(asked.get("command", "")).removeprefix("/")
    if not NAME.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    description = str(asked.get("description", "")).strip()
    if not 1 <= len(description) <= LONGEST_DESCRIPTION:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


def _scope(given: Given) -> str:
    """Return for whom commands are, and in which language."""
    raw: Any = given.parsed("scope", "BotCommandScope")
    raw = raw or {}
    if not isinstance(raw, dict):
        raise bad_request("can't parse BotCommandScope: BotCommandScope must be an Object")
    scope = cast(Body, raw)
    kind = str(scope.get("type", "default"))
    if "chat_id" in scope:
        kind = f"{kind}:{scope['chat_id']}"
    return f"{kind}/{given.text('language_code')}"
