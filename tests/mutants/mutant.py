"""What one planted fault is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """In the file at `path` the text `old`, which stands there once, becomes `new`.

    At least one of `tests`, which are fast, must fail then; `fault` says what is wrong about it.
    """

    fault: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]
