"""Foreign text in what the assistant reads: no line of it can pass for one of ours."""

import re

LINE_CHARS = 200
# What opens or ends a comment in Markdown.
COMMENT = re.compile(r"<!--|-->")


def quoted(text: str, limit: int) -> str:
    """Show a text as a quotation of at most `limit` characters, marks included; cut at a word."""
    whole = "\n".join(f"> {printable(line)}" for line in text.strip().splitlines())
    if len(whole) <= limit:
        return whole
    cut = whole[: limit - 1]
    # In some scripts a word has no end; then the last letters are as good as any.
    at = max(cut.rfind(" "), cut.rfind("\n"))
    return (cut[:at].rstrip("> \n") if at > limit * 3 // 4 else cut) + "…"


def one_line(text: str) -> str:
    """Show a text in one line that neither opens nor ends a comment."""
    line = printable(" ".join(text.split()))[:LINE_CHARS]
    # Something has to stand there, or what is left around it could be one.
    return COMMENT.sub(" ", line)


def printable(text: str) -> str:
    """Leave out what only moves a cursor or hides."""
    return "".join(letter for letter in text if letter.isprintable() or letter == "\t")
