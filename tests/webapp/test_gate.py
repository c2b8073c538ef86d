"""Outside values are converted by the gate alone, read from the source: none is forgotten."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import PROJECT_DIR

# Each would take what nobody has looked at: an exponent, other digits, a year that cannot be.
CONVERSIONS = {
    *("int", "float", "complex", "Decimal", "Fraction", "UUID", "ZoneInfo", "eval", "loads"),
    *("fromisoformat", "fromtimestamp", "strptime", "fromhex", "b64decode", "literal_eval"),
}
# Whose signature is looked at first is of our own making.
SIGNED = "_serializer().loads("
# What comes from outside comes through these.
DOORS = (
    *sorted((PROJECT_DIR / "webapp").rglob("*.py")),
    *(PROJECT_DIR / "actions" / f"{name}.py" for name in ("automatic_charges", "stripe_events")),
    *(PROJECT_DIR / "tasks" / "worker" / f"{name}.py" for name in ("forgetting", "prewarm")),
    *(PROJECT_DIR / "gateways" / f"stripe_{name}.py" for name in ("events", "statements")),
    PROJECT_DIR / "gateways" / "google_sign_in.py",
)


def conversions(source: str) -> Iterator[str]:
    """Find what is converted, or named as what shall convert."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            if _name(node.func) in CONVERSIONS and not ast.unparse(node).startswith(SIGNED):
                yield ast.unparse(node)
            for keyword in node.keywords:
                if keyword.arg == "type" and _name(keyword.value) in CONVERSIONS:
                    yield ast.unparse(node)


def _name(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


@pytest.mark.parametrize("path", DOORS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_from_outside_is_converted_but_by_the_gate(path: Path) -> None:
    assert list(conversions(path.read_text())) == [], "use gateways.values"


@pytest.mark.parametrize(
    "source",
    [
        "int(request.form['a'])",
        "Decimal(typed)",
        "request.args.get('days', type=int)",
        "datetime.strptime(text, '%Y-%m')",
        "date.fromisoformat(text)",
        "uuid.UUID(text)",
    ],
)
def test_such_conversions_are_found(source: str) -> None:
    assert len(list(conversions(source))) == 1
