"""What was once found has its tests and its planted fault, and those are there."""

import re

from settings import PROJECT_DIR
from tests.mutants.__main__ import MUTANTS

LIST = PROJECT_DIR / "tests" / "findings.md"
ROW = re.compile(r"\| ([CHMLFP]\d+) \| ([^|]+) \| ([^|]+) \|([^|]*)\|")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
# Of an attack each has a fault that brings it back.
ATTACKS = "CHML"


def test_each_finding_has_tests_that_are_there() -> None:
    rows = ROW.findall(LIST.read_text())
    missing = [
        f"{finding}: {path}::{name}"
        for finding, _, tests, _ in rows
        for path, name in TEST.findall(tests)
        if f"def {name}(" not in (PROJECT_DIR / path).read_text()
    ]

    assert not missing
    assert all(TEST.search(tests) for _, _, tests, _ in rows)
    assert len({finding for finding, *_ in rows}) == len(rows) == 44


def test_each_attack_has_a_fault_that_brings_it_back() -> None:
    known = {mutant.fault for mutant in MUTANTS}
    planted = {finding: fault.strip() for finding, _, _, fault in ROW.findall(LIST.read_text())}

    assert not {fault for fault in planted.values() if fault} - known
    assert all(fault for finding, fault in planted.items() if finding[0] in ATTACKS)
