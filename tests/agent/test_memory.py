"""MEMORY.md is drawn from notes, and what an assistant does to it is found line by line."""

from datetime import date

from agent import memory
from agent.memory import MOST_CHARS, Edited
from agent.turn import Note

TEA = Note(7, "Likes tea", date(2026, 12, 1))
CAT = Note(3, "Has a cat", date(2026, 11, 1))
NOTES = (TEA, CAT)


def test_it_has_the_newest_notes_first_and_lines_that_are_no_notes_yet() -> None:
    shown = memory.render(NOTES, "# Memory\n\n## Old\n* Plays  chess\n- Has a cat\n")
    lines = [line for line in shown.text.splitlines() if line.startswith("- ")]
    assert lines == ["- Plays chess", "- #7 (2026-12-01) Likes tea", "- #3 (2026-11-01) Has a cat"]
    assert shown.carried == ("Plays chess",)
    # Drawn again from itself it stays the same.
    assert memory.render(NOTES, shown.text).text == shown.text


def test_it_is_never_so_long_that_it_is_cut() -> None:
    notes = [Note(number, "x" * 450, TEA.noted_on) for number in range(100, 0, -1)]
    shown = memory.render(notes, "")
    assert len(shown.text) <= MOST_CHARS
    assert max(shown.notes) == 100
    assert 30 < len(shown.notes) < 100
    # What was not shown was not taken out either.
    assert memory.compare(shown, shown.text) is None


def test_what_is_added_changed_and_taken_out_is_found() -> None:
    shown = memory.render(NOTES, "")
    changed = shown.text.replace("Likes tea", "Likes green tea")
    changed = changed.replace("- #3 (2026-11-01) Has a cat\n", "") + "- Plays chess\nand go\n"
    noted = memory.compare(shown, changed)
    assert noted is not None
    assert noted.added == ("Plays chess", "and go")
    assert noted.edited == (Edited(7, "Likes tea", "Likes green tea"),)
    assert noted.removed == (Edited(3, "Has a cat", ""),)


def test_a_file_that_is_lost_takes_no_note_along() -> None:
    notes = [Note(number, f"fact {number}", TEA.noted_on) for number in range(9, 0, -1)]
    noted = memory.compare(memory.render(notes, ""), "# Memory\n- Only this\n")
    assert noted is not None
    assert (noted.added, noted.removed) == (("Only this",), ())


def test_lines_of_before_are_told_apart_from_those_of_the_turn() -> None:
    shown = memory.render((), "- Plays chess\n")
    noted = memory.compare(shown, shown.text + "- Plays go\n")
    assert noted is not None
    assert (noted.carried, noted.added) == (("Plays chess",), ("Plays go",))


def test_what_is_long_becomes_several_notes() -> None:
    noted = memory.compare(memory.render((), ""), "- " + " ".join(map(str, range(300))))
    assert noted is not None
    assert len(noted.added) == 3


def test_what_no_database_keeps_is_no_part_of_a_line() -> None:
    shown = memory.render(NOTES, "- Plays\0 chess\n- \0\n")
    assert shown.carried == ("Plays chess",)
    noted = memory.compare(shown, shown.text.replace("Likes tea", "Likes\0 coffee"))
    assert noted is not None
    assert noted.edited == (Edited(7, "Likes tea", "Likes coffee"),)
