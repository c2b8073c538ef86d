"""Finding what was said in a user's conversations: any of the words, the best match first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.schema.chat import Role

# So many of the latest messages are looked through, and so much of each.
LATEST = 2_000
LOOKED_AT_CHARS = 20_000
MOST_FOUND = 8


@dataclass(frozen=True)
class Found:
    """A message that has some of the words; `excerpt` shows them."""

    role: Role
    at: datetime
    title: str
    excerpt: str


# The words are taken as words: nothing in them is an operator. English forms of a word count as the
# word; those of other languages count as they are written.
_SEARCH = text("""
    WITH wanted AS (
        SELECT NULLIF(replace(plainto_tsquery('english', :words)::text, '&', '|'), '')::tsquery AS q
    ), said AS (
        SELECT messages.id, messages.role, messages.created_at, conversations.title,
               left(messages.text, :chars) AS words
        FROM messages JOIN conversations ON conversations.id = messages.conversation_id
        WHERE messages.user_id = :user_id AND conversations.deleted_at IS NULL
          AND messages.id IS DISTINCT FROM CAST(:besides AS uuid)
        ORDER BY messages.id DESC LIMIT :latest
    ), matching AS (
        SELECT said.*, q, ts_rank_cd(to_tsvector('english', words), q, 1) AS rank
        FROM said, wanted WHERE to_tsvector('english', words) @@ q
        ORDER BY rank DESC, id DESC LIMIT :most
    )
    SELECT role, created_at, title,
           ts_headline('english', words, q, 'StartSel="", StopSel="", MaxWords=40, MinWords=15,'
                       'MaxFragments=2, FragmentDelimiter=" … "')
    FROM matching ORDER BY rank DESC, id DESC
""")


def search(db: Session, user_id: UUID, words: str, *, besides: UUID | None = None) -> list[Found]:
    """Find what a user and their assistant said with any of these words, the best match first.

    Deleted conversations are never looked at, nor is the message `besides`.
    """
    given = {
        "user_id": user_id,
        "words": words,
        "besides": besides,
        "latest": LATEST,
        "chars": LOOKED_AT_CHARS,
        "most": MOST_FOUND,
    }
    rows = db.execute(_SEARCH, given)
    return [Found(Role(role), at, title, excerpt) for role, at, title, excerpt in rows]
