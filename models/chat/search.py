"""Finding what is noted of a user and what was said in their conversations.

Any of the words counts, rare ones more than common ones, and so does any form of a word: in English
and in the user's own language. Words that only begin alike count less; what is noted counts more
than what was said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.schema.chat import Role
from models.schema.users import User

# So many of the latest messages are looked through, and so much of each.
LATEST = 2_000
LOOKED_AT_CHARS = 20_000
MOST_FOUND = 8
# Words that begin alike for so long may be of one root: they count too, but less.
ROOT_CHARS = 6
# What is no longer than this, as every note, is shown whole.
SHOWN_WHOLE_CHARS = 500
# PostgreSQL's names of the languages whose forms it knows; others count as they are written.
LANGUAGES: Mapping[str, str] = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "it": "italian",
    "nb": "norwegian",
    "nl": "dutch",
    "pt": "portuguese",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}


@dataclass(frozen=True)
class Found:
    """A message, or a note by its number, that has some of the words; `excerpt` shows them.

    `conversation_id` is where it was said; None for a note that nobody said in one.
    """

    number: int | None
    role: Role | None
    at: datetime
    conversation_id: UUID | None
    title: str
    excerpt: str


# The words are taken as words: nothing in them is an operator.
_SEARCH = text("""
    WITH said AS (
        (SELECT messages.id, NULL AS number, messages.role, messages.created_at AS at,
                conversations.id AS conversation_id, conversations.title,
                left(messages.text, :chars) AS words, 1.0 AS worth
         FROM messages JOIN conversations ON conversations.id = messages.conversation_id
         WHERE messages.user_id = :user_id AND conversations.deleted_at IS NULL
           AND (conversations.is_remembered OR conversations.id = CAST(:here AS uuid))
           AND messages.id IS DISTINCT FROM CAST(:besides AS uuid)
           AND NOT :only_notes
         ORDER BY messages.id DESC LIMIT :latest)
        UNION ALL
        (SELECT id, number, NULL, noted_at, conversation_id, '', words, 1.5
         FROM memory_notes WHERE user_id = :user_id AND deleted_at IS NULL)
    ), indexed AS MATERIALIZED (
        SELECT id, worth, length(words) AS size,
               tsvector_to_array(to_tsvector(CAST(:language AS regconfig), words)
                                 || CASE WHEN CAST(:language AS text) = 'english' THEN ''
                                         ELSE to_tsvector('english', words) END) AS forms
        FROM said
    ), wanted AS (
        SELECT array_agg(form) AS forms,
               array_agg(left(form, :root)) FILTER (WHERE length(form) >= :root) AS roots
        FROM unnest(tsvector_to_array(to_tsvector(CAST(:language AS regconfig), :words)
                                      || to_tsvector('english', :words))) AS form
    ), hits AS (
        SELECT DISTINCT id, worth, size, is_same,
               CASE WHEN is_same THEN form ELSE left(form, :root) END AS form
        FROM indexed, wanted CROSS JOIN LATERAL (
            SELECT form, form = ANY (wanted.forms) AS is_same FROM unnest(indexed.forms) AS form
            WHERE form = ANY (wanted.forms) OR left(form, :root) = ANY (wanted.roots)
        ) AS same_or_alike
    ), rare AS (
        SELECT form, is_same, ln(1 + (SELECT count(*) FROM said)::numeric / count(*))
                              * CASE WHEN is_same THEN 1 ELSE 0.4 END AS weight
        FROM hits GROUP BY form, is_same
    ), ranked AS (
        -- What has the words among few others is nearer to what was meant.
        SELECT id, sum(weight) * min(worth) / (1 + ln(1 + min(size) / 200.0)) AS rank
        FROM hits JOIN rare USING (form, is_same) GROUP BY id
        ORDER BY rank DESC, id DESC LIMIT :most
    )
    SELECT number, role, at, conversation_id, title,
           CASE WHEN length(words) > :shown_whole THEN
                ts_headline(CAST(:language AS regconfig), words,
                            NULLIF(replace(plainto_tsquery(CAST(:language AS regconfig),
                                                           :words)::text, '&', '|'), '')::tsquery,
                            'StartSel="", StopSel="", MaxWords=40, MinWords=15,'
                            'MaxFragments=2, FragmentDelimiter=" … "')
           END AS excerpt, words
    FROM ranked JOIN said USING (id) ORDER BY rank DESC, id DESC
""")


def search(
    db: Session,
    user: User,
    words: str,
    *,
    here: UUID | None = None,
    besides: UUID | None = None,
    only_notes: bool = False,
    most: int | None = None,
) -> list[Found]:
    """Find what a user, their assistant and their notes say with any of these words, best first.

    Never looked at are deleted conversations and notes, the message `besides`, and conversations
    that are not to be remembered, but for the one that is `here`.
    """
    given = {
        "user_id": user.id,
        "words": words,
        "language": LANGUAGES.get((user.locale or "en")[:2], "simple"),
        "here": here,
        "besides": besides,
        "only_notes": only_notes,
        "latest": LATEST,
        "chars": LOOKED_AT_CHARS,
        "root": ROOT_CHARS,
        "most": most or MOST_FOUND,
        "shown_whole": SHOWN_WHOLE_CHARS,
    }
    rows = db.execute(_SEARCH, given)
    return [
        Found(number, Role(role) if role else None, at, conversation_id, title, excerpt or whole)
        for number, role, at, conversation_id, title, excerpt, whole in rows
    ]
