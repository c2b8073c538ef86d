"""Letters: the same words as plain text and as HTML, and no markup of anybody else's."""

import pytest

from models.email import templates
from models.email.templates import Action, EmailContent, Fact
from models.email.templates.content import address_on_site
from settings import get_settings

PAGE = Action("See the payment", "https://shellmate.example/billing?a=1&b=2")


def receipt() -> EmailContent:
    return templates.receipt("your top-up of $10.00", [Fact("Paid", "$10.00")], see=PAGE)


def test_a_receipt_says_what_was_paid_in_both_forms() -> None:
    letter = receipt()
    assert letter.subject == "Receipt for your top-up of $10.00"
    for drawn in (letter.as_text(), letter.as_html()):
        for words in ("Thank you", "your top-up of $10.00", "Paid", "See the payment"):
            assert words in drawn
    assert "Paid: $10.00" in letter.as_text()
    assert "See the payment:\nhttps://shellmate.example/billing?a=1&b=2\n" in letter.as_text()
    assert 'href="https://shellmate.example/billing?a=1&amp;b=2"' in letter.as_html()


def test_an_alert_can_do_without_a_button() -> None:
    letter = templates.alert("You have used half of your month", ["$5.00 of $10.00 are used."])
    assert "$5.00 of $10.00 are used." in letter.as_text()
    assert "If the button does not work" not in letter.as_html()


@pytest.mark.parametrize("letter", [receipt(), templates.alert("Low", ["Very low."])])
def test_every_letter_is_signed_with_the_products_name_and_address(letter: EmailContent) -> None:
    settings = get_settings()
    for drawn in (letter.as_text(), letter.as_html()):
        assert settings.product_name in drawn
        assert settings.public_url in drawn


def test_plain_text_has_no_run_of_empty_lines() -> None:
    assert "\n\n\n" not in receipt().as_text()


def test_hostile_words_are_shown_as_words() -> None:
    letter = templates.alert("Hello <b>", ["<script>alert(1)</script>"])
    assert "<script>" not in letter.as_html()
    assert "&lt;script&gt;" in letter.as_html()
    assert "<script>alert(1)</script>" in letter.as_text()


def test_addresses_on_the_site_are_whole() -> None:
    address = address_on_site("/verification", token="a+b/c")
    assert address == f"{get_settings().public_url}/verification?token=a%2Bb%2Fc"
