"""Which passwords others would guess, and that judging one takes no time."""

import pytest

from models.people import users
from models.people.common_passwords import is_common
from models.schema.users import User
from settings import Settings
from tests import factories
from tests.processor import no_more_than

ABOUT = ("grace@example.org", "grace", "example.org", "example", "Shellmate")


@pytest.mark.parametrize(
    "password",
    [
        *("password", "Password1", "P@ssw0rd!", "letmein!!", "qwertyuiop", "iloveyou12"),
        *("12345678", "1234567890123", "87654321", "abcdefgh", "aaaaaaaa", "abababab"),
        *("passwordpassword", "ｐａｓｓｗｏｒｄ", "shellmate", "$hellmate99", "Shellmate1"),
        *("grace@example.org", "GRACE@EXAMPLE.ORG", "example.org", "gracegrace", "Grace123"),
    ],
)
def test_what_others_would_try_first_is_common(password: str) -> None:
    assert is_common(password, ABOUT)


@pytest.mark.parametrize(
    "password",
    [
        *(factories.PASSWORD, "a whole new sentence", "long enough", "wH7!kd92", "Grüße aus Köln"),
        *("sunshine8273645", "私の秘密の言葉です", "grace likes boats", "x7#mQ2!vLp"),
    ],
)
def test_what_they_would_not_is_none(password: str) -> None:
    assert not is_common(password, ABOUT)


@pytest.mark.parametrize(
    "password",
    [
        *("4@8({[<369!1|0$5+7%2" * 10, "ab" * 100, "1" * 199 + "x", ("a" * 19 + "b") * 10),
        *("\u0301" * 800, "\ufdfa" * 800, "!" * 200, "a1!" * 66),
    ],
)
def test_judging_takes_no_time_whatever_it_is(password: str) -> None:
    is_common("to read the list first", ABOUT)
    with no_more_than(0.05):
        is_common(password, ABOUT)


def test_a_letter_that_is_written_in_two_ways_is_one_letter(db: object, settings: Settings) -> None:
    assert settings
    hashed = users.hashed_new("Gru\u0308ße aus Köln", "grace@example.org")
    grace = User(email="grace@example.org", password_hash=hashed)
    users.check_password(grace, "Gr\u00fcße aus Köln")
    users.check_password(grace, "Gru\u0308ße aus Ko\u0308ln")
    with pytest.raises(users.WrongPassword):
        users.check_password(grace, "Grusse aus Köln")


def test_the_longest_password_is_not_proved_by_a_longer_one(settings: Settings) -> None:
    assert settings
    # Each is one letter that was typed as four characters.
    longest = "".join(f"{letter}\u0314\u0342\u0345" for letter in "αωη" * 66 + "αα")
    assert len(longest) == users.TYPED_MAX_LENGTH
    hashed = users.hashed_new(longest, "grace@example.org")
    grace = User(email="grace@example.org", password_hash=hashed)
    users.check_password(grace, longest)
    with pytest.raises(users.WrongPassword):
        users.check_password(grace, longest + "x")


@pytest.mark.parametrize("password", ["e\u0301" * 7, "e\u0301" * 201, "e" * 5000])
def test_letters_are_counted_as_people_count_them(settings: Settings, password: str) -> None:
    assert settings
    with pytest.raises(users.BadPassword, match="bad_password"):
        users.hashed_new(password, "grace@example.org")
