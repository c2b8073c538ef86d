"""The chat page: what is on it, and whether a browser has it already."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from flask import Response, make_response, render_template, request, session
from flask_wtf.csrf import (  # pyright: ignore[reportMissingTypeStubs]
    generate_csrf,  # pyright: ignore[reportUnknownVariableType]
)
from markupsafe import Markup

from actions import offers, trial_status, voice
from actions.offers import Choice
from actions.sentences import freezes
from actions.trial_status import Newcomer
from actions.web import searching
from models import jobs
from models.base import utc_now
from models.chat import conversations, history
from models.chat.history import ExchangeSummary
from models.jobs.enqueue import MESSAGE_MAX_LENGTH
from models.schema.chat import Conversation
from models.schema.uploads import PendingUpload
from settings import get_settings
from webapp.chat import conversation_rows, rendering, views
from webapp.chat.fingerprints import fingerprint
from webapp.chat.frames import Cursor
from webapp.chat.listing import ConversationList
from webapp.chat.suggestions import suggestions
from webapp.chat.views import ExchangeView
from webapp.core import assets, languages
from webapp.core.alerts import open_alerts
from webapp.core.auth import current_user
from webapp.core.browsers import is_pocketable
from webapp.core.db import db
from webapp.core.engine_banner import engine_is_ready
from webapp.core.formats import viewers_zone
from webapp.core.messengers import list_messengers
from webapp.core.switched import announcements

# For the chooser of files: what `chat_files.check` lets through, as far as names can tell.
ACCEPTED = (
    "image/png,image/jpeg,image/gif,image/webp,image/heic,image/avif,.heic,.heif,.avif,"
    "application/pdf,text/*,application/json,"
    ".md,.csv,.tsv,.json,.yaml,.yml,.toml,.xml,.log,.py,.js,.ts,.sql,.sh,.c,.h,.cpp,.java,.go,.rs"
)


@dataclass(frozen=True)
class Unsent:
    """A try to send a message that was not sent: its words and files, and what was chosen for it.

    `refusal` says why; or the message may cost `quote_micros`, and its person is asked first.
    """

    words: str = ""
    staged: Sequence[PendingUpload] = ()
    refusal: str = ""
    quote_micros: int = 0
    is_research: bool = False
    thinks_longer: bool = False


NOTHING_UNSENT = Unsent()


@dataclass(frozen=True)
class Composer:
    """The form below a conversation: what stands in it, and what may be sent.

    It is closed while spending is frozen, and says above what a newcomer still has to do for their
    credit. Without credits what is sent waits for them.
    """

    unsent: Unsent
    newcomer: Newcomer
    # Why none can be sent, or not for nothing.
    standing: str
    # Whether research can be asked for.
    offers_research: bool
    is_closed: bool
    is_out_of_credit: bool
    choices: list[Choice]
    # The longest recording that is turned into text; 0 where nobody listens.
    voice_seconds: int
    max_files: int
    max_file_bytes: int
    max_chars: int = MESSAGE_MAX_LENGTH
    accepted: str = ACCEPTED

    @property
    def may_think(self) -> bool:
        """Whether any model on offer can be asked to think longer."""
        return any(choice.thinks for choice in self.choices)

    @property
    def chosen(self) -> Choice | None:
        """The model that answers."""
        return next((choice for choice in self.choices if choice.is_chosen), None)


@dataclass(frozen=True)
class Page:
    """Everything that the templates of a conversation want; without one it is a new one."""

    conversation: Conversation | None
    summaries: tuple[ExchangeSummary, ...]
    # Those of them that are not over.
    views: dict[UUID, ExchangeView]
    earlier: UUID | None
    # Not the latest page of it: nothing new belongs here.
    is_past: bool
    # From where the live stream goes on: another moment each time, with nothing to see.
    cursor: str = field(compare=False)
    suggestions: list[str]
    composer: Composer
    # Nothing has been said in any conversation: a moment for what one may want to set up.
    is_first: bool
    on_phone: bool

    def drawn(self) -> list[Markup]:
        """Draw its exchanges, oldest first."""
        return rendering.render_page(self.summaries, self.views)


def read(
    conversation: Conversation | None,
    *,
    before: UUID | None = None,
    unsent: Unsent = NOTHING_UNSENT,
) -> Page:
    """Read one page of a conversation of whoever asks, with what stands in its form."""
    cursor = str(Cursor.now())
    found = history.page(db(), conversation, before=before) if conversation else None
    summaries = found.summaries if found else ()
    return Page(
        conversation=conversation,
        summaries=summaries,
        views=_views([summary.asked_id for summary in summaries if not summary.is_over]),
        earlier=found.earlier if found else None,
        is_past=before is not None,
        cursor=cursor,
        suggestions=suggestions(current_user().needs) if conversation is None else [],
        composer=_composer(unsent),
        is_first=conversation is None and not conversations.list_own(db(), current_user().id, 1),
        on_phone=is_pocketable(request.user_agent.string),
    )


def _composer(unsent: Unsent) -> Composer:
    """Say how the form stands for whoever asks."""
    settings = get_settings()
    person = current_user()
    newcomer = trial_status.read_status(db(), person)
    is_out_of_credit = jobs.is_paused(db(), person) and not newcomer.is_awaited
    choices = offers.offered(person)
    return Composer(
        unsent=unsent,
        newcomer=newcomer,
        standing=freezes.of_user(person) or newcomer.refusal,
        offers_research=searching.is_offered(),
        is_closed=person.is_frozen,
        is_out_of_credit=is_out_of_credit,
        choices=choices,
        voice_seconds=_voice_seconds(choices),
        max_files=settings.upload_max_files,
        max_file_bytes=settings.upload_max_bytes,
    )


def _voice_seconds(choices: Sequence[Choice]) -> int:
    chosen = next((choice.id for choice in choices if choice.is_chosen), None)
    is_offered = chosen is not None and voice.is_offered(chosen)
    return get_settings().voice_max_seconds if is_offered and not current_user().is_frozen else 0


def whole(page: Page) -> Response:
    """Draw the whole page; answer 304 if the browser has it as it is and nothing is to be told."""
    if "_flashes" in session:
        # What is told once must be told now, on a page that is not kept; drawing it forgets it.
        return drawn(page)
    listed = _listed(page)
    tag = _fingerprint(page, listed)
    if request.if_none_match.contains(tag):
        return _kept(make_response("", 304), tag)
    response = make_response(render_template("chat/page.html", page=page, listed=listed))
    return _kept(response, tag)


def drawn(page: Page, status: int = 200) -> Response:
    """Draw the whole page for this once, as the answer to a form; it is not kept."""
    html = render_template("chat/page.html", page=page, listed=_listed(page))
    return make_response(html, status)


def _listed(page: Page) -> ConversationList:
    return ConversationList.read(open_id=page.conversation.id if page.conversation else None)


def _kept(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _fingerprint(page: Page, listed: ConversationList) -> str:
    """Name all that the page is drawn from, without drawing it: each part whole.

    Beside the page itself that is what its frame shows, see the test of the templates' globals.
    """
    frame = (
        _edition(),
        _csrf_secret(),
        utc_now().astimezone(viewers_zone()).date(),
        engine_is_ready(),
        announcements(),
        current_user(),
        open_alerts(),
        languages.choose(),
        list_messengers(),
    )
    # Of fifty rows what each is kept under: what else is known of them is not drawn.
    rows = conversation_rows.keys(listed.conversations, listed.open_id)
    return fingerprint(frame, page, replace(listed, conversations=[]), rows)


def _views(asked: Collection[UUID]) -> dict[UUID, ExchangeView]:
    if not asked:
        return {}
    found = views.show(db(), history.exchanges_asked(db(), asked), {})
    return {view.asked.id: view for view in found}


def _csrf_secret() -> object:
    # The page's forms hold a token; the first of a login also makes its secret.
    generate_csrf()
    return session.get("csrf_token")


@lru_cache(maxsize=1)
def _edition() -> str:
    """Name this edition of the site: its templates and its static files."""
    digest = sha256()
    folders = (assets.FOLDER, assets.FOLDER.parent / "templates")
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()
