"""Users who mean harm, and do all of it while things break: the honest ones must not notice.

Each attacker is signed up like anybody else and knows everybody's ids. What must not happen is
noted in `found`: somebody else's things reached, a bug (500) met, a share that has no end.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from html import unescape
from typing import Any, TypeVar
from uuid import UUID

import httpx2
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from models.schema.chat import Conversation
from models.schema.jobs import Job
from models.schema.uploads import Upload
from tests.drill.plan import mark_of
from tests.house import TOKEN, House, Person

T = TypeVar("T")

FIRST_NUMBER = 900
# Between two attacks; a person at a script, not a flood that only fills this machine.
PAUSE_SECONDS = (0.2, 1.5)
BEYOND_ANY_SHARE = 30
LONGEST = 20_000
AMOUNTS = ("1e999990", "-1", "NaN", "0x10", "٣", "9" * 400, "1e200000", "")
MONTHS = ("9999-12", "0000-00", "2026-13", "-1-1", "99999-01")
# What the model of an attacker answers.
ANSWERS = (
    f"```janet\n{'`' * 18_000}\n```",
    "> " * 4_000 + "deep",
    "[" * 9_000,
    "*a **b " * 2_500,
    "|" + "a|" * 3_000 + "\n|" + "-|" * 3_000,
    "<script>alert(1)</script>" * 300,
)
TOOLS = (
    '[[demo: tool ls {"path": "."} x60]]',
    '[[demo: tool write {"path": "' + "d/" * 400 + 'x", "content": "deep"}]]',
    '[[demo: tool write {"path": "' + "😀" * 60 + '.txt", "content": "wide"}]]',
    '[[demo: tool read {"path": "/proc/1/environ"}]]',
    "[[demo: usage input=900000 output=10 cache_read=0 cache_write=0 thoughts=0 tool_prompt=0]]",
)
FILES = (
    ("bomb.pdf", b"%PDF-1.7\n" + b"1 0 obj<</Length 99999999>>stream\n" * 2_000),
    ("cut.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff"),
    ("\U0001f600" * 60 + ".txt", b"wide name"),
    ("a.txt", b"\xff\xfe" + b"\x00\xd8" * 40_000),
)


class Attacker:
    """One of them, in a thread, until the drill says that it is over.

    Each attack waits for room at the `door`, as the honest users do at theirs.
    """

    def __init__(self, house: House, number: int, seed: int, door: threading.Semaphore) -> None:
        self.number = FIRST_NUMBER + number
        self.done: Counter[str] = Counter()
        self.found: list[str] = []
        self.person = Person(house, f"X{self.number:03d}", "Everything")
        self._house, self._door = house, door
        self._chance = random.Random(seed * 1000 + number)
        self._csrf = self.person.token()
        self._said = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._live, name=self.person.name, daemon=True)
        self._attacks: dict[str, Callable[[], object]] = {
            "hostile answers": lambda: self._say(f"[[demo: say {self._one_of(ANSWERS)}]]"),
            "hostile tools": lambda: self._say(f"{self._one_of(TOOLS)} [[demo: words 5]]"),
            "hostile files": self._send_file,
            "hostile values": self._send_values,
            "what is another's": self._reach_for_others,
            "streams": self._open_streams,
            "guesses": self._guess,
            "bursts": self._burst,
            "stops": self._stop,
            "health": self._ask_health,
        }

    @property
    def id(self) -> UUID:
        return self.person.id

    @contextmanager
    def at_work(self) -> Generator[None]:
        """Attack meanwhile."""
        self._thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            self._thread.join(timeout=120)

    def _live(self) -> None:
        while not self._is_over.wait(self._chance.uniform(*PAUSE_SECONDS)):
            name = self._one_of(tuple(self._attacks))
            # The site breaks all the while; then there is nothing to attack for a moment.
            with self._door, suppress(httpx2.HTTPError, SQLAlchemyError):
                self._attacks[name]()
                self.done[name] += 1

    def _say(self, words: str, **rest: Any) -> httpx2.Response:
        self._said += 1
        mark = mark_of(self.number, self._said % 10_000, self._chance)
        form = {"csrf_token": self._csrf, "text": f"{mark}: {words}"[:LONGEST]}
        return self._look("/chat", self.person.browser.post("/chat", data=form, **rest))

    def _send_file(self) -> None:
        name, data = self._one_of(FILES)
        self._say("Read this. [[demo: words 3]]", files={"files": (name, data)})

    def _send_values(self) -> None:
        amount, month = self._one_of(AMOUNTS), self._one_of(MONTHS)
        for path, form in (
            ("/billing/auto-top-up", {"is_on": "yes", "below": amount, "by": amount}),
            ("/billing/top-ups", {"amount": "custom", "custom": amount}),
            ("/limits", {"message": amount, "day": amount, "month": amount}),
        ):
            self._post(path, **form)
        for path in (f"/billing?month={month}", f"/usage?month={month}", "/static/app.css%00"):
            self._look(path, self.person.browser.get(path))

    def _reach_for_others(self) -> None:
        for path, method in self._of_others():
            answer = (
                self.person.browser.get(path, follow_redirects=False)
                if method == "GET"
                else self._post(path, text="mine now", title="mine now")
            )
            self._look(path, answer)
            if answer.status_code < 400:
                self.found.append(f"{self.number} reached {method} {path}: {answer.status_code}")

    def _of_others(self) -> list[tuple[str, str]]:
        with self._house.database() as db:
            conversation = db.scalar(_some(Conversation.id, Conversation.user_id, self.id))
            job = db.scalar(_some(Job.id, Job.user_id, self.id))
            upload = db.scalar(_some(Upload.id, Upload.user_id, self.id))
        found = [(f"/uploads/{upload}", "GET")] if upload else []
        if conversation:
            found += [(f"/chat/{conversation}", "GET"), (f"/chat/{conversation}/events", "GET")]
            verbs = ("messages", "title", "deletion")
            found += [(f"/chat/{conversation}/{verb}", "POST") for verb in verbs]
        if job:
            found.append((f"/chat/jobs/{job}/receipt", "GET"))
            verbs = ("cancellation", "retry", "continuation")
            found += [(f"/jobs/{job}/{verb}", "POST") for verb in verbs]
        return found

    def _open_streams(self) -> None:
        with self._house.database() as db:
            mine = sa.select(Conversation.id).where(Conversation.user_id == self.id).limit(1)
            conversation = db.scalar(mine)
        if conversation is None:
            return
        browser, opened = self.person.browser, list[httpx2.Response]()
        try:
            for _ in range(BEYOND_ANY_SHARE):
                request = browser.build_request("GET", f"/chat/{conversation}/events")
                opened.append(browser.send(request, stream=True))
        finally:
            for answer in opened:
                answer.close()
        if all(answer.status_code == 200 for answer in opened):
            self.found.append(f"{self.number} holds {len(opened)} live streams")

    def _guess(self) -> None:
        with self._house.database() as db:
            email = db.scalar(
                sa.text("SELECT email FROM users WHERE id <> :me ORDER BY random() LIMIT 1"),
                {"me": self.id},
            )
        with httpx2.Client(base_url=self._house.url, timeout=30) as stranger:
            found = TOKEN.search(stranger.get("/").text)
            token = unescape(found[1]) if found else ""
            for guess in range(3):
                form = {"csrf_token": token, "email": email, "password": f"guess {guess}"}
                answer = self._look("/login", stranger.post("/login", data=form))
                if answer.status_code < 400:
                    self.found.append(f"{self.number} guessed a password")

    def _burst(self) -> None:
        for _ in range(BEYOND_ANY_SHARE):
            self._say("[[demo: words 2]]")

    def _stop(self) -> None:
        self._say("[[demo: words 400]] [[demo: slow 30ms]]")
        with self._house.database() as db:
            mine = sa.select(Job.id).where(Job.user_id == self.id).order_by(Job.id.desc())
            jobs = db.scalars(mine.limit(BEYOND_ANY_SHARE)).all()
        for job in jobs:
            self._post(f"/jobs/{job}/cancellation")

    def _ask_health(self) -> None:
        for _ in range(BEYOND_ANY_SHARE):
            answer = self.person.browser.get("/readyz")
            if "database" in answer.text:
                self.found.append(f"{self.number} reads the details of /readyz")

    def _post(self, path: str, **form: str) -> httpx2.Response:
        form = {"csrf_token": self._csrf, **form}
        answer = self.person.browser.post(path, data=form, follow_redirects=False)
        return self._look(path, answer)

    def _look(self, path: str, answer: httpx2.Response) -> httpx2.Response:
        # 503 says that something is down, which is so all the time in a drill.
        if answer.status_code == 500:
            self.found.append(f"{self.number} met a bug at {path}")
        return answer

    def _one_of(self, choices: Sequence[T]) -> T:
        return self._chance.choice(choices)


def _some(column: Any, owner: Any, me: UUID) -> sa.Select[tuple[UUID]]:
    """Select a row of anybody but `me`."""
    return sa.select(column).where(owner != me).order_by(sa.func.random()).limit(1)
