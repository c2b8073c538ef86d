"""Every code has its sentence, every sentence is found by the translators, none is stored."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest
from babel.messages.extract import extract_from_dir

import actions
import models
import webapp
from actions.archives.importing import Imported
from actions.sentences import (
    abuse,
    admin_actions,
    alerts,
    archives,
    entries,
    failures,
    free_credit,
    freezes,
    payments,
    rules,
)
from actions.sentences.files import ARCHIVE_FAULTS, FAULTS
from actions.sentences.refusals import REFUSALS, sentence_of
from models.errors import Refused
from models.payments.checkout import AmountOutOfRange
from models.people.users import NameTooLong
from models.schema.abuse import AbuseReason
from models.schema.admins import AdminActionKind
from models.schema.alerts import AlertKind
from models.schema.audits import AuditRule
from models.schema.failure_codes import FailureCode
from models.schema.free_credit import RefusalReason
from models.schema.ledger import EntryNote, FreezeReason, WriteOffReason
from models.schema.payments import EventTrouble, PaymentFailure, TopUpOffReason
from settings import PROJECT_DIR
from tests.actions.catalogues import BEGIN, END, Pseudo, spoken
from untrusted.archives import ArchiveFault
from untrusted.uploads import Fault

TABLES: list[tuple[Mapping[str, str], set[str]]] = [
    (cast(Mapping[str, str], table), {str(code) for code in codes})
    for table, codes in (
        (failures.FAILURES, FailureCode),
        (freezes.FREEZES, FreezeReason),
        (rules.RULES, AuditRule),
        (entries.NOTES, EntryNote),
        (entries.WRITE_OFFS, WriteOffReason),
        (entries.CARRIED, WriteOffReason),
        (payments.FAILURES, PaymentFailure),
        (payments.OFF, TopUpOffReason),
        (payments.TROUBLES, EventTrouble),
        (free_credit.REFUSALS, RefusalReason),
        (free_credit.FOR_ADMINS, RefusalReason),
        (alerts.MEANINGS, AlertKind),
        (abuse.REASONS, AbuseReason),
        (admin_actions.WORDS, AdminActionKind),
        (FAULTS, Fault.__args__),
        (ARCHIVE_FAULTS, ArchiveFault.__args__),
    )
]


OURS = ("actions.", "models.", "webapp.")


@pytest.mark.parametrize(("table", "codes"), TABLES)
def test_every_code_has_its_sentence(table: Mapping[str, str], codes: set[str]) -> None:
    assert {str(code) for code in table} == codes
    assert all(table.values())


def refusals() -> list[type[Refused]]:
    """All refusals of the product."""
    for package in (actions, models, webapp):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    return [one for one in _below(Refused) if one.__module__.startswith(OURS)]


def _below(kind: type[Refused]) -> Iterator[type[Refused]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def test_every_refusal_has_a_code_of_its_own_and_a_sentence() -> None:
    found = refusals()
    codes = [str(vars(one).get("code", f"none of {one.__name__}")) for one in found]
    assert sorted(codes) == sorted(REFUSALS)


def test_what_a_refusal_names_is_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = AmountOutOfRange(lowest_micros=5_000_000, highest_micros=500_000_000)
    assert sentence_of(refusal) == "Please choose an amount between $5.00 and $500.00."
    assert str(refusal) == "amount_out_of_range"
    spoken(monkeypatch, Pseudo())
    assert sentence_of(NameTooLong(most=9)) == "⟦Please shorten your name to 9 characters.⟧"


def test_translators_find_every_sentence() -> None:
    keywords = {"gettext": None, "ngettext": (1, 2), "marked": None}
    method = [("**.py", "python")]
    found = {
        message
        for package in ("actions", "models", "webapp")
        for _, _, message, _, _ in extract_from_dir(
            PROJECT_DIR / package, method, keywords=keywords
        )
    }
    said = {one for table, _ in TABLES for one in table.values()} | set(REFUSALS.values())
    assert said - {"%(text)s"} <= found


SEVERAL = ast.Set | ast.Tuple | ast.List
# Where a code belongs, and a sentence would become state.
CODED = {
    *("note", "failure", "failure_code", "rule", "trouble", "code", "reason", "why"),
    *("spending_frozen_reason", "frozen_reason", "top_up_off_reason"),
}
SOURCES = [
    path
    for package in ("actions", "agent", "gateways", "models", "tasks", "webapp")
    for path in sorted((PROJECT_DIR / package).rglob("*.py"))
    if "sentences" not in path.parts and "letters" not in path.parts
]


def is_sentence(node: ast.AST) -> bool:
    """Whether an expression is a text with a space in it, or one put together."""
    if isinstance(node, ast.JoinedStr):
        return any(is_sentence(part) for part in node.values)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


def stored(tree: ast.AST) -> Iterator[ast.AST]:
    """Find what is given as a code, kept as one, or compared."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (word.value for word in node.keywords if word.arg in CODED)
        elif isinstance(node, ast.Assign):
            yield from _kept(node)
        elif isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                yield from side.elts if isinstance(side, SEVERAL) else [side]


def _kept(node: ast.Assign) -> Iterator[ast.AST]:
    values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    for target in node.targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        for name, value in zip(names, values, strict=False):
            if isinstance(name, ast.Attribute) and name.attr in CODED:
                yield value


# Words of others that are looked for in what they say, and parts of their protocols.
NOT_OURS = {"credit balance"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT_DIR)))
def test_no_sentence_is_stored_or_compared(path: Path) -> None:
    tree = ast.parse(path.read_text())
    found = [ast.unparse(node) for node in stored(tree) if is_sentence(node)]
    assert [one for one in found if one.strip("'") not in NOT_OURS] == []


def test_the_words_of_the_catalogue_stand_nowhere_else() -> None:
    said = {one for table, _ in TABLES for one in table.values() if " " in one}
    said |= set(REFUSALS.values())
    for path in SOURCES:
        strings = {
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not strings & said, path


def test_a_stored_sentence_would_be_found() -> None:
    bad = ast.parse('f(note="It went wrong."); job.failure = f"No, {x}."; a == "Say so."')
    assert len([node for node in stored(bad) if is_sentence(node)]) == 3


def test_brackets_are_around_whole_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken(monkeypatch, Pseudo())
    for code in AuditRule:
        assert rules.rule(code).startswith(BEGIN)
        assert rules.rule(code).endswith(END)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Imported(1, 0, 0), "Imported: 1 conversation."),
        (
            Imported(0, 2, 0, notes=1),
            "Imported: 1 note and 2 files. Your assistant gets the files with your next message.",
        ),
        (Imported(0, 0, 0), "Nothing in it was new."),
        (
            Imported(0, 0, 1),
            "Some would change how it works: you find them on the page of your files.",
        ),
    ],
)
def test_only_what_came_with_an_archive_is_counted(found: Imported, told: str) -> None:
    assert archives.imported(found) == told
