"""What the Bot API refuses, in Telegram's words and shape, and its limits."""

from typing import Any

import pytest
from telegram import Bot, MessageEntity
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter

from tests.embedded.fake_telegram.conftest import Do, made_bot
from tests.embedded.fake_telegram.served import BOT_ID, HTTP, TOKEN, Person, ServedTelegram
from tests.embedded.fake_telegram.test_methods import png

NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


def refused(telegram: ServedTelegram, method: str, **values: Any) -> str:
    """Call a method and return the words with which it is refused as a bad request."""
    answer = telegram.call(method, **values)
    told = answer.json()
    assert (answer.status_code, told["error_code"], told["ok"]) == (400, 400, False), told
    assert told["description"].startswith("Bad Request: ")
    return told["description"].removeprefix("Bad Request: ")


def buttons(*rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"inline_keyboard": list(rows)}


@pytest.mark.parametrize(
    ("token", "status", "words"),
    [
        (f"{BOT_ID}:guessed", 401, "Unauthorized"),
        ("1:a", 401, "Unauthorized"),
        ("nothing", 404, "Not Found"),
    ],
)
def test_only_who_knows_the_token_is_served(
    telegram: ServedTelegram, token: str, status: int, words: str, do: Do[Any]
) -> None:
    answer = HTTP.post(f"{telegram.url}/bot{token}/getMe")
    assert (answer.status_code, answer.json()["description"]) == (status, words)
    file = HTTP.get(f"{telegram.url}/file/bot{token}/photos/file_1.png")
    assert file.status_code == status
    with pytest.raises(InvalidToken):
        do(made_bot(telegram, token).get_me())


def test_an_unknown_method_is_not_found(telegram: ServedTelegram) -> None:
    answer = telegram.call("sendMessages")
    told = {"ok": False, "error_code": 404, "description": "Not Found: method not found"}
    assert (answer.status_code, answer.json()) == (404, told)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": " \n\t"}, "text must be non-empty"),
        ({"text": "x" * 4097}, "message is too long"),
        # Sixteen-bit units count, so that this is 4,098.
        ({"text": "🙂" * 2049}, "message is too long"),
        ({"text": "x" * 40_000}, "text is too long"),
        ({"text": "x", "chat_id": 5}, "chat not found"),
        ({"text": "x", "chat_id": ""}, "chat_id is empty"),
        ({"text": "x", "chat_id": "@somebody"}, "chat not found"),
        (
            {"text": "x", "reply_parameters": {"message_id": 9**9}},
            "message to be replied not found",
        ),
        ({"text": "x", "reply_parameters": "{"}, "can't parse reply parameters JSON object"),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [3]}},
            'field "inline_keyboard" must be an Array of Arrays',
        ),
        (
            {"text": "x", "reply_markup": buttons([{"text": "a", "callback_data": "é" * 33}])},
            "BUTTON_DATA_INVALID",
        ),
        (
            {"text": "x", "reply_markup": buttons([{"text": "a"}])},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"text": "x", "reply_markup": buttons([{"text": "a", "url": "javascript://alert"}])},
            "inline keyboard button URL 'javascript://alert' is invalid: Unsupported URL protocol",
        ),
        (
            {"text": "x", "reply_markup": buttons([{"text": " ", "callback_data": "a"}])},
            "inline keyboard button text must be non-empty",
        ),
        ({"text": "x", "link_preview_options": "3"}, "object expected as link preview options"),
    ],
)
def test_messages_that_are_refused(
    telegram: ServedTelegram, ada: Person, values: dict[str, Any], words: str
) -> None:
    assert refused(telegram, "sendMessage", **{"chat_id": ada.id, **values}) == words
    assert len(ada.messages()) == 1


def test_the_longest_texts_go(telegram: ServedTelegram, ada: Person) -> None:
    for text in ("x" * 4096, "🙂" * 2048, f"  {'x' * 4096}  "):
        assert telegram.call("sendMessage", chat_id=ada.id, text=text).json()["ok"]
    data = buttons([{"text": "a", "callback_data": "é" * 32}])
    sent = telegram.call("sendMessage", chat_id=ada.id, text="a", reply_markup=data).json()
    assert sent["result"]["reply_markup"] == data


def test_markup_is_not_parsed_and_says_so(telegram: ServedTelegram, ada: Person) -> None:
    for mode in ("HTML", "MarkdownV2"):
        words = refused(telegram, "sendMessage", chat_id=ada.id, text="<b>x</b>", parse_mode=mode)
        assert "takes entities and parses no markup" in words


def test_edits_that_are_refused(
    telegram: ServedTelegram, ada: Person, bot: Bot, do: Do[Any]
) -> None:
    keyboard = buttons([{"text": "a", "callback_data": "a"}])
    entities = [{"type": "bold", "offset": 0, "length": 2}]
    looks = {"text": "So far", "entities": entities, "reply_markup": keyboard}
    sent = telegram.call("sendMessage", chat_id=ada.id, **looks).json()["result"]
    own = {"chat_id": ada.id, "message_id": sent["message_id"]}
    photo = do(bot.send_photo(ada.id, png()))
    asked = ada.say("Mine")

    def edited(**values: Any) -> str:
        return refused(telegram, "editMessageText", **{**own, **looks, **values})

    assert f"Bad Request: {edited()}" == NOT_MODIFIED
    assert edited(text="") == "message text is empty"
    assert edited(text="x" * 4097, entities=[]) == "MESSAGE_TOO_LONG"
    assert edited(message_id=999_999) == "message to edit not found"
    assert edited(message_id=asked["message_id"]) == "message can't be edited"
    assert edited(message_id=photo.message_id) == "there is no text in the message to edit"
    assert edited(message_id="") == "message identifier is not specified"
    again = refused(telegram, "editMessageReplyMarkup", **own, reply_markup=keyboard)
    assert f"Bad Request: {again}" == NOT_MODIFIED
    # Any difference will do.
    changes: list[dict[str, Any]] = [{"entities": []}, {"text": "So!"}, {"reply_markup": None}]
    for values in changes:
        changed = telegram.call("editMessageText", **{**own, **looks, **values})
        assert changed.status_code == 200, changed.text
    telegram.call("deleteMessage", **own)
    assert edited(text="Late") == "message to edit not found"
    assert refused(telegram, "deleteMessage", **own) == "message to delete not found"


def test_nobody_elses_messages_can_be_changed(telegram: ServedTelegram, ada: Person) -> None:
    eve = telegram.eve()
    eve.start()
    sent = telegram.call("sendMessage", chat_id=ada.id, text="For Ada").json()["result"]
    place = {"chat_id": eve.id, "message_id": sent["message_id"]}
    assert refused(telegram, "editMessageText", **place, text="x") == "message to edit not found"
    assert eve.post("presses", message_id=sent["message_id"], data="a").status_code == 404
    assert eve.post("presses", **{**place, "chat_id": ada.id}, data="a").status_code == 404


def test_a_press_is_answered_once_and_in_time(telegram: ServedTelegram, ada: Person) -> None:
    keyboard = buttons([{"text": "a", "callback_data": "a"}])
    sent = telegram.call("sendMessage", chat_id=ada.id, text="x", reply_markup=keyboard).json()
    press = ada.press(sent["result"]["message_id"], "a")
    longest = refused(telegram, "answerCallbackQuery", callback_query_id=press, text="x" * 201)
    assert longest == "MESSAGE_TOO_LONG"
    assert telegram.call("answerCallbackQuery", callback_query_id=press).json()["result"]
    for odd in (press, "1", "nothing"):
        told = refused(telegram, "answerCallbackQuery", callback_query_id=odd)
        assert f"Bad Request: {told}" == TOO_OLD
    late = ada.press(sent["result"]["message_id"], "a")
    telegram.limit(press_seconds=0)
    told = refused(telegram, "answerCallbackQuery", callback_query_id=late)
    assert f"Bad Request: {told}" == TOO_OLD


def test_who_blocks_the_bot_hears_nothing(
    telegram: ServedTelegram, ada: Person, bot: Bot, do: Do[Any]
) -> None:
    ada.block()
    for going in (
        bot.send_message(ada.id, "Hello?"),
        bot.send_chat_action(ada.id, "typing"),
        bot.send_message_draft(ada.id, 1, "Hello?"),
        bot.send_photo(ada.id, png()),
    ):
        with pytest.raises(Forbidden, match="Forbidden: bot was blocked by the user"):
            do(going)
    assert telegram.call("sendMessage", chat_id=ada.id, text="x").status_code == 403
    # Nor do they write to it.
    assert ada.try_to_send("text", text="Hi").status_code == 403
    ada.block(is_blocked=False)
    assert do(bot.send_message(ada.id, "Hello."))


def test_nobody_is_written_to_who_never_wrote(telegram: ServedTelegram) -> None:
    stranger = telegram.person("Mallory")
    assert refused(telegram, "sendMessage", chat_id=stranger.id, text="Hi") == "chat not found"


def test_a_group_that_was_left_is_closed(telegram: ServedTelegram, ada: Person) -> None:
    group = ada.make_group()
    telegram.call("leaveChat", chat_id=group)
    answer = telegram.call("sendMessage", chat_id=group, text="x")
    words = "Forbidden: bot is not a member of the group chat"
    assert (answer.status_code, answer.json()["description"]) == (403, words)
    assert "private chats" in refused(telegram, "leaveChat", chat_id=ada.id)


def test_files_that_are_refused(
    telegram: ServedTelegram, ada: Person, bot: Bot, do: Do[Any]
) -> None:
    large = png() + bytes(10 * 1024 * 1024)
    cases: list[tuple[Any, str]] = [
        (large, f"file of size {len(large)} bytes is too big for a photo"),
        (b"no picture", "image_process_failed"),
        (png(9_999, 2), "photo_invalid_dimensions"),
        (png(100, 2), "photo_invalid_dimensions"),
        (b"", "file must be non-empty"),
        ("AgAC-unknown", "wrong remote file identifier specified"),
        ("https://example.org/a.png", "fetches no files"),
    ]
    for content, words in cases:
        with pytest.raises(BadRequest) as trouble:
            do(bot.send_photo(ada.id, content))
        assert words in str(trouble.value).lower()
    with pytest.raises(BadRequest, match="caption is too long"):
        do(bot.send_photo(ada.id, png(), caption="x" * 1025))
    too_large = HTTP.post(
        f"{telegram.url}/bot{TOKEN}/sendDocument",
        data={"chat_id": str(ada.id)},
        files={"document": ("a.bin", bytes(50 * 1024 * 1024 + 1))},
    )
    told = (too_large.status_code, too_large.json()["description"])
    assert told == (413, "Request Entity Too Large")
    assert len(ada.messages()) == 1


def test_albums_that_are_refused(telegram: ServedTelegram, ada: Person) -> None:
    def album(*kinds: str) -> str:
        media = [{"type": kind, "media": "attach://a"} for kind in kinds]
        return refused(telegram, "sendMediaGroup", chat_id=ada.id, media=media)

    assert "2-10" in album("photo")
    assert "2-10" in album(*["photo"] * 11)
    assert album("photo", "document") == ("can't use the media of the specified type in the album")
    assert album("photo", "photo").startswith("wrong remote file identifier")


def test_files_over_twenty_megabytes_are_not_handed_over(
    telegram: ServedTelegram, ada: Person
) -> None:
    film = ("film.mp4", b"film", "video/mp4")
    message = ada.send("document", film, size_bytes=20 * 1024 * 1024 + 1)[0]
    assert message["document"]["file_size"] > 20 * 1024 * 1024
    file_id = message["document"]["file_id"]
    assert refused(telegram, "getFile", file_id=file_id) == "file is too big"
    fits = ada.send("document", film, size_bytes=20 * 1024 * 1024)[0]["document"]["file_id"]
    assert telegram.call("getFile", file_id=fits).json()["ok"]
    assert refused(telegram, "getFile", file_id="guessed").startswith("wrong file_id")
    assert refused(telegram, "getFile") == "file_id not specified"
    lost = HTTP.get(f"{telegram.url}/file/bot{TOKEN}/documents/file_0.txt")
    assert (lost.status_code, lost.json()["description"]) == (404, "Not Found")


def test_commands_and_actions_that_are_refused(telegram: ServedTelegram, ada: Person) -> None:
    def command(**values: str) -> str:
        return refused(telegram, "setMyCommands", commands=[values])

    assert command(command="New", description="x") == "BOT_COMMAND_INVALID"
    assert command(command="new", description="") == "BOT_COMMAND_DESCRIPTION_INVALID"
    assert refused(telegram, "setMyCommands") == "expected an Array of BotCommand"
    action = refused(telegram, "sendChatAction", chat_id=ada.id, action="dance")
    assert action == "wrong parameter action in request"
    assert refused(telegram, "sendMessageDraft", chat_id=ada.id, text="x") == "RANDOM_ID_INVALID"


def test_who_sends_too_much_is_told_when_to_go_on(
    telegram: ServedTelegram, ada: Person, bot: Bot, do: Do[Any]
) -> None:
    eve = telegram.eve()
    eve.start()
    telegram.limit(per_second=0.2, burst=3)
    sent = do(bot.send_message(ada.id, "1"))
    do(bot.send_message(ada.id, "2"))
    do(bot.edit_message_text("1!", chat_id=ada.id, message_id=sent.message_id))
    with pytest.raises(RetryAfter):
        do(bot.send_message(ada.id, "3"))
    answer = telegram.call("editMessageText", chat_id=ada.id, message_id=sent.message_id, text="1?")
    seconds = answer.json()["parameters"]["retry_after"]
    assert answer.status_code == 429
    assert 1 <= seconds <= 5
    assert answer.json()["description"] == f"Too Many Requests: retry after {seconds}"
    # Each chat has a limit of its own, and typing has none.
    do(bot.send_message(eve.id, "1"))
    do(bot.send_chat_action(ada.id, "typing"))
    telegram.limit(per_second=1000, burst=3)
    do(bot.send_message(ada.id, "3"))
    assert [one["text"] for one in ada.messages()] == ["/start", "1!", "2", "3"]


def test_by_default_a_stream_of_edits_is_not_held_up(telegram: ServedTelegram, ada: Person) -> None:
    sent = telegram.call("sendMessage", chat_id=ada.id, text="0").json()["result"]["message_id"]
    place = {"chat_id": ada.id, "message_id": sent}
    answers = [telegram.call("editMessageText", **place, text=f"{at + 1}") for at in range(30)]
    assert {answer.status_code for answer in answers} == {200}


def test_telegrams_library_reads_all_of_it(ada: Person, bot: Bot, do: Do[Any]) -> None:
    with pytest.raises(BadRequest, match="Message text is empty"):
        do(bot.send_message(ada.id, ""))
    with pytest.raises(BadRequest, match="ends after the end of the text at utf-16 offset 9"):
        do(bot.send_message(ada.id, "Hello", entities=[MessageEntity("bold", 2, 7)]))
