"""What goes out: in order, whole, once, and told as it stands when the messenger says no."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from actions.announcements import StreamPublisher
from actions.sending import Incoming, send
from channels import registry
from channels.base import Trouble
from channels.outbound import Part
from gateways.s3_files import Storage
from models import jobs
from models.base import utc_now
from models.channels import accounts, delivery_claims
from models.chat import sources
from models.chat.sources import Page
from models.jobs.cancellation import cancel
from models.schema.channels import ChannelAccount, Delivery, DeliveryStatus
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from tasks.messaging import delivering
from tests import factories
from tests.channels.loft import LEASE, Hand, Loft
from tests.channels.pigeon import CAPABILITIES, Pigeon
from tests.handed_over import handed_over
from tests.payments import GRANT, spend
from tests.tasks.messaging.steps import CHAT, always, answer, claim, deliver, once


def test_an_answer_goes_out_in_parts_and_buttons_stand_below_the_last(
    loft: Loft, running: Job, db: Session
) -> None:
    jobs.stop(db, running, answer="x" * 250)
    db.commit()
    deliver(loft)
    assert [len(text) for text in loft.pigeon.texts(CHAT)] == [100, 100, 62]
    assert [bool(message.rows) for message in loft.pigeon.chats[CHAT]] == [False, False, True]


def test_sources_are_listed_below_the_answer(loft: Loft, running: Job, db: Session) -> None:
    found = [Page("http://a.example/(x)", "A [b](http://evil.example) *c*")]
    sources.note(db, running, found, is_read=True)
    answer(db, running, "At 7 [1].")
    deliver(loft)
    (text,) = loft.pigeon.texts(CHAT)
    assert text.startswith("At 7 [1].")
    # The pigeon shows Markdown as it is: a title is words in it, and the link is the page's.
    assert r"\[1\] [A \[b\]\(http" in text
    assert text.endswith("(<http://a.example/(x)>)")


def test_a_process_that_dies_between_parts_leaves_the_rest_to_the_next(
    loft: Loft, running: Job, db: Session
) -> None:
    answer(db, running, "a" * 100 + "b" * 100 + "c" * 100)

    class Killed(BaseException):
        pass

    def _die(what: str) -> None:
        if len(loft.pigeon.chats.get(CHAT, [])) == 2:
            raise Killed

    loft.pigeon.mischief = _die
    with pytest.raises(Killed):
        deliver(loft)
    assert [text[0] for text in loft.pigeon.texts(CHAT)] == ["a", "b"]

    loft.pigeon.mischief = lambda _: None
    loft.work()
    assert [text[0] for text in loft.pigeon.texts(CHAT)] == ["a", "b", "c"]


def test_whoever_has_lost_the_lease_sends_no_further_part(
    loft: Loft, running: Job, db: Session
) -> None:
    answer(db, running, "a" * 100 + "b" * 100)
    claimed = claim(db)
    stolen = False

    def _steal(what: str) -> None:
        nonlocal stolen
        if not stolen:
            stolen = True
            loft.make_due()
            claim(db)

    loft.pigeon.mischief = _steal
    with capture_logs() as lines:
        delivering.deliver(claimed, loft.pigeon, lambda: False)
    assert [text[0] for text in loft.pigeon.texts(CHAT)] == ["a"]
    assert [line["event"] for line in lines] == ["delivery.lost"]


def test_an_answer_that_was_stopped_says_so_with_a_button(
    loft: Loft, running: Job, adas_bird: Hand, db: Session
) -> None:
    adas_bird.write("Another")
    second = loft.jobs()[-1]
    jobs.stop(db, running, answer="Ferns")
    cancel(db, second.user_id, second.id)
    db.commit()
    loft.work()
    stopped = loft.pigeon.chats[CHAT]
    assert [message.text for message in stopped] == ["Ferns\n\n*Stopped.*", "*Stopped.*"]
    assert [one.rows[0][0].data for one in stopped] == [
        f"retry:{running.id}",
        f"retry:{second.id}",
    ]
    adas_bird.press(f"retry:{second.id}")
    assert loft.jobs()[-1].message_id == second.message_id


@pytest.mark.parametrize(
    ("code", "verb", "page"),
    [
        (FailureCode.MESSAGE_LIMIT, "more", None),
        (FailureCode.TIME_LIMIT, "retry", None),
        (FailureCode.NO_CREDIT, "retry", "/billing"),
        (FailureCode.DAY_LIMIT, "retry", "/limits"),
    ],
)
def test_an_answer_that_failed_says_why_with_what_helps(
    loft: Loft, running: Job, db: Session, code: FailureCode, verb: str, page: str | None
) -> None:
    loft.pigeon.capabilities = replace(CAPABILITIES, text_limit=1_000)
    jobs.fail(db, running, code)
    db.commit()
    loft.work()
    (message,) = loft.pigeon.chats[CHAT]
    assert message.text.startswith("*")
    (row,) = message.rows
    assert row[-1].data == f"{verb}:{running.id}"
    assert [(one.url or "").endswith(page or "-") for one in row[:-1]] == [True] * bool(page)


def test_what_was_written_on_the_website_is_shown_before_its_answer(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    adas_bird.write("One")
    first = factories.claim(db)
    assert first
    answer(db, first, "Answer one.")
    web = Incoming("Two *stars*", conversation_id=first.conversation_id)
    send(db, ada, web, StreamPublisher())
    db.commit()
    second = factories.claim(db)
    assert second
    answer(db, second, "Answer two.")
    loft.work()
    one, question, two = loft.pigeon.texts(CHAT)
    assert (one, two) == ("Answer one.", "Answer two.")
    assert question == "You, on the website:\n\n> Two \\*stars\\*"


def test_what_is_said_in_another_conversation_is_not_shown(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    adas_bird.write("Here")
    send(db, ada, Incoming("Elsewhere"), StreamPublisher())
    db.commit()
    wanted = sa.select(sa.func.count()).select_from(Delivery)
    assert db.scalar(wanted) == 1


def test_a_deleted_question_and_its_answer_are_not_sent(
    loft: Loft, running: Job, db: Session
) -> None:
    answer(db, running, "Ferns.")
    accounts.release_conversation(db, running.conversation_id)
    db.commit()
    loft.work()
    assert loft.pigeon.chats == {}


def test_formatting_that_is_refused_is_left_out(loft: Loft, running: Job, db: Session) -> None:
    answer(db, running, "Ferns.")
    loft.pigeon.mischief = once(Trouble.BAD_FORMATTING)
    delivery = deliver(loft)
    (message,) = loft.pigeon.chats[CHAT]
    assert message.versions == [Part("Ferns.")]
    assert delivery.status is DeliveryStatus.SENT


def test_too_many_calls_wait_as_long_as_the_messenger_says(
    loft: Loft, running: Job, db: Session
) -> None:
    answer(db, running, "Ferns.")
    loft.pigeon.mischief = once(Trouble.TOO_MANY_CALLS, retry_after_seconds=120)
    delivery = deliver(loft)
    assert delivery.status is DeliveryStatus.WAITING
    assert timedelta(seconds=110) < delivery.ready_at - utc_now() <= timedelta(seconds=120)
    loft.work(only_due=True)
    assert loft.pigeon.chats == {}
    loft.work()
    assert loft.pigeon.texts(CHAT) == ["Ferns."]


def test_a_messenger_that_is_away_is_tried_again_and_given_up_after_a_day(
    loft: Loft, running: Job, db: Session
) -> None:
    answer(db, running, "Ferns.")
    loft.pigeon.mischief = always(Trouble.UNREACHABLE)
    assert deliver(loft).failures == 1
    loft.make_due()
    delivery = deliver(loft)
    assert (delivery.failures, delivery.status) == (2, DeliveryStatus.WAITING)
    a_day_ago = utc_now() - timedelta(hours=25)
    db.execute(sa.update(Delivery).values(created_at=a_day_ago))
    loft.make_due()
    # It may have waited for credits: it is no news only once it has been there for a day.
    assert deliver(loft).status is DeliveryStatus.WAITING
    db.execute(sa.update(Job).values(finished_at=a_day_ago))
    loft.make_due()
    assert deliver(loft).status is DeliveryStatus.FAILED


def test_a_fault_of_ours_holds_the_lane_up_for_some_tries_only(
    loft: Loft, running: Job, adas_bird: Hand, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(db, running, "Ferns.")
    usual = Pigeon.render

    def _render(self: Pigeon, markdown: str) -> list[Part]:
        if markdown == "Ferns.":
            raise ZeroDivisionError
        return usual(self, markdown)

    monkeypatch.setattr(Pigeon, "render", _render)
    with capture_logs() as lines:
        loft.work()
    broken = [line for line in lines if line["event"] == "delivery.broken"]
    assert len(broken) == delivering.MOST_FAULTS
    assert db.scalars(sa.select(Delivery.status)).one() is DeliveryStatus.FAILED


def test_a_user_who_has_blocked_us_is_left_alone(
    loft: Loft, running: Job, adas_bird: Hand, db: Session
) -> None:
    adas_bird.write("Another")
    answer(db, running, "Ferns.")
    loft.pigeon.mischief = always(Trouble.BLOCKED)
    deliver(loft)
    assert set(db.scalars(sa.select(Delivery.status))) == {DeliveryStatus.CANCELLED}
    assert db.scalars(sa.select(ChannelAccount.blocked_at)).one() is not None


def test_credits_that_are_used_up_are_told_once(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    spend(db, ada, GRANT)
    db.commit()
    adas_bird.command("new")
    adas_bird.write("Hello?")
    job = loft.jobs()[-1]
    assert job.status is JobStatus.PAUSED
    loft.work()
    loft.work()
    _, message = loft.pigeon.chats[CHAT]
    assert message.text.startswith("Your credits are used up")
    assert (message.rows[0][0].url or "").endswith("/billing")

    factories.gift(db, ada.id, 1_000_000)
    resumed = factories.claim(db)
    assert resumed
    answer(db, resumed, "Hello.")
    loft.work()
    assert loft.pigeon.texts(CHAT)[2:] == ["Hello."]


def test_replies_do_not_wait_for_an_answer_and_answers_wait_for_each_other(
    loft: Loft, running: Job, adas_bird: Hand, db: Session
) -> None:
    adas_bird.command("help")
    adas_bird.write("Second")
    found = delivery_claims.claim(db, ["pigeon"], LEASE, most=5)
    assert [one.kind for one in found] == ["answer", "notice"] or [one.kind for one in found] == [
        "notice",
        "answer",
    ]
    assert {one.job_id for one in found} == {running.id, None}
    assert delivery_claims.claim(db, ["pigeon"], LEASE, most=5) == []


def test_without_buttons_links_stand_in_the_words(loft: Loft, adas_bird: Hand) -> None:
    loft.pigeon.capabilities = replace(CAPABILITIES, has_buttons=False, text_limit=1_000)
    adas_bird.command("limits")
    loft.work()
    (message,) = loft.pigeon.chats[CHAT]
    assert message.rows == []
    assert message.text.rstrip().endswith("/limits")


def test_nothing_of_another_channel_is_claimed(loft: Loft, running: Job, db: Session) -> None:
    assert delivery_claims.claim(db, ["telegraph"], LEASE, most=5) == []
    assert registry.find("telegraph") is None


def test_files_follow_the_words_and_what_cannot_be_sent_is_said(
    loft: Loft, running: Job, db: Session, storage: Storage
) -> None:
    assert storage
    handed_over(db, running, b"# Plan\n")
    handed_over(db, running, b"x" * (CAPABILITIES.outbound_file_limit_bytes + 1), "files/big.csv")
    gone = handed_over(db, running, b"x", "files/gone.txt")
    storage.delete(gone.storage_key)
    answer(db, running, "w" * 150)
    deliver(loft)
    words, rest, plan, *others = loft.pigeon.texts(CHAT)
    assert (len(words), len(rest), plan) == (100, 50, "plan.md")
    assert ["big" in others[0], "/files" in others[0], "gone" in others[1]] == [True] * 3


def test_a_process_that_dies_between_files_leaves_the_rest_to_the_next(
    loft: Loft, running: Job, db: Session, storage: Storage
) -> None:
    assert storage
    for name in "abc":
        handed_over(db, running, b"x", f"files/{name}.txt")
    answer(db, running, "Here.")

    class Killed(BaseException):
        pass

    def _die(what: str) -> None:
        if len(loft.pigeon.chats.get(CHAT, [])) == 3:
            raise Killed

    loft.pigeon.mischief = _die
    with pytest.raises(Killed):
        deliver(loft)
    loft.pigeon.mischief = lambda _: None
    loft.work()
    assert loft.pigeon.texts(CHAT) == ["Here.", "a.txt", "b.txt", "c.txt"]


def test_a_file_that_is_refused_costs_the_answer_nothing(
    loft: Loft, running: Job, db: Session, storage: Storage
) -> None:
    assert storage
    handed_over(db, running, b"x", "files/odd.txt")
    answer(db, running, "Here.")
    loft.pigeon.mischief = once(Trouble.REFUSED, on="file")
    deliver(loft)
    words, said = loft.pigeon.texts(CHAT)
    assert words == "Here."
    assert "odd" in said
