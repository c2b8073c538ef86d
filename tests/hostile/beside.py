"""What one user's hostile content costs another who is answered on the same worker meanwhile."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from statistics import median

import httpx2

from gateways.event_streams import Streams
from gateways.live_events import TextAdded
from models.schema.jobs import Job
from tests.hostile.answers import ANSWERS, HUNG
from tests.hostile.pdfs import PDFS
from tests.hostile.pictures import PICTURES
from tests.hostile.texts import TEXTS
from tests.house import House, wait_for

QUIET_TURNS = 5
# From the hostile message on: so long until it is being handled.
HEAD_START_SECONDS = 0.15
# Of a first word, a machine that runs much else may add so much to any of them.
NOISE_SECONDS = 0.4
MOST_LONGER = 1.5
STOP_SECONDS = 2.0
# A message may have 20,000 characters; what the demo model is told to say ends at two brackets.
LONGEST_ANSWER = 19_000
ENDS_SCRIPT = "]]"


@dataclass(frozen=True)
class Content:
    """One hostile thing: a message's words, and the file that comes with it, if any."""

    name: str
    words: str
    file: Callable[[], bytes] | None = None


@dataclass(frozen=True)
class Beside:
    """What was measured beside one content, in seconds. Nothing to stop: 0."""

    name: str
    first_word: float
    stopped_after: float


def contents() -> Iterator[Content]:
    """Write out every hostile answer and file as a message that brings it."""
    for name, text in {**ANSWERS, **HUNG}.items():
        if ENDS_SCRIPT not in text[:LONGEST_ANSWER]:
            yield Content(f"answer: {name}", f"[[demo: say {text[:LONGEST_ANSWER]}]]")
    yield from _files("pdf", PDFS)
    yield from _files("png", PICTURES)
    yield from _files("txt", TEXTS)


def sample(every: int) -> list[Content]:
    """Choose one of so many, the same ones each time."""
    return list(islice(contents(), 0, None, every))


class Neighbours:
    """Ada, who chats, and Mallory, who sends hostile things; both have a hot cell on one worker."""

    def __init__(self, house: House) -> None:
        self.ada, self.mallory = house.person("Ada"), house.person("Mallory")
        self._streams = Streams(house.environment["REDIS_URL"])
        self._conversation = self.ada.ask_and_wait("Hello. [[demo: words 3]]").job.conversation_id
        self.mallory.ask_and_wait("Hello. [[demo: words 3]]")
        self.quiet = median(self.first_word() for _ in range(QUIET_TURNS))

    @property
    def bearable(self) -> float:
        """Seconds in which Ada must have a first word, whatever Mallory does."""
        return self.quiet * MOST_LONGER + NOISE_SECONDS

    def first_word(self) -> float:
        """Let Ada say something; return the seconds until the first word of the answer."""
        began = time.monotonic()
        job = self.ada.ask("How is it going? [[demo: words 3]]", self._conversation)
        wait_for(lambda: self._has_words(job), "the first word", 60)
        took = time.monotonic() - began
        self.ada.outcome(job)
        return took

    def beside(self, content: Content) -> Beside:
        """Send a hostile thing, measure Ada's first word meanwhile, then stop what still runs."""
        job = self._send(content)
        time.sleep(HEAD_START_SECONDS)
        took = self.first_word()
        return Beside(content.name, took, self._stop(job) if job else 0)

    def _has_words(self, job: Job) -> bool:
        return any(isinstance(event.payload, TextAdded) for event in self._streams.read(job.id))

    def _send(self, content: Content) -> Job | None:
        form = {"csrf_token": self.mallory.token(), "text": content.words}
        files: Mapping[str, tuple[str, bytes]] = {}
        if content.file is not None:
            files = {"files": (content.name.rpartition(" ")[2], content.file())}
        before = self.mallory.newest_job().id
        answer = self._post(form, files)
        assert answer.status_code in {200, 413, 422}, f"{content.name}: {answer.status_code}"
        newest = self.mallory.newest_job()
        return newest if newest.id != before else None

    def _post(
        self, form: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]
    ) -> httpx2.Response:
        return self.mallory.browser.post("/chat", data=form, files=files or None, timeout=60)

    def _stop(self, job: Job) -> float:
        began = time.monotonic()
        self.mallory.try_post(f"/jobs/{job.id}/cancellation")
        self.mallory.outcome(job)
        return time.monotonic() - began


def _files(ending: str, made: Mapping[str, Callable[[], bytes]]) -> Iterator[Content]:
    for name, make in made.items():
        yield Content(f"{name} hostile.{ending}", "Read this. [[demo: words 200]]", make)
