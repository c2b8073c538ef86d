"""Answers that are made to take long, by name: what a model may be talked into writing."""

from untrusted.inside.highlighting import LANGUAGES, MAX_CHARS

MANY = 30_000


def _fence(language: str, code: str) -> str:
    return f"See:\n\n```{language}\n{code[:MAX_CHARS]}\n```\n\nEnd."


def _code(piece: str) -> str:
    return piece * (MAX_CHARS // len(piece))


# What is slow in the regular expressions of lexers: ends that never come, and doubtful beginnings.
WORST_CODE = {
    "bash": "#{",
    "c": "/",
    "console": "f'{",
    "cpp": "/",
    "csharp": '\\"',
    "css": '"\\"\\',
    "dart": "/",
    "diff": " ",
    "docker": "a\n",
    "go": '\\"',
    "html": "&",
    "ini": "\\",
    "java": "a\n",
    "javascript": '\\"',
    "json": "((a",
    "kotlin": "/",
    "make": "${a",
    "php": "<?php ",
    "powershell": "\n#",
    "python": "\n ",
    "r": "\\",
    "ruby": "(",
    "rust": "/",
    "scss": "{",
    "sql": "\\",
    "swift": "''",
    "toml": "\\",
    "typescript": "def a.a.",
    "xml": "&",
    "yaml": "&",
}
MARKDOWN = {
    "brackets": "[" * MANY,
    "links in links": "[a](" * MANY,
    "emphasis that never ends": "a **a " * MANY,
    "emphasis of both kinds": "*_" * MANY,
    "quotes in quotes": ">" * MANY,
    "lists in lists": "".join(f"{'  ' * depth}- a\n" for depth in range(2_000)),
    "ticks of growing length": " ".join("`" * length for length in range(1, 400)),
    "pipes": "|" * MANY,
    "a wide table": f"{'|a' * 3_000}|\n{'|-' * 3_000}|\n{'|b' * 3_000}|\n" * 2,
    "a long table": "|a|b|\n|-|-|\n" + "|x|y|\n" * 20_000,
    "addresses": "https://a.example/" * (MANY // 4),
    "one long address": "https://a.example/" + "(" * MANY,
    "angles": "<" * MANY,
    "entities": "&" * MANY,
    "backslashes": "\\" * MANY,
    "references": "".join(f"[{n}]: /x\n" for n in range(10_000)) + "[1]" * 10_000,
    "rules": "- " * MANY,
    "underlines": "a\n=\n" * MANY,
    "tildes": "~~a" * MANY,
    "mails": "a@" * MANY,
    "a fence that never ends": "```\n" + "x\n" * MANY,
    "fences in a row": "```python\nx=1\n```\n" * 3_000,
    "nothing but line ends": "\n" * 200_000,
    "one letter, often": "a" * 1_000_000,
    "one word a line": "a\n" * 200_000,
    "odd line ends": "\r\x0b\u2028\u0085" * MANY,
    "emoji": "👩‍👩‍👧‍👦" * MANY,
    "marks on marks": "a" + "\u0301" * MANY,
    "both directions": "\u202e\u2066" * MANY,
    "zeros": "\x00" * MANY,
}
ANSWERS = {
    **{f"{name} code": _fence(name, _code(piece)) for name, piece in WORST_CODE.items()},
    **MARKDOWN,
}
# These were shown to hang a worker: languages that are not on the list any more.
HUNG = {
    "janet": _fence("janet", "`" * MAX_CHARS),
    "systemd": _fence("systemd", "a=\\" * (MAX_CHARS // 3)),
    "maple": _fence("maple", "'" * MAX_CHARS),
    "postscript": _fence("postscript", "(" * MAX_CHARS),
}

assert set(WORST_CODE) == set(LANGUAGES)
