"""What is made of texts and of their formatting."""

from typing import Any

import pytest

from embedded.fake_telegram.entities import formatted
from embedded.fake_telegram.errors import Refusal

AMIDST = (
    "entity beginning at UTF-16 offset {begin} ends in a middle of a UTF-16 symbol at byte "
    "offset {at}"
)


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


def part(text: str, of: dict[str, Any]) -> str:
    units = text.encode("utf-16-le")
    return units[2 * of["offset"] : 2 * (of["offset"] + of["length"])].decode("utf-16-le")


def refusal(text: str, *entities: Any) -> str:
    with pytest.raises(Refusal) as trouble:
        formatted(text, list(entities))
    return str(trouble.value).removeprefix("Bad Request: ")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (entity("bold", 9, 1), "entity begins after the end of the text at UTF-16 offset 9"),
        (
            entity("bold", 7, 2),
            "entity beginning at UTF-16 offset 7 ends after the end of the text at UTF-16 offset 9",
        ),
        (
            entity("bold", 4, 1),
            "entity begins in a middle of a UTF-16 symbol at byte offset 7",
        ),
        (
            entity("bold", 2, 2),
            AMIDST.format(begin=2, at=7),
        ),
        (entity("bold", -1, 2), "receive an entity with incorrect offset -1"),
        (entity("bold", 0, -2), "receive an entity with incorrect length -2"),
        (entity("bold", 2**40, 1), f"receive an entity with incorrect offset {2**40}"),
        (entity("loud", 0, 1), "can't parse MessageEntity: Unsupported type specified"),
        ({"type": "bold", "offset": 0}, "can't parse MessageEntity: Can't find field \"length\""),
        (entity("bold", True, 1), "can't parse MessageEntity: Can't find field \"offset\""),
        (3, "can't parse MessageEntity: expected an Object"),
        (entity("text_link", 0, 1), "can't parse MessageEntity: Can't find field \"url\""),
        (
            entity("text_link", 0, 1, url="javascript://x"),
            "entity URL 'javascript://x' is invalid: Unsupported URL protocol",
        ),
    ],
)
def test_entities_that_do_not_fit_are_refused(given: Any, words: str) -> None:
    # The smile has the offsets 3 and 4.
    assert refusal("abc🙂def", given) == words


def test_entities_must_be_a_list() -> None:
    with pytest.raises(Refusal, match="can't parse entities JSON object"):
        formatted("abc", {"type": "bold"})


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (entity("bold", 0, 4), entity("italic", 2, 4)),
        (entity("pre", 0, 6), entity("bold", 1, 2)),
        (entity("bold", 0, 6), entity("code", 1, 2)),
        (entity("blockquote", 0, 6), entity("expandable_blockquote", 1, 2)),
        (entity("text_link", 0, 6, url="a.org"), entity("text_link", 1, 2, url="b.org")),
        (entity("code", 0, 6), entity("bold", 0, 6)),
    ],
)
def test_what_may_not_overlap_is_refused(outer: dict[str, Any], inner: dict[str, Any]) -> None:
    for order in ([outer, inner], [inner, outer]):
        assert refusal("abcdef", *order).startswith("can't parse entities: ")


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (entity("bold", 0, 6), entity("italic", 1, 2)),
        (entity("bold", 0, 6), entity("italic", 0, 6)),
        (entity("blockquote", 0, 6), entity("code", 1, 2)),
        (entity("blockquote", 0, 6), entity("pre", 0, 6)),
        (entity("text_link", 0, 6, url="https://a.org/"), entity("bold", 0, 6)),
        (entity("spoiler", 0, 3), entity("strikethrough", 3, 3)),
    ],
)
def test_what_may_be_nested_or_side_by_side_stays(
    outer: dict[str, Any], inner: dict[str, Any]
) -> None:
    for order in ([outer, inner], [inner, outer]):
        _, kept = formatted("abcdef", order)
        assert sorted(one["type"] for one in kept) == sorted([outer["type"], inner["type"]])


def test_of_more_than_a_hundred_the_rest_is_dropped() -> None:
    _, kept = formatted("x" * 300, [entity("bold", 2 * at, 1) for at in range(150)])
    assert len(kept) == 100
    assert kept[-1]["offset"] == 198


def test_texts_are_cleaned_and_trimmed_and_entities_move_with_them() -> None:
    text, kept = formatted(
        " \n a\r\nb\u202ec\x07d \t", [entity("bold", 3, 1), entity("italic", 6, 3)]
    )
    assert text == "a\nbc d"
    assert kept == [entity("bold", 0, 1), entity("italic", 2, 2)]


def test_spaces_before_the_first_entity_alone_are_taken() -> None:
    text, kept = formatted("   x", [entity("pre", 1, 3, language="c")])
    assert text == "  x"
    assert kept == [entity("pre", 0, 3, language="c")]


def test_what_is_empty_in_the_end_is_left_out() -> None:
    assert formatted("a  ", [entity("bold", 1, 2), entity("italic", 0, 0)]) == ("a", [])


def test_a_text_must_be_unicode() -> None:
    assert refusal("a\ud83d") == "strings must be encoded in UTF-8"


def test_addresses_and_commands_are_found() -> None:
    text = "🙂 /new@shellmate_bot see https://a.org/b?c=1. Or write ada@example.org, @ada_l #fun"
    _, kept = formatted(text, None)
    found = {one["type"]: part(text, one) for one in kept}
    assert found == {
        "bot_command": "/new@shellmate_bot",
        "url": "https://a.org/b?c=1",
        "email": "ada@example.org",
        "mention": "@ada_l",
        "hashtag": "#fun",
    }


def test_nothing_is_found_in_code_and_links_and_a_bots_own_are_left_out() -> None:
    _, kept = formatted("https://a.org /b", [entity("code", 0, 13), entity("url", 0, 13)])
    assert [one["type"] for one in kept] == ["code", "bot_command"]
    assert formatted("and/or a/b 1/2", None)[1] == []
