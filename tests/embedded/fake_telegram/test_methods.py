"""Each method of the Bot API by Telegram's own library for Python, over a socket."""

import struct
import zlib
from io import BytesIO
from typing import Any

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
    Update,
)

from tests.embedded.fake_telegram.conftest import Do
from tests.embedded.fake_telegram.served import (
    BOT_ID,
    HTTP,
    TOKEN,
    USERNAME,
    Person,
    ServedTelegram,
)

KEYBOARD = InlineKeyboardMarkup(
    [
        [InlineKeyboardButton("Stop", callback_data="stop:1")],
        [InlineKeyboardButton("Open", url="http://127.0.0.1:8000/chat")],
    ]
)


def png(width: int = 3, height: int = 2) -> bytes:
    """A small picture."""

    def _chunk(name: bytes, content: bytes) -> bytes:
        end = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + end

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x40" * width) * height)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_the_bot_says_who_it_is(bot: Bot, do: Do[Any]) -> None:
    me = do(bot.get_me())
    assert (me.id, me.username, me.first_name, me.is_bot) == (BOT_ID, USERNAME, "Shellmate", True)
    assert me.can_join_groups
    assert not me.can_read_all_group_messages


def test_what_a_person_writes_comes_as_an_update(bot: Bot, ada: Person, do: Do[Any]) -> None:
    ada.say("Hello, see https://example.org.")
    started, said = do(bot.get_updates(timeout=5))
    assert started.message.text == "/start"
    assert started.message.entities[0].type == "bot_command"
    assert said.update_id == started.update_id + 1
    message = said.message
    assert (message.chat.id, message.chat.type, message.from_user.id) == (ada.id, "private", ada.id)
    assert message.from_user.first_name == "Ada"
    assert message.from_user.language_code == "en"
    assert message.parse_entity(message.entities[0]) == "https://example.org"
    assert said.update_id + 1 > 0
    assert do(bot.get_updates(offset=said.update_id + 1)) == ()


def test_a_message_is_sent_with_its_looks_its_buttons_and_what_it_answers(
    bot: Bot, ada: Person, do: Do[Any]
) -> None:
    asked = ada.say("How?")
    sent = do(
        bot.send_message(
            ada.id,
            "So 👍 it is",
            entities=[MessageEntity("bold", 3, 2), MessageEntity("pre", 6, 5, language="py")],
            reply_markup=KEYBOARD,
            reply_parameters=ReplyParameters(asked["message_id"]),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )
    )
    assert sent.text == "So 👍 it is"
    assert sent.parse_entities() == {sent.entities[0]: "👍", sent.entities[1]: "it is"}
    assert sent.entities[1].language == "py"
    assert sent.reply_to_message.text == "How?"
    assert sent.reply_markup == KEYBOARD
    assert sent.link_preview_options.is_disabled
    assert (sent.from_user.id, sent.chat.id) == (BOT_ID, ada.id)
    assert ada.messages()[-1]["text"] == "So 👍 it is"


def test_a_message_grows_by_edits_and_goes(bot: Bot, ada: Person, do: Do[Any]) -> None:
    sent = do(bot.send_message(ada.id, "Think", reply_markup=KEYBOARD))
    place: dict[str, Any] = {"chat_id": ada.id, "message_id": sent.message_id}
    edited = do(bot.edit_message_text("Thinking", **place, reply_markup=KEYBOARD))
    assert (edited.text, edited.message_id) == ("Thinking", sent.message_id)
    assert edited.edit_date >= sent.date
    # Without its buttons in the call they are gone.
    assert do(bot.edit_message_text("Thought.", **place)).reply_markup is None
    assert do(bot.edit_message_reply_markup(**place, reply_markup=KEYBOARD)).text == "Thought."
    assert ada.messages()[-1]["reply_markup"]["inline_keyboard"][0][0]["text"] == "Stop"
    assert do(bot.delete_message(**place))
    assert [one["text"] for one in ada.messages()] == ["/start"]


def test_drafts_and_typing_are_shown_and_no_messages(bot: Bot, ada: Person, do: Do[Any]) -> None:
    def shown() -> dict[str, Any]:
        return next(chat for chat in ada.state()["chats"] if chat["chat"]["id"] == ada.id)

    assert do(bot.send_chat_action(ada.id, "typing"))
    assert 0 < shown()["typing_seconds"] <= 5
    assert do(bot.send_message_draft(ada.id, 7, "So far"))
    assert (shown()["draft"]["draft_id"], shown()["draft"]["text"]) == (7, "So far")
    assert do(bot.send_message_draft(ada.id, 7))
    assert shown()["draft"]["text"] == ""
    assert len(shown()["messages"]) == 1
    do(bot.send_message(ada.id, "Done."))
    assert shown()["draft"] is None
    assert shown()["typing_seconds"] == 0


def test_a_press_is_an_update_that_is_answered_once(
    bot: Bot, telegram: ServedTelegram, ada: Person, do: Do[Any]
) -> None:
    sent = do(bot.send_message(ada.id, "Going on", reply_markup=KEYBOARD))
    press = ada.press(sent.message_id, "stop:1")
    update: Update = do(bot.get_updates(offset=-1))[0]
    query = update.callback_query
    assert query
    assert query.message
    assert (query.id, query.data, query.from_user.id) == (press, "stop:1", ada.id)
    assert query.message.message_id == sent.message_id
    assert do(bot.answer_callback_query(query.id, "Stopped.", show_alert=True))
    answer = telegram.journal(ada.id)["answers"][0]
    assert (answer["press_id"], answer["text"], answer["is_alert"]) == (press, "Stopped.", True)


def test_files_that_the_bot_sends_arrive(bot: Bot, ada: Person, do: Do[Any]) -> None:
    photo = do(bot.send_photo(ada.id, png(), caption="A chart", reply_markup=KEYBOARD))
    assert (photo.photo[-1].width, photo.photo[-1].height) == (3, 2)
    assert photo.caption == "A chart"
    named = InputFile(BytesIO(b"a,b\n1,2\n"), "table.csv")
    document = do(bot.send_document(ada.id, named))
    assert (document.document.file_name, document.document.file_size) == ("table.csv", 8)
    again = do(bot.send_document(ada.id, document.document.file_id, caption="Once more"))
    assert again.document.file_name == "table.csv"
    kinds = [{"photo", "document"} & set(one) for one in ada.messages()[1:]]
    assert kinds == [{"photo"}, {"document"}, {"document"}]


def test_an_album_is_several_messages_of_one_group(bot: Bot, ada: Person, do: Do[Any]) -> None:
    pictures = [InputMediaPhoto(png(2, 2), caption="Both"), InputMediaPhoto(png(4, 4))]
    sent = do(bot.send_media_group(ada.id, pictures))
    assert len(sent) == 2
    assert len({one.media_group_id for one in sent}) == 1
    assert [one.caption for one in sent] == ["Both", None]
    named = InputFile(b"a", "a.txt", attach=True)
    files = [InputMediaDocument(named), InputMediaDocument(b"b")]
    names = [one.document.file_name for one in do(bot.send_media_group(ada.id, files))]
    assert names[0] == "a.txt"


def test_what_people_send_can_be_fetched(bot: Bot, ada: Person, do: Do[Any]) -> None:
    ada.send("photo", ("me.png", png(30, 20), "image/png"), caption="Me")
    ada.send("document", ("plan.pdf", b"%PDF-1.7 plan", "application/pdf"))
    photo, document = do(bot.get_updates(offset=-2))
    sizes = photo.message.photo
    assert [(one.width, one.height) for one in sizes] == [(90, 60), (30, 20)]
    file = do(bot.get_file(sizes[-1].file_id))
    assert bytes(do(file.download_as_bytearray())) == png(30, 20)
    # The small one is another picture, so that nobody takes it for the real one unnoticed.
    small = do(do(bot.get_file(sizes[0].file_id)).download_as_bytearray())
    assert bytes(small) != png(30, 20)
    assert photo.message.caption == "Me"
    told = document.message.document
    assert (told.file_name, told.mime_type, told.file_size) == ("plan.pdf", "application/pdf", 13)
    assert bytes(do(do(told.get_file()).download_as_bytearray())) == b"%PDF-1.7 plan"


def test_an_album_of_a_person_comes_as_several_updates(bot: Bot, ada: Person, do: Do[Any]) -> None:
    files = [(f"{at}.png", png(at + 1, 9), "image/png") for at in range(3)]
    ada.send("album", *files, caption="Three")
    updates = do(bot.get_updates(offset=-3))
    assert len({one.message.media_group_id for one in updates}) == 1
    assert [one.message.caption for one in updates] == ["Three", None, None]
    assert [one.message.photo[-1].width for one in updates] == [1, 2, 3]


def test_a_voice_note_says_in_its_file_what_is_heard(bot: Bot, ada: Person, do: Do[Any]) -> None:
    ada.send("voice", words="Erinnere mich morgen früh")
    voice = do(bot.get_updates(offset=-1))[0].message.voice
    assert voice.mime_type == "audio/wav"
    assert 1 <= voice.duration <= 30
    heard = bytes(do(do(voice.get_file()).download_as_bytearray()))
    assert heard[:4] == b"RIFF"
    assert int.from_bytes(heard[4:8], "little") == len(heard) - 8
    comment = heard[heard.index(b"ICMT") :]
    length = int.from_bytes(comment[4:8], "little")
    assert comment[8 : 8 + length].rstrip(b"\0").decode() == "Erinnere mich morgen früh"


def test_a_recording_keeps_its_sound_and_gets_the_words(bot: Bot, ada: Person, do: Do[Any]) -> None:
    ada.send("voice", words="first")
    recorded = bytes(
        do(do(do(bot.get_updates(offset=-1))[0].message.voice.get_file()).download_as_bytearray())
    )
    ada.send("voice", ("v.wav", recorded, "audio/wav"), words="second")
    voice = do(bot.get_updates(offset=-1))[0].message.voice
    heard = bytes(do(do(voice.get_file()).download_as_bytearray()))
    assert heard.startswith(b"RIFF")
    assert recorded[12:] in heard
    assert b"second" in heard


def test_all_else_that_people_send_has_telegrams_shape(bot: Bot, ada: Person, do: Do[Any]) -> None:
    ada.send("location", latitude=52.5, longitude=13.4)
    ada.send("contact", first_name="Grace", phone_number="+15550123")
    ada.send("sticker", emoji="🎉")
    ada.send("video_note")
    ada.send("text", text="As Alan said", forwarded_from="Alan Turing")
    place, contact, sticker, film, forwarded = (
        one.message for one in do(bot.get_updates(offset=-5))
    )
    assert (place.location.latitude, place.location.longitude) == (52.5, 13.4)
    assert (contact.contact.first_name, contact.contact.phone_number) == ("Grace", "+15550123")
    assert sticker.sticker.emoji == "🎉"
    assert film.video_note.length == 240
    assert forwarded.forward_origin.sender_user_name == "Alan Turing"


def test_replies_and_edits_say_what_they_are_about(bot: Bot, ada: Person, do: Do[Any]) -> None:
    sent = do(bot.send_message(ada.id, "Which one?"))
    said = ada.say("The first", reply_to=sent.message_id)
    ada.edit(said["message_id"], "The second")
    new, edited = do(bot.get_updates(offset=-2))
    assert new.message.reply_to_message.text == "Which one?"
    assert new.message.reply_to_message.from_user.is_bot
    assert edited.edited_message.text == "The second"
    assert edited.edited_message.message_id == said["message_id"]
    assert edited.edited_message.edit_date


def test_a_long_text_of_a_person_comes_in_parts(bot: Bot, ada: Person, do: Do[Any]) -> None:
    words = "🙂" * 3000
    ada.send("text", text=words)
    parts = [one.message.text for one in do(bot.get_updates(offset=-2))]
    assert [len(part) for part in parts] == [2048, 952]
    assert "".join(parts) == words


def test_commands_are_kept_by_scope_and_language(bot: Bot, ada: Person, do: Do[Any]) -> None:
    assert do(bot.set_my_commands([BotCommand("new", "Begin anew")]))
    private = BotCommandScopeAllPrivateChats()
    german = [BotCommand("new", "Neu beginnen")]
    assert do(bot.set_my_commands(german, scope=private, language_code="de"))
    assert [one.description for one in do(bot.get_my_commands())] == ["Begin anew"]
    assert do(bot.get_my_commands(scope=private)) == ()
    (found,) = do(bot.get_my_commands(scope=private, language_code="de"))
    assert found.description == "Neu beginnen"
    assert ada.state()["bot"]["commands"] == [{"command": "new", "description": "Begin anew"}]
    assert do(bot.delete_my_commands())
    assert do(bot.delete_my_commands(scope=private, language_code="de"))
    assert do(bot.get_my_commands()) == ()


def test_the_bot_hears_of_groups_and_leaves_them(bot: Bot, ada: Person, do: Do[Any]) -> None:
    group = ada.make_group("Chess")
    joined, said = do(bot.get_updates(offset=-2))
    change = joined.my_chat_member
    assert (change.chat.id, change.chat.title, change.chat.type) == (group, "Chess", "group")
    assert (change.old_chat_member.status, change.new_chat_member.status) == ("left", "member")
    assert said.message.new_chat_members[0].id == BOT_ID
    # In a group it only hears what is meant for it.
    ada.say("Hello everybody", chat_id=group)
    ada.say(f"/help@{USERNAME}", chat_id=group)
    assert do(bot.get_updates(offset=-1))[0].message.text == f"/help@{USERNAME}"
    do(bot.send_message(group, "I only talk in private."))
    assert do(bot.leave_chat(group))
    assert do(bot.get_updates(offset=-1))[0].my_chat_member.new_chat_member.status == "left"
    last = ada.say("/help", chat_id=group)["message_id"]
    update = do(bot.get_updates(offset=-1))[0]
    assert update.message is None or update.message.message_id != last


def test_the_bot_hears_of_a_block_and_of_its_end(bot: Bot, ada: Person, do: Do[Any]) -> None:
    ada.block()
    ada.block(is_blocked=False)
    blocked, back = (one.my_chat_member for one in do(bot.get_updates(offset=-2)))
    assert (blocked.chat.id, blocked.from_user.id) == (ada.id, ada.id)
    assert (blocked.old_chat_member.status, blocked.new_chat_member.status) == ("member", "kicked")
    assert (back.old_chat_member.status, back.new_chat_member.status) == ("kicked", "member")


def test_calls_may_be_forms_addresses_or_json(telegram: ServedTelegram, ada: Person) -> None:
    address = f"{telegram.url}/bot{TOKEN}"
    by_address = HTTP.get(f"{address}/sendMessage", params={"chat_id": ada.id, "text": "1"})
    by_form = HTTP.post(f"{address}/SENDMESSAGE", data={"chat_id": ada.id, "text": "2"})
    by_parts = HTTP.post(
        f"{address}/sendmessage", files={"chat_id": (None, f"{ada.id}"), "text": (None, "3")}
    )
    by_json = telegram.call("sendMessage", chat_id=ada.id, text="4", entities=[])
    for answer in (by_address, by_form, by_parts, by_json):
        assert answer.json()["ok"], answer.text
    assert [one["text"] for one in ada.messages()[1:]] == ["1", "2", "3", "4"]


def test_only_inline_keyboards_are_drawn(telegram: ServedTelegram, ada: Person) -> None:
    refused = telegram.call(
        "sendMessage", chat_id=ada.id, text="?", reply_markup=ForceReply().to_dict()
    )
    assert refused.status_code == 400
    assert "inline keyboards" in refused.json()["description"]
