"""One run of the fuzzer from beginning to end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fuzz.requests import Draw, Sent
from tests.fuzz.site import Site, places_of
from tests.fuzz.wire import Answer, Wire
from tests.fuzz.world import CANARY

LONGEST_SECONDS = 1.0
# The machine may have been busy with something else: the fastest of so many tries counts.
TRIES = 3
RESTORED_EVERY = 250


@dataclass
class Report:
    """What was sent, and what was found."""

    seed: int
    requests: int = 0
    seconds: float = 0
    slowest_seconds: float = 0
    pages: int = 0
    fields: int = 0
    # Of every field with every value.
    taken_share: float = 0
    statuses: dict[int, int] = field(default_factory=dict[int, int])
    findings: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def is_clean(self) -> bool:
        return not any(self.findings.values())


class Fuzz:
    """Sends so many requests to a site. `say` is told how it goes."""

    def __init__(self, site: Site, seed: int, count: int, say: Callable[[str], object]) -> None:
        self._site, self._count, self._say = site, count, say
        self._wire = Wire(site.port, site.webhook_secret)
        self._report = Report(seed)
        kinds = ("errors of ours", "no answer", "slow", "Ada's words seen", "Ada's rows changed")
        self._report.findings = {kind: [] for kind in (*kinds, "the website restarted")}

    def run(self) -> Report:
        """Return what was sent and found."""
        report, places = self._report, places_of(self._site)
        report.pages, report.fields = len(places), sum(len(place.names) for place in places)
        self._say(f"{report.pages} pages by method, {report.fields} fields in them")
        draw = Draw(report.seed, places, self._site.world, self._site.webhook_secret)
        began = time.monotonic()
        self._wire.log_in()
        self._site.show_codes()
        for number, sent in enumerate(draw.requests(self._count), start=1):
            self._look_at(sent, self._fastest(sent))
            if number % RESTORED_EVERY == 0:
                self._pause(number)
        if self._count % RESTORED_EVERY:
            self._pause(self._count)
        self._wire.close()
        report.requests, report.taken_share = self._count, draw.taken_share
        report.seconds = time.monotonic() - began
        return report

    def _fastest(self, sent: Sent) -> Answer:
        answers = [self._wire.send(sent)]
        while answers[-1].seconds > LONGEST_SECONDS and len(answers) < TRIES:
            answers.append(self._wire.send(sent))
        worst = max(answers, key=lambda answer: (answer.status == 0, answer.status))
        return Answer(worst.status, min(answer.seconds for answer in answers), worst.body)

    def _look_at(self, sent: Sent, answer: Answer) -> None:
        report = self._report
        report.statuses[answer.status] = report.statuses.get(answer.status, 0) + 1
        report.slowest_seconds = max(report.slowest_seconds, answer.seconds)
        if answer.status >= 500:
            self._find("errors of ours", f"{answer.status} {sent}")
        if answer.status == 0:
            self._find("no answer", str(sent))
        if answer.seconds > LONGEST_SECONDS:
            self._find("slow", f"{answer.seconds:.1f} s {sent}")
        # Admins read addresses.
        if CANARY.encode() in answer.body and sent.role != "admin":
            self._find("Ada's words seen", str(sent))

    def _pause(self, number: int) -> None:
        """Look at what is Ada's, and make everybody again what they were."""
        for table in self._site.changed_of_adas():
            found = f"{table}, before request {number}"
            if not any(
                one.startswith(f"{table},") for one in self._report.findings["Ada's rows changed"]
            ):
                self._find("Ada's rows changed", found)
        if self._site.has_restarted() and not self._report.findings["the website restarted"]:
            self._find("the website restarted", f"before request {number}")
        self._site.restore()
        self._wire.log_in()
        self._site.show_codes()
        if number % 5_000 == 0:
            self._say(f"{number} requests")

    def _find(self, kind: str, what: str) -> None:
        self._report.findings[kind].append(what)
