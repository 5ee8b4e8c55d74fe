"""A site's comments with Akismet behind them: a service that speaks the protocol under a real server, up and down."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contentguard import ContentGuardMiddleware, Settings, SettingsError
from contentguard.comments import ladder
from contentguard.comments.decision import CommentAction, Decision
from contentguard.comments.form import FIELD
from contentguard.comments.submission import Submission
from contentguard.guard.comments import Comments
from contentguard.guard.posts import Posted
from tests.backends.akismet_server import BLOG, KEY, FakeAkismet, akismet_server
from tests.client import CHROME, settings

ARTICLE = "/news/tide"
MINUTE = 60.0
WORDS = re.findall(
    r"\w+",
    "harbour tide mark quay almanac council storm bell rope lantern gull anchor ferry winter school road bridge letter "
    "garden window market teacher doctor river church engine summer cellar baker fisher ladder wagon copper kitchen "
    "mother brother cousin neighbour morning evening station tunnel valley orchard meadow chimney blanket barrel",
)


@pytest.fixture(scope="module")
def server() -> Iterator[FakeAkismet]:
    with akismet_server() as fake:
        yield fake


@pytest.fixture
def akismet(server: FakeAkismet) -> FakeAkismet:
    server.reset()
    return server


class Site:
    """One with comments, an Akismet and a clock of its own; an app that keeps what it is given, and a job."""

    def __init__(self, akismet: FakeAkismet | None, folder: Path | None = None, key: str = KEY, **more: object) -> None:
        self.now = 1_790_000_000.0
        lessons = str(folder / "lessons.db") if folder else ""
        told: dict[str, Any] = {"comments": {"moderation": "none", "flood_seconds": 0, "lessons": lessons}}
        if akismet is not None:
            told["akismet"] = {"key": key, "url": akismet.url, **more}
        self.settings = settings(**told)
        self.comments = Comments.of(self.settings, lambda: self.now)
        if self.comments.akismet is not None:
            self.comments.akismet._service._timer = lambda: self.now
            self.comments.akismet._service._chance = lambda: 0.0
        self.kept: list[tuple[Submission, Decision]] = []

    async def post(self, text: str, *, author: str = "Ada", email: str = "", number: int = 0, **more: Any) -> Posted:
        headers = [(name.encode(), value.encode()) for name, value in CHROME.items()]
        headers += [(b"sec-fetch-site", b"same-origin"), (b"cookie", b"session=s3cret"), (b"authorization", b"s3cret")]
        chosen = [(name, value) for name, value in headers if (name, value) != (b"sec-fetch-site", b"none")]
        client = (f"203.0.{number // 250}.{number % 250}", 4242)
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": ARTICLE, "headers": chosen, "client": client}
        form = self.comments.form(scope, ARTICLE)
        self.now += 20
        fields = {"comment": text, "author": author, "email": email or f"ada{number}@example.org", "url": ""}
        posted = await self.comments.receive(scope, ARTICLE, {**fields, FIELD: form.token, form.honeypot: ""}, **more)
        if posted.submission is not None and posted.decision is not None:
            self.kept.append((posted.submission, posted.decision))
        return posted

    async def job(self) -> None:
        """What the README tells an app to do."""
        due = ladder.batch(((place, decision.recheck_at) for place, (_, decision) in enumerate(self.kept)), self.now)
        for place in due:
            submission, decision = self.kept[place]
            self.kept[place] = submission, (again := await self.comments.recheck(submission, decision))
            if again.recheck_at is not None:
                break

    def run(self, do: Callable[[], Awaitable[None]]) -> None:
        """All of it in one event loop, and closed at the end."""

        async def whole() -> None:
            try:
                await do()
            finally:
                await self.comments.aclose()

        asyncio.run(whole())


async def until(condition: Callable[[], object]) -> None:
    """Go on once something is so, within ten seconds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never comes to that")


def test_what_it_says_becomes_the_decision(akismet: FakeAkismet) -> None:
    site = Site(akismet)

    async def day() -> None:
        await site.post("The mark at the quay is from 1953.", context=("science", "sea"), modified=1_780_000_000.0)
        await site.post("You can buy now whatever you like.", number=1)
        await site.post("The tide was higher in my youth.", author="viagra-test-123", number=2)
        await site.post("It will be lower again some day.", email="akismet-guaranteed-spam@example.com", number=3)
        await site.post("A casino stands there now, of all things.", number=4)

    site.run(day)
    assert [decision.action for _, decision in site.kept] == [CommentAction.APPROVE, *[CommentAction.SPAM] * 4]
    assert all(decision.recheck_at is None for _, decision in site.kept)
    assert all(submission.guid.startswith("guid-") for submission, _ in site.kept)
    assert any(reason.text == "Akismet takes it for spam" for reason in site.kept[1][1].reasons)
    first = akismet.named("comment-check")[0]
    assert (first["user_ip"], first["comment_author"], first["blog_lang"]) == ("203.0.0.0", "Ada", "en-GB")
    assert first.all("comment_context[]") == ["science", "sea"]
    assert first["comment_post_modified_gmt"] == "2026-05-28T20:26:40Z"
    assert first[first["honeypot_field_name"]] == ""
    assert first["HTTP_ACCEPT_LANGUAGE"] == "en-GB,en;q=0.9"
    assert "s3cret" not in str(akismet.calls)


def test_what_moderates_by_itself_never_leaves(akismet: FakeAkismet) -> None:
    site = Site(akismet)

    async def day() -> None:
        await site.post("Our own desk says hello.", role="editor")

    site.run(day)
    assert site.kept[0][1].action is CommentAction.APPROVE
    assert akismet.named("comment-check") == []


def test_blatant_spam_is_dropped_where_the_site_says_so(akismet: FakeAkismet) -> None:
    site = Site(akismet, discard=True)

    async def day() -> None:
        await site.post("A casino stands there now, of all things.")

    site.run(day)
    assert site.kept[0][1].action is CommentAction.DISCARD


def test_the_notice_is_true() -> None:
    with akismet_server() as fake:
        on, off = Site(fake), Site(None)
        told = asyncio.run(on.comments.notice())
        local = asyncio.run(off.comments.notice())
    assert told == (
        "This site uses Akismet to reduce spam. Learn how your comment data is processed.",
        "https://akismet.com/privacy/",
    )
    assert "Akismet" not in local[0]
    assert local[0]
    assert off.comments.akismet is None


@pytest.mark.parametrize("failure", ["unavailable", "drop"])
@pytest.mark.no_cover
def test_an_hour_s_outage_loses_no_comment(akismet: FakeAkismet, failure: str) -> None:
    site = Site(akismet)

    async def day() -> None:
        akismet.failure = failure
        begun = site.now
        number = 0
        while site.now - begun < 60 * MINUTE:
            text = " ".join(random.Random(number).sample(WORDS, 14))
            posted = await site.post(text + (" you can buy now" if number % 7 == 0 else ""), number=number)
            number += 1
            assert posted.status == 200
            if number % 3 == 0:
                await site.job()
        assert len(site.kept) == number == 180
        assert all(d.action is CommentAction.HOLD and d.recheck_at is not None for _, d in site.kept)
        akismet.failure = ""
        for _ in range(65):
            site.now += MINUTE
            await site.job()

    site.run(day)
    assert len(site.kept) == 180
    assert all(decision.recheck_at is None for _, decision in site.kept)
    for submission, decision in site.kept:
        expected = CommentAction.SPAM if "buy now" in submission.text else CommentAction.APPROVE
        assert decision.action is expected, submission.text
    retried = [call for call in akismet.named("comment-check") if call.get("recheck_reason") == "retry"]
    assert {call["comment_content"] for call in retried} == {submission.text for submission, _ in site.kept}


def test_a_verdict_for_the_time_being_is_asked_for_again(akismet: FakeAkismet) -> None:
    site = Site(akismet)

    async def day() -> None:
        posted = await site.post("Please look again at the harbour.")
        assert posted.decision is not None
        assert posted.decision.action is CommentAction.HOLD
        assert posted.decision.recheck_at == site.now + 900
        site.now += 900
        await site.job()

    site.run(day)
    (_, decision) = site.kept[0]
    assert (decision.action, decision.recheck_at, decision.guid) == (
        CommentAction.APPROVE,
        None,
        f"guid-{len(akismet.calls)}",
    )
    assert [call.get("recheck_reason") for call in akismet.named("comment-check")] == [None, "recheck"]


def test_what_moderators_say_is_reported_back_over_a_restart(akismet: FakeAkismet, tmp_path: Path) -> None:
    site = Site(akismet, tmp_path)
    texts = ["The mark at the quay is from 1953.", "You can buy now whatever you like."]

    async def before() -> None:
        await site.post(texts[0])
        await site.post(texts[1], number=1)
        akismet.failure = "unavailable"
        await site.comments.learn(site.kept[0][0], True)
        await site.comments.learn(site.kept[1][0], False)

    async def after() -> None:
        later.now = site.now + 20 * MINUTE
        akismet.failure = ""
        later.comments.begin()
        await until(lambda: len(akismet.spam) + len(akismet.ham) == 2)

    site.run(before)
    assert (akismet.spam, akismet.ham) == (set(), set())
    later = Site(akismet, tmp_path)
    later.run(after)
    assert (akismet.spam, akismet.ham) == ({texts[0]}, {texts[1]})
    check, report = akismet.named("comment-check")[0], akismet.named("submit-spam")[-1]
    assert set(check.form) <= set(report.form)
    assert report["guid"] == site.kept[0][0].guid


def test_the_key_is_checked_when_the_site_starts(
    akismet: FakeAkismet, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    site = Site(akismet, tmp_path, key="wr0ngkey")
    guard = ContentGuardMiddleware(_lifespan, settings=site.settings)

    async def life() -> None:
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        sent: list[str] = []

        async def send(message: Any) -> None:
            sent.append(message["type"])

        running = asyncio.create_task(guard({"type": "lifespan"}, messages.get, send))
        await messages.put({"type": "lifespan.startup"})
        assert guard.comments.akismet is not None
        await until(lambda: guard.comments.akismet is not None and guard.comments.akismet.key_is_valid is not None)
        assert guard.comments.akismet.key_is_valid is False
        await messages.put({"type": "lifespan.shutdown"})
        await running
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    caplog.set_level(logging.DEBUG)
    asyncio.run(life())
    assert [call.path for call in akismet.calls] == ["/1.1/verify-key"]
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "unable to find a plan for (key)" in errors[0]
    assert "wr0ngkey" not in repr(vars(guard))
    asyncio.run(site.comments.aclose())


async def _lifespan(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def test_a_key_without_a_site_is_a_fault_that_shows_no_key() -> None:
    with pytest.raises(SettingsError, match=r"akismet\.blog or origin") as caught:
        Comments.of(Settings(secret_key="a-secret-key-for-the-tests", akismet={"key": KEY}))
    assert KEY not in str(caught.value)
    with_blog = Settings(secret_key="a-secret-key-for-the-tests", akismet={"key": KEY, "blog": BLOG})
    assert Comments.of(with_blog).akismet is not None
