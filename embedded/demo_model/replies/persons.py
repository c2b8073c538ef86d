"""Turns "my dog" into "their dog" for a note about a person, and into "your dog" for an answer."""

import re

TO_NOTE = {
    "i am": "they are",
    "i'm": "they are",
    "i've": "they have",
    "i was": "they were",
    "i": "they",
    "me": "them",
    "my": "their",
    "mine": "theirs",
    "myself": "themselves",
    "we": "they",
    "us": "them",
    "our": "their",
    "ours": "theirs",
}
TO_YOU = {
    "they": "you",
    "them": "you",
    "their": "your",
    "theirs": "yours",
    "themselves": "yourself",
}


def to_note(fact: str) -> str:
    """Write a fact that the person tells as a one-line note about them."""
    line = " ".join(fact.split()).rstrip(" .!")
    return _capital(_replace(line.replace("’", "'"), TO_NOTE))


def to_you(note: str) -> str:
    """Say a note to the person."""
    return _capital(_replace(note.rstrip(" ."), TO_YOU))


def _replace(text: str, table: dict[str, str]) -> str:
    longest_first = sorted(table, key=len, reverse=True)
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b(?!')", re.I)
    return pattern.sub(lambda found: table[found[0].lower()], text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
