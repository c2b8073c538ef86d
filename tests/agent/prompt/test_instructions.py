"""What every assistant is told: short, true of this service, and the same for everybody."""

import re

import pytest

from agent.prompt.instructions import Product, instructions
from agent.tools.registry import TOOLS
from settings import Settings

SHORT_BYTES = 15_000


@pytest.fixture
def product(settings: Settings) -> Product:
    return Product.of(
        settings.model_copy(
            update={"public_url": "https://example.org/", "product_name": "Our  Own"}
        )
    )


def test_they_are_short_and_say_the_service_s_own_facts(
    product: Product, settings: Settings
) -> None:
    text = instructions(product, ())

    assert len(text.encode()) <= SHORT_BYTES / 2
    assert "You are Our Own, one" in text
    assert "begin with https://example.org: /billing" in text
    for page in ("usage", "limits", "prices", "settings"):
        assert f"/{page} (" in text
    assert f"up to {settings.upload_max_files} files of 10 MB" in text
    assert not re.findall(r"\{\w*\}", text)


def test_they_name_the_tools_that_there_are_and_no_others(product: Product) -> None:
    with_all, with_none = instructions(product, TOOLS), instructions(product, ())

    for tool in TOOLS:
        assert tool.full_name in with_all
        assert tool.full_name not in with_none
    # Nobody is promised what nothing does.
    assert "unless you set a reminder" in with_all
    assert "remind" not in with_none


def test_no_time_of_a_machine_stands_in_them(product: Product) -> None:
    """They would differ from day to day, and be wrong wherever their person lives."""
    text = instructions(product, TOOLS)

    assert not re.findall(r"\d{4}-\d\d-\d\d|\d\d:\d\d", text)
    assert "Never speak of UTC" in text
