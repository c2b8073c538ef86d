"""Updates as they come from Telegram, and bodies that never do."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Malformed
from channels.inbound import (
    ButtonPressed,
    CommandGiven,
    FileKind,
    GroupJoined,
    Inbound,
    InboundFile,
    MessageArrived,
    MessageEdited,
    ReachChanged,
    Sender,
    Unsupported,
)
from channels.inbound import Update as ChannelUpdate
from telegram_bot.parsing import MOST_BYTES, parse
from tests.telegram_bot.updates import (
    ADA,
    ADA_ID,
    BOT,
    CHAT,
    GROUP,
    NUMBER,
    body_of,
    member,
    message,
    press,
    update,
)

WRITER = Sender(account_id=str(ADA_ID), address=str(ADA_ID), name="Ada Lovelace", language="en-GB")
SIZES = [
    {"file_id": "small", "file_unique_id": "s", "width": 90, "height": 60, "file_size": 1_000},
    {"file_id": "large", "file_unique_id": "l", "width": 900, "height": 600, "file_size": 90_000},
    {"file_id": "middle", "file_unique_id": "m", "width": 320, "height": 213},
]
FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 1_000}
PLACE = {"latitude": 52.5163, "longitude": 13.3777}
VIDEO = {**FILE, "width": 1, "height": 1, "duration": 1}
ANIMATION = {**VIDEO, "file_name": "a.mp4", "mime_type": "video/mp4"}
# The library wants more of it, and will want other things next year.
POLL = {"id": "1", "question": "?"}
STICKER = {
    **FILE,
    "width": 1,
    "height": 1,
    "is_animated": False,
    "is_video": False,
    "type": "regular",
    "emoji": "👍",
}


def inbound_of(given: Any, username: str | None = None) -> Inbound:
    (found,) = parse(body_of(given), username)
    assert (found.external_id, found.number) == (str(NUMBER), NUMBER)
    # It can be written down and read back.
    assert ChannelUpdate.model_validate_json(found.model_dump_json()) == found
    return found.inbound


def arrived(**fields: Any) -> MessageArrived:
    found = inbound_of(update(message=message(**fields)))
    assert isinstance(found, MessageArrived)
    assert (found.sender, found.message_id) == (WRITER, "42")
    return found


def test_words_arrive_with_who_wrote_them() -> None:
    assert arrived(text="Hi *there*\n😀") == MessageArrived(
        sender=WRITER, message_id="42", written_at=1_790_000_000, text="Hi *there*\n😀"
    )


@pytest.mark.parametrize(
    ("text", "cut_at"),
    [
        *(("a" * 2048, None), ("a" * 2049, "\n"), ("a" * 4096, ""), ("\U0001f600" * 1024, None)),
        *(("\U0001f600" * 1025, "\n"), ("a" + "\U0001f600" * 2047, ""), ("a" * 4095, "\n")),
    ],
)
def test_what_an_app_may_have_cut_goes_on(text: str, cut_at: str | None) -> None:
    assert arrived(text=text).cut_at == cut_at
    # What is forwarded was a message before.
    assert (
        arrived(
            text=text, forward_origin={"type": "hidden_user", "date": 1, "sender_user_name": "Eve"}
        ).cut_at
        is None
    )


def test_of_a_photo_the_largest_size_is_taken() -> None:
    found = arrived(photo=SIZES, caption="A cat", media_group_id="1357")
    assert found.files == (
        InboundFile(
            id="large",
            kind=FileKind.PHOTO,
            name="photo-42.jpg",
            media_type="image/jpeg",
            size_bytes=90_000,
        ),
    )
    assert (found.text, found.group_id) == ("A cat", "1357")
    moving = {**VIDEO, "photo": SIZES}
    assert arrived(live_photo=moving).files == found.files


def test_a_document_has_its_name_and_kind_as_far_as_they_can_be_kept() -> None:
    (file,) = arrived(document={**FILE, "file_name": "r.pdf", "mime_type": "application/PDF"}).files
    assert (file.kind, file.name, file.media_type) == (
        FileKind.DOCUMENT,
        "r.pdf",
        "application/pdf",
    )
    odd = {"file_id": "f", "file_unique_id": "u", "file_name": "../a\n\u202eb", "mime_type": "<x>"}
    (file,) = arrived(document={**odd, "file_size": -5}).files
    assert (file.name, file.media_type) == ("ab", "application/octet-stream")
    assert file.size_bytes is None


def test_what_was_said_is_heard() -> None:
    (voice,) = arrived(voice={**FILE, "duration": 3, "mime_type": "audio/ogg"}).files
    assert (voice.kind, voice.name, voice.media_type) == (FileKind.VOICE, "voice.ogg", "audio/ogg")
    assert (voice.size_bytes, voice.duration_seconds) == (1_000, 3)
    audio = {**FILE, "duration": 200, "file_name": "talk.m4a", "mime_type": "audio/mp4"}
    (sound,) = arrived(audio=audio).files
    assert (sound.kind, sound.name, sound.media_type) == (FileKind.VOICE, "talk.m4a", "audio/mp4")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"video": VIDEO}, Unsupported.VIDEO),
        ({"animation": ANIMATION, "document": ANIMATION}, Unsupported.VIDEO),
        ({"video_note": {**FILE, "length": 9, "duration": 1}}, Unsupported.VIDEO_NOTE),
        ({"poll": POLL}, Unsupported.POLL),
        ({"story": {"chat": CHAT, "id": 1}}, Unsupported.OTHER),
        ({"sticker": {**STICKER, "emoji": None}}, Unsupported.OTHER),
        # What is newer than the library.
        ({"hologram": {"id": 1}}, Unsupported.OTHER),
        ({}, Unsupported.OTHER),
    ],
)
def test_what_cannot_be_taken_says_so(fields: dict[str, Any], kind: Unsupported) -> None:
    found = arrived(**fields)
    assert (found.unsupported, found.files, found.text) == (kind, (), "")


def test_a_video_may_have_words() -> None:
    found = arrived(video=VIDEO, caption="Look")
    assert (found.unsupported, found.text) == (Unsupported.VIDEO, "Look")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sticker": STICKER}, "👍"),
        ({"dice": {"value": 4, "emoji": "🎲"}}, "🎲 4"),
        ({"location": PLACE}, "📍 52.516300, 13.377700"),
        (
            {"venue": {"location": PLACE, "title": "Gate", "address": "Pariser Platz"}},
            "📍 Gate, Pariser Platz (52.516300, 13.377700)",
        ),
        ({"contact": {"phone_number": "+49 30 1", "first_name": "Bob"}}, "👤 Bob, +49 30 1"),
    ],
)
def test_what_is_no_file_is_told_in_words(fields: dict[str, Any], words: str) -> None:
    found = arrived(**fields)
    assert (found.text, found.unsupported) == (words, None)


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ({"type": "user", "sender_user": {**ADA, "first_name": "Bob"}}, "Bob Lovelace"),
        ({"type": "hidden_user", "sender_user_name": " Eve \n X "}, "Eve X"),
        ({"type": "hidden_user", "sender_user_name": ""}, "hidden user"),
        ({"type": "chat", "sender_chat": GROUP}, "A group"),
        (
            {"type": "channel", "chat": {**GROUP, "type": "channel"}, "message_id": 3},
            "A group",
        ),
    ],
)
def test_it_is_known_whose_words_are_forwarded(origin: dict[str, Any], name: str) -> None:
    found = arrived(text="/new or not", forward_origin={**origin, "date": 1})
    assert (found.forwarded_from, found.text) == (name, "/new or not")


def test_a_reply_says_what_it_replies_to() -> None:
    before = {**message(text="The answer."), "from": BOT, "message_id": 40}
    found = arrived(text="Why?", reply_to_message=before)
    assert (found.replies_to_id, found.replies_to_text) == ("40", "The answer.")
    quoted = arrived(text="Why?", reply_to_message=before, quote={"text": "answer", "position": 4})
    assert (quoted.replies_to_id, quoted.replies_to_text) == ("40", "answer")
    elsewhere = {"origin": {"type": "hidden_user", "sender_user_name": "Eve", "date": 1}}
    other = arrived(text="Hm", external_reply=elsewhere, quote={"text": "said", "position": 0})
    assert (other.replies_to_id, other.replies_to_text) == (None, "said")
    picture = {**message(photo=SIZES, caption="Cat"), "message_id": 39}
    assert arrived(text="?", reply_to_message=picture).replies_to_text == "Cat"


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("/new", "new", ""),
        ("/NEW", "new", ""),
        ("/start a-B_1", "start", "a-B_1"),
        ("/model@TestsBot  gpt x \n", "model", "gpt x"),
        ("/model@testsbot", "model", ""),
        ("/limits\n5", "limits", "5"),
        (f"/new {'x' * 512}", "new", "x" * 512),
    ],
)
def test_a_command_has_a_name_and_an_argument(text: str, name: str, argument: str) -> None:
    found = inbound_of(update(message=message(text=text)), "TestsBot")
    assert found == CommandGiven(sender=WRITER, message_id="42", name=name, argument=argument)


@pytest.mark.parametrize(
    "text",
    [
        *("/new@OtherBot", "/", "/ new", "//new", "/usr/bin/env", "/é", " /new", "say /new"),
        *(f"/{'x' * 33}", "/new-thing", "1/2", f"/new {'x' * 513}"),
    ],
)
def test_what_only_looks_like_a_command_is_words(text: str) -> None:
    found = inbound_of(update(message=message(text=text)), "TestsBot")
    assert isinstance(found, MessageArrived)
    assert found.text == text


def test_without_the_bots_name_a_command_to_any_bot_is_ours() -> None:
    assert isinstance(inbound_of(update(message=message(text="/new@AnyBot"))), CommandGiven)


def test_words_and_captions_are_changed_and_a_moving_place_is_not() -> None:
    changed = {"edit_date": 1_790_000_001}
    for fields in ({"text": "/new"}, {"photo": SIZES, "caption": "/new"}):
        found = inbound_of(update(edited_message=message(**fields, **changed)))
        assert found == MessageEdited(sender=WRITER, message_id="42", text="/new")
    moved = update(edited_message=message(location=PLACE, **changed))
    assert parse(body_of(moved)) == []
    assert parse(body_of(update(edited_message=message(text="x", chat=GROUP)))) == []


def test_a_press_names_its_button_and_message() -> None:
    expected = ButtonPressed(
        sender=WRITER, message_id="41", data="stop:1", press_id="4382bfdwdsb323b2d9"
    )
    assert inbound_of(press()) == expected
    # An old message is told of by its number alone.
    assert inbound_of(press(message={"message_id": 41, "date": 0, "chat": CHAT})) == expected


@pytest.mark.parametrize(
    "given",
    [
        press(data=None),
        press(message=None, inline_message_id="1"),
        press(message={"message_id": 41, "date": 0, "chat": GROUP}),
    ],
)
def test_a_press_of_no_button_of_ours_is_of_no_concern(given: Any) -> None:
    assert parse(body_of(given)) == []


def test_who_blocks_us_cannot_be_reached_until_they_let_us_again() -> None:
    assert inbound_of(member("kicked")) == ReachChanged(sender=WRITER, is_reachable=False)
    assert inbound_of(member("member")) == ReachChanged(sender=WRITER, is_reachable=True)


@pytest.mark.parametrize(
    ("given", "is_in"),
    [
        (member("member", chat=GROUP), True),
        (member("administrator", chat=GROUP), True),
        (member("restricted", chat=GROUP, is_member=True), True),
        (member("restricted", chat=GROUP, is_member=False), False),
        (member("left", chat=GROUP), False),
        (member("kicked", chat=GROUP), False),
        (member("member", chat={**GROUP, "type": "channel"}), True),
        (update(message=message(chat=GROUP, text="hi")), True),
        (update(message=message(chat={**GROUP, "type": "group"}, text="/start")), True),
        (update(message=message(chat=GROUP, new_chat_members=[BOT])), True),
        (update(message=message(chat=GROUP, left_chat_member=BOT)), False),
        (update(message=message(chat={**GROUP, "type": "channel"}, text="x")), False),
        (update(message=message(chat={**GROUP, "type": "planet"}, text="x")), False),
    ],
)
def test_in_a_group_all_that_counts_is_that_we_are_in_it(given: Any, is_in: bool) -> None:
    if is_in:
        assert inbound_of(given) == GroupJoined(address=str(GROUP["id"]))
    else:
        assert parse(body_of(given)) == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"channel_post": message(chat={**GROUP, "type": "channel"}, text="x")},
        {"inline_query": {"id": "1", "from": ADA, "query": "", "offset": ""}},
        {"poll": POLL},
        {"poll": "broken, and nobody minds"},
        {"what_comes_next_year": {"a": [1]}},
        {"message": message(pinned_message=message(text="x"))},
        {"message": message(message_auto_delete_timer_changed={"message_auto_delete_time": 5})},
        {"message": {**message(text="I am a bot"), "from": BOT}},
        {"message": None},
    ],
    ids=lambda given: repr(given)[:60],
)
def test_what_is_of_no_concern_is_nothing(given: dict[str, Any]) -> None:
    assert parse(body_of(update(**given))) == []


def test_what_cannot_be_kept_is_left_out_and_what_is_too_long_is_cut() -> None:
    found = arrived(text="a\x00b\ud800c" + "x" * 40_000)
    assert found.text == "abc" + "x" * 29_997
    writer = {**ADA, "first_name": "A\x00" + "b" * 500, "language_code": "e" * 90}
    long = inbound_of(update(message={**message(text="x"), "from": writer}))
    assert isinstance(long, MessageArrived)
    assert long.sender.name == "A" + "b" * 199
    assert long.sender.language == "e" * 35


@pytest.mark.parametrize("number", [2**31, 2**52, 2**62])
def test_ids_need_more_than_32_bits(number: int) -> None:
    chat, writer = {**CHAT, "id": -number}, {**ADA, "id": number}
    given = {**message(text="x", message_id=number), "chat": chat, "from": writer}
    (found,) = parse(body_of({"update_id": number, "message": given}))
    assert found.number == number
    assert isinstance(found.inbound, MessageArrived)
    assert found.inbound.message_id == str(number)
    assert found.inbound.sender.address == f"-{number}"
    assert found.inbound.sender.account_id == str(number)


NUMBERS: tuple[Any, ...] = ("1", 1.5, True, None, [], -1, 2**63)
MESSAGES: tuple[Any, ...] = (1, "x", [1], {"text": "x"}, {"message_id": 1, "date": 1})
FIELDS_OF_MESSAGES: tuple[tuple[str, Any], ...] = (
    *(("message_id", "42"), ("message_id", None), ("message_id", 2**70)),
    *(("date", "now"), ("date", 10**30), ("date", [])),
    *(("chat", 1), ("chat", {}), ("chat", {"id": "me", "type": "private"})),
    *(("chat", {"id": 2**70, "type": "private"}), ("chat", None)),
    *(("from", None), ("from", 7), ("from", {"id": 1}), ("from", {**ADA, "id": "1"})),
    *(("from", {**ADA, "id": False}), ("from", {**ADA, "first_name": {"a": 1}})),
    *(("text", 5), ("text", ["x"]), ("text", {"text": "x"})),
    *(("photo", "x"), ("photo", [{}]), ("photo", [{**SIZES[0], "width": "9"}, SIZES[1]])),
    *(("document", {**FILE, "file_id": "f" * 513}), ("document", [])),
    *(("media_group_id", 5), ("sticker", []), ("media_group_id", "g" * 65)),
    *(("reply_to_message", 1), ("quote", {"text": 5, "position": 0})),
    *(("forward_origin", {"type": "user", "date": 1}), ("forward_origin", 3)),
)
HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"update_id=1",
    "half": body_of(update(message=message(text="x")))[:-20],
    "no UTF-8": b'{"update_id": 1, "message": "\xff\xfe"}',
    "zeros": b"\x00" * 100,
    "deep lists": b"[" * 500_000,
    "deep objects": b'{"a":' * 100_000,
    "a deep message": b'{"update_id":1,"message":' + b'{"reply_to_message":' * 40_000,
    "too large": b" " * (MOST_BYTES + 1),
    "a long number": b'{"update_id": ' + b"9" * 100_000 + b"}",
    "not a number": b'{"update_id": NaN}',
    "infinity": b'{"update_id": 1, "message": Infinity}',
    "a list": b"[]",
    "a word": b'"update"',
    "null": b"null",
    "no number": body_of({"message": message(text="x")}),
    **{
        f"the number {number!r}": body_of({"update_id": number, "message": message(text="x")})
        for number in NUMBERS
    },
    **{f"a message that is {given!r}": body_of(update(message=given)) for given in MESSAGES},
    **{
        f"with {name} as {value!r}"[:70]: body_of(
            update(message={**message(text="x"), name: value})
        )
        for name, value in FIELDS_OF_MESSAGES
    },
    "a place that is words": body_of(
        update(message=message(location={"latitude": "here", "longitude": "there"}))
    ),
    "a place that is no number": body_of(
        update(message=message(location={"latitude": float("nan"), "longitude": 1}))
    ),
    "an edit of a number": body_of(update(edited_message=message(text=5))),
    "a press of too much": body_of(press(data="x" * 65)),
    "a press of a number": body_of(press(data=5)),
    "a press by nobody": body_of(press(**{"from": None})),
    "a press with a long id": body_of(press(id="x" * 129)),
    "a member of nothing": body_of(update(my_chat_member={"chat": CHAT})),
    "a member without a status": body_of(member("member", new_chat_member={"user": BOT})),
    "a member that is a list": body_of(update(my_chat_member=[])),
    "a member that is a number": body_of(member("member", new_chat_member=5)),
    "everything at once": body_of(update(message=1, edited_message=2, callback_query=3)),
}

assert len(HOSTILE) >= 30


@pytest.mark.parametrize("name", HOSTILE)
def test_what_telegram_never_sends_is_malformed(name: str) -> None:
    with pytest.raises(Malformed) as raised:
        parse(HOSTILE[name])
    # Somebody's words may be in it, and would be in a log.
    assert len(str(raised.value)) < 40
    assert raised.value.__cause__ is None


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *("message_id", "date", "chat", "from", "text", "caption", "photo", "document", "voice"),
        *("audio", "sticker", "location", "venue", "contact", "reply_to_message", "quote"),
        *("forward_origin", "media_group_id", "entities", "poll", "dice", "video", "animation"),
    ]
)


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(FIELDS, JSON, max_size=3), st.sampled_from(["message", "edited_message"]))
def test_any_shape_is_read_or_malformed_and_nothing_else(fields: dict[str, Any], kind: str) -> None:
    body = json.dumps(update(**{kind: {**message(text="x"), **fields}})).encode()
    try:
        found = parse(body)
    except Malformed:
        return
    assert len(found) <= 1


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed_and_nothing_else(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body)
