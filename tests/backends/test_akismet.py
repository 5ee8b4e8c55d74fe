"""Akismet's client against a service that speaks the documented protocol under a real server, and fails in any way."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from typing import Any, TypeVar

import httpx
import pytest

import contentguard
from contentguard.backends import CommentPupil
from contentguard.backends import akismet as module
from contentguard.backends.akismet import Akismet, AkismetError
from contentguard.comments.akismet import TEST_AUTHOR, TEST_EMAIL, TEST_ROLE
from contentguard.comments.akismet_options import AkismetOptions
from contentguard.comments.answers import AkismetVerdict, Alert, Receipt, Trouble
from contentguard.comments.decision import CommentAction, Decision, Judgement, decide
from contentguard.comments.figures import KeySites, SiteUsage, Usage
from contentguard.comments.ladder import SOONEST, batch
from contentguard.comments.submission import Submission
from tests.backends.akismet_server import BLOG, FAILURES, KEY, LOST, SLOW, FakeAkismet

T = TypeVar("T")
NOW = 1_790_000_000.0
COMMENT = Submission("/news/tide", "Well said.", "Ada", "ada@example.org", client="203.0.113.9", now=NOW)


def client(fake: FakeAkismet, *, seconds: float = 3.0, key: str = KEY, **options: object) -> Akismet:
    told = AkismetOptions(key=key, url=fake.url, **options)  # type: ignore[arg-type]
    return Akismet(told, BLOG, seconds=seconds, clock=lambda: NOW, chance=lambda: 0.0)


def using(akismet: Akismet, ask: Callable[[Akismet], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            return await ask(akismet)
        finally:
            await akismet.aclose()

    return asyncio.run(run())


def checked(fake: FakeAkismet, comment: Submission = COMMENT, **options: object) -> AkismetVerdict:
    return using(client(fake, **options), lambda a: a.comment_check(comment)).verdict  # type: ignore[arg-type]


# -- the six calls -----------------------------------------------------------------------------------------------


def test_a_key_is_checked(akismet: FakeAkismet) -> None:
    assert using(client(akismet), lambda a: a.verify_key()) == Receipt(True)
    (call,) = akismet.calls
    assert (call.method, call.path) == ("POST", "/1.1/verify-key")
    assert call.form == [("api_key", KEY), ("key", KEY), ("blog", BLOG)]


def test_a_comment_is_checked_with_all_that_is_known_of_it(akismet: FakeAkismet) -> None:
    told = replace(COMMENT, context=("science", "sea"), honeypot=("trap", ""), referrer="https://a.example/?q=ä")
    assert checked(akismet, told) is AkismetVerdict.HAM
    (call,) = akismet.calls
    assert (call.method, call.path) == ("POST", "/1.1/comment-check")
    assert call.headers["user-agent"] == f"ASGI/3.0 | contentguard/{contentguard.__version__}"
    assert call.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert not {"cookie", "authorization"} & call.headers.keys()
    assert (call["api_key"], call["blog"], call["user_ip"]) == (KEY, BLOG, "203.0.113.9")
    assert (call["referrer"], call["permalink"]) == ("https://a.example/?q=ä", f"{BLOG}/news/tide")
    assert call.all("comment_context[]") == ["science", "sea"]
    assert (call["honeypot_field_name"], call["trap"]) == ("trap", "")
    assert (call.get("is_test"), call.get("recheck_reason")) == (None, None)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"author": TEST_AUTHOR}, AkismetVerdict.SPAM),
        ({"email": TEST_EMAIL}, AkismetVerdict.SPAM),
        ({"text": "buy now"}, AkismetVerdict.SPAM),
        ({"text": "buy now", "role": TEST_ROLE}, AkismetVerdict.HAM),
        ({"text": "casino"}, AkismetVerdict.DISCARD),
        ({}, AkismetVerdict.HAM),
    ],
)
def test_the_documented_ways_to_try_it(akismet: FakeAkismet, change: dict[str, str], verdict: AkismetVerdict) -> None:
    assert checked(akismet, replace(COMMENT, **change), test=True) is verdict  # type: ignore[arg-type]
    assert akismet.calls[0]["is_test"] == "1"


def test_it_learns_what_it_is_told_and_forgets_it_again(akismet: FakeAkismet) -> None:
    kept = replace(COMMENT, guid="guid-7")
    assert using(client(akismet), lambda a: a.submit_spam(kept, reporter="Grace")) == Receipt(True)
    assert checked(akismet) is AkismetVerdict.SPAM
    assert using(client(akismet), lambda a: a.submit_ham(kept)) == Receipt(True)
    assert checked(akismet) is AkismetVerdict.HAM
    report, first = akismet.named("submit-spam")[0], akismet.named("comment-check")[0]
    assert set(report.form) - set(first.form) == {("guid", "guid-7"), ("reporter", "Grace")}
    assert set(first.form) <= set(report.form)


def test_a_trial_teaches_nothing(akismet: FakeAkismet) -> None:
    assert using(client(akismet, test=True), lambda a: a.submit_spam(COMMENT)).done
    assert checked(akismet) is AkismetVerdict.HAM


def test_usage(akismet: FakeAkismet) -> None:
    akismet.is_throttled, akismet.limit = True, 200
    checked(akismet)
    assert using(client(akismet), lambda a: a.usage_limit()) == Usage(200, 1, 0.5, True)
    akismet.limit = "none"
    assert using(client(akismet), lambda a: a.usage_limit()).limit is None


NEWS = SiteUsage("news.example", 2072, 2069, 3, 1, 0, False)
MOBILE = SiteUsage("m.news.example", 1633, 3, 1630, 0, 4, True)


@pytest.mark.parametrize("csv", [False, True])
def test_sites_of_the_key(akismet: FakeAkismet, csv: bool) -> None:
    def sites(**asked: Any) -> KeySites:
        return using(client(akismet), lambda a: a.key_sites(csv=csv, **asked))

    named = {"month": "2026-11", "order": "ham", "limit": 1, "offset": 0}
    assert sites(name="news", **named) == KeySites((MOBILE,), "2026-11", 2, 1, 0)
    (call,) = akismet.calls
    asked = {"month": "2026-11", "filter": "news", "order": "ham", "limit": "1", "offset": "0"}
    assert (call.method, dict(call.form)) == ("GET", {"api_key": KEY, "format": "csv" if csv else "json", **asked})
    assert sites() == KeySites((NEWS, MOBILE), "2026-12", 2, 500, 0)
    assert sites(offset=1).sites == (MOBILE,)
    assert sites(name="other").sites == ()
    with pytest.raises(ValueError, match="a month like 2026-12"):
        sites(month="last")
    assert len(akismet.calls) == 4


@pytest.mark.parametrize("failure", ["html", "error", "huge", "drop", "json"])
def test_figures_that_are_not_to_be_had(akismet: FakeAkismet, failure: str) -> None:
    akismet.failure = failure
    for ask in (Akismet.usage_limit, Akismet.key_sites):
        if (ask, failure) != (Akismet.key_sites, "json") and (ask, failure) != (Akismet.key_sites, "huge"):
            with pytest.raises(AkismetError):
                using(client(akismet), ask)


# -- answers that are no verdict ---------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [*FAILURES, *LOST, "gzip"])
def test_whatever_is_no_verdict_holds_the_comment(akismet: FakeAkismet, failure: str) -> None:
    akismet.failure = failure
    opinion = using(client(akismet), lambda a: a.opinion(COMMENT))
    assert opinion.judgement is Judgement.UNKNOWN
    assert opinion.recheck_after == SOONEST
    assert opinion.reasons[0].text.startswith("Akismet ")
    retried = failure in ("error", "unavailable", "huge", *LOST)
    assert len(akismet.calls) == (2 if retried else 1)
    decision = decide((), [opinion], now=NOW)
    assert (decision.action, decision.recheck_at) == (CommentAction.HOLD, NOW + SOONEST)


@pytest.mark.parametrize("failure", SLOW)
def test_it_is_not_waited_for(akismet: FakeAkismet, failure: str) -> None:
    akismet.failure = failure
    begun = time.monotonic()
    opinion = using(client(akismet, seconds=0.2), lambda a: a.opinion(COMMENT))
    assert opinion.judgement is Judgement.UNKNOWN
    assert opinion.reasons[0].text == "Akismet gave no answer within 0.2 seconds"
    assert time.monotonic() - begun >= 0.5
    assert len(akismet.calls) == 2


@pytest.mark.parametrize("failure", ["error", "drop", "half"])
def test_a_failure_that_passes_is_not_noticed(akismet: FakeAkismet, failure: str) -> None:
    akismet.failure, akismet.failures = failure, 1
    assert checked(akismet) is AkismetVerdict.HAM
    assert len(akismet.calls) == 2


def test_nobody_there(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    akismet = Akismet(AkismetOptions(key=KEY, url=f"http://127.0.0.1:{port}"), BLOG)
    using(akismet, lambda a: a.start())
    assert akismet.key_is_valid is None
    assert "could not be checked (Akismet is not to be reached (ConnectError))" in caplog.text


def test_a_redirect_is_not_followed(akismet: FakeAkismet) -> None:
    akismet.failure = "redirect"
    answer = using(client(akismet), lambda a: a.comment_check(COMMENT))
    assert (answer.verdict, answer.why) == (AkismetVerdict.UNKNOWN, "Akismet answered with status 307")


def test_https_alone_and_never_anything_else() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        raise httpx.ConnectError("TLS failed")

    akismet = Akismet(AkismetOptions(key=KEY), BLOG, transport=httpx.MockTransport(answer), chance=lambda: 0.0)
    for _ in range(5):
        assert using(akismet, lambda a: a.comment_check(COMMENT)).trouble is Trouble.SERVICE
    assert set(seen) == {"https://rest.akismet.com/1.1/comment-check"}
    with pytest.raises(ValueError, match="an https URL"):
        AkismetOptions(key=KEY, url="http://rest.akismet.com")


def test_proxies_of_the_environment_are_not_asked(akismet: FakeAkismet, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert checked(akismet) is AkismetVerdict.HAM


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n4\r\ntrueXX0\r\n\r\n", id="chunk without its end"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n4\r\ntrue\r\n-1\r\n\r\n", id="two lengths"
        ),
        pytest.param(b"Content-Length: 4\r\nContent-Length: 5\r\n\r\ntrue", id="lengths that differ"),
        pytest.param(b"X: " + b"x" * 200_000, id="a header without end"),
        pytest.param(b"\x00: 1\r\n\r\ntrue", id="a header without a name"),
    ],
)
def test_cve_2025_43859_h11_lenient_framing_is_no_verdict(wire: bytes) -> None:
    """A body whose end is a matter of opinion means nothing."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + wire)
        writer.close()

    async def ask() -> Judgement:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            options = AkismetOptions(key=KEY, url=f"http://127.0.0.1:{port}")
            akismet = Akismet(options, BLOG, seconds=1.0, chance=lambda: 0.0)
            opinion = await akismet.opinion(COMMENT)
            await akismet.aclose()
            return opinion.judgement

    assert asyncio.run(ask()) is Judgement.UNKNOWN


def test_many_at_once(akismet: FakeAkismet) -> None:
    async def many(a: Akismet) -> list[AkismetVerdict]:
        return [answer.verdict for answer in await asyncio.gather(*(a.comment_check(COMMENT) for _ in range(30)))]

    assert using(client(akismet), many) == [AkismetVerdict.HAM] * 30
    assert len(akismet.calls) == 30


def test_one_event_loop_after_another(akismet: FakeAkismet) -> None:
    one = client(akismet)
    answers = [asyncio.run(one.comment_check(COMMENT)).verdict for _ in range(3)]
    assert answers == [AkismetVerdict.HAM] * 3
    assert len(akismet.calls) == 3
    asyncio.run(one.aclose())


# -- the key -----------------------------------------------------------------------------------------------------


def test_a_valid_key_at_the_start(akismet: FakeAkismet, caplog: pytest.LogCaptureFixture) -> None:
    one = client(akismet)
    using(one, lambda a: a.start())
    assert (one.key_is_valid, one.fault) == (True, "")
    assert not [record for record in caplog.records if record.name.startswith("contentguard")]


def test_an_invalid_key_is_an_error_once_with_the_service_s_help(
    akismet: FakeAkismet, caplog: pytest.LogCaptureFixture
) -> None:
    one = client(akismet, key="wrongkey")

    async def often(a: Akismet) -> None:
        await a.start()
        for _ in range(3):
            await a.comment_check(COMMENT)

    using(one, often)
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert errors[0].endswith("Akismet calls the request invalid: We were unable to find a plan for (key)")
    assert one.key_is_valid is False
    assert "unable to find a plan" in one.fault
    opinion = using(client(akismet, key="wrongkey"), lambda a: a.opinion(COMMENT))
    assert (opinion.judgement, opinion.recheck_after) == (Judgement.UNKNOWN, 6 * 3600.0)


def test_a_suspended_key_holds_and_is_no_verdict(akismet: FakeAkismet, caplog: pytest.LogCaptureFixture) -> None:
    akismet.is_suspended = True
    one = client(akismet)

    async def then_paid(a: Akismet) -> tuple[Judgement, Judgement]:
        before = (await a.opinion(COMMENT)).judgement
        akismet.is_suspended = False
        return before, (await a.opinion(COMMENT)).judgement

    assert using(one, then_paid) == (Judgement.UNKNOWN, Judgement.HAM)
    assert (one.key_is_valid, one.fault) == (True, "")
    assert "The key is suspended" in caplog.text


def test_the_key_is_nowhere_but_in_what_is_sent(akismet: FakeAkismet, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    for name in ("httpx", "httpcore", "asyncio", "contentguard.akismet"):
        caplog.set_level(logging.DEBUG, logger=name)
    shown: list[str] = []

    async def everything(a: Akismet) -> None:
        shown.append(repr(a))
        for failure in ("", "html", "drop"):
            akismet.failure = failure
            shown.append(repr(await a.verify_key()))
            shown.append(repr(await a.opinion(COMMENT)))
            shown.append(repr(await a.submit_ham(COMMENT)))
            for ask in (a.usage_limit, a.key_sites, lambda: a.key_sites(csv=True)):
                try:
                    shown.append(repr(await ask()))
                except AkismetError:
                    shown.append(traceback.format_exc())
        shown.append(repr(vars(a)["alerts"]) + a.fault)

    akismet.alert = [("X-akismet-alert-code", "10005"), ("X-akismet-alert-msg", f"{KEY} is used by others")]
    for key in (KEY, "wrongk3y"):
        using(client(akismet, key=key), everything)
        assert key not in "".join(shown)
        assert not any(key in repr(vars(record)) for record in caplog.records if not _is_the_answer(record))
    assert "(key) is used by others" in "".join(shown)
    assert any("api_key" in dict(call.form) and call.method == "GET" for call in akismet.calls)


def _is_the_answer(record: logging.LogRecord) -> bool:
    """What the service itself says of the key, as httpcore shows it to who debugs; no request is shown."""
    return record.name == "httpcore.http11" and record.getMessage().startswith("receive_response_headers.complete")


def test_without_a_key_or_a_front_page_there_is_no_akismet() -> None:
    for options, origin in ((AkismetOptions(), BLOG), (AkismetOptions(key=KEY), "")):
        with pytest.raises(ValueError, match="needs a key and the site's front page"):
            Akismet(options, origin)


def test_a_front_page_of_its_own(akismet: FakeAkismet) -> None:
    one = Akismet(AkismetOptions(key=KEY, url=akismet.url, blog=BLOG), "https://m.news.example")
    assert using(one, lambda a: a.verify_key()).done
    one = Akismet(AkismetOptions(key=KEY, url=akismet.url, blog=BLOG), "https://m.news.example")
    using(one, lambda a: a.comment_check(COMMENT))
    assert akismet.calls[-1]["permalink"] == "https://m.news.example/news/tide"


def test_its_name_where_the_package_is_not_installed(monkeypatch: pytest.MonkeyPatch, akismet: FakeAkismet) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", missing)
    checked(akismet, application="Newsroom/2.1")
    assert akismet.calls[0].headers["user-agent"] == "Newsroom/2.1 | contentguard/0"


# -- what the editor hears ---------------------------------------------------------------------------------------


def test_an_alert_rides_on_a_good_verdict(akismet: FakeAkismet) -> None:
    one = client(akismet)
    akismet.alert = [
        ("X-akismet-alert-code", "10501"),
        ("X-akismet-alert-msg", "You are over your limit"),
        ("X-akismet-alert-upgrade-url", "https://akismet.com/upgrade"),
    ]
    assert using(one, lambda a: a.opinion(COMMENT)).judgement is Judgement.HAM
    assert one.alerts == {
        "10501": Alert("10501", "You are over your limit", (("upgrade-url", "https://akismet.com/upgrade"),))
    }
    assert one.counts == {AkismetVerdict.HAM: 1}


def test_only_so_many_alerts_are_kept(akismet: FakeAkismet) -> None:
    one = client(akismet)

    async def many(a: Akismet) -> None:
        for number in range(40):
            akismet.alert = [("X-akismet-alert-code", str(number))]
            await a.verify_key()

    using(one, many)
    assert list(one.alerts) == [str(number) for number in range(24, 40)]


# -- as one classifier among others ------------------------------------------------------------------------------


def test_it_is_a_classifier_that_learns(akismet: FakeAkismet) -> None:
    pupil: CommentPupil = client(akismet)
    text, link = pupil.notice
    assert text == "This site uses Akismet to reduce spam. Learn how your comment data is processed."
    assert link == "https://akismet.com/privacy/"

    async def taught(one: Akismet) -> tuple[bool, Judgement, bool, bool]:
        spam = await one.learn(COMMENT, spam=True)
        judged = (await one.opinion(COMMENT)).judgement
        ham = await one.learn(COMMENT, spam=False)
        akismet.failure = "unavailable"
        return spam, judged, ham, await one.learn(COMMENT, spam=True)

    assert using(client(akismet), taught) == (True, Judgement.SPAM, True, False)


def test_blatant_spam_is_dropped_where_the_site_wants_that(akismet: FakeAkismet) -> None:
    blatant = replace(COMMENT, text="casino")
    kept = using(client(akismet), lambda a: a.opinion(blatant))
    dropped = using(client(akismet, discard=True), lambda a: a.opinion(blatant))
    assert (kept.judgement, dropped.judgement) == (Judgement.SPAM, Judgement.DISCARD)
    assert kept.reasons[0].text == dropped.reasons[0].text == "Akismet takes it for blatant spam"
    assert kept.recheck_after is None


def test_who_wants_to_look_again_is_asked_again(akismet: FakeAkismet) -> None:
    comment = replace(COMMENT, text="look again")
    first = using(client(akismet), lambda a: a.opinion(comment))
    assert (first.judgement, first.recheck_after) == (Judgement.HAM, 900.0)
    decision = decide((), [first], now=NOW)
    assert (decision.action, decision.recheck_at, decision.guid) == (CommentAction.HOLD, NOW + 900, "guid-1")
    again = using(client(akismet), lambda a: a.opinion(replace(comment, guid=decision.guid), recheck=True))
    assert (again.judgement, again.recheck_after) == (Judgement.HAM, None)
    assert [call.get("recheck_reason") for call in akismet.calls] == [None, "recheck"]


def test_who_wants_to_look_again_for_ever_is_not_asked_again(akismet: FakeAkismet) -> None:
    old = replace(COMMENT, text="look again", now=NOW - 15 * 86400)
    opinion = using(client(akismet), lambda a: a.opinion(old))
    assert (opinion.judgement, opinion.recheck_after) == (Judgement.HAM, None)


def test_after_15_days_nobody_asks_any_more(akismet: FakeAkismet) -> None:
    akismet.failure = "unavailable"
    opinion = using(client(akismet), lambda a: a.opinion(replace(COMMENT, now=NOW - 15 * 86400), recheck=True))
    assert (opinion.judgement, opinion.recheck_after) == (Judgement.UNKNOWN, None)
    assert akismet.calls[0]["recheck_reason"] == "retry"


# -- an hour without it ------------------------------------------------------------------------------------------


class Newsroom:
    """An app that keeps comments with their decisions, and a job that it runs once a minute; all on one clock."""

    def __init__(self, fake: FakeAkismet) -> None:
        self.now = NOW
        self.akismet = Akismet(
            AkismetOptions(key=KEY, url=fake.url),
            BLOG,
            clock=lambda: self.now,
            timer=lambda: self.now,
            chance=lambda: 0.0,
        )
        self.kept: list[tuple[Submission, Decision]] = []

    async def post(self, text: str) -> None:
        submission = replace(COMMENT, text=text, now=self.now)
        self.kept.append((submission, decide((), [await self.akismet.opinion(submission)], now=self.now)))

    async def job(self) -> None:
        due = batch(((place, decision.recheck_at) for place, (_, decision) in enumerate(self.kept)), self.now)
        for place in due:
            submission, _ = self.kept[place]
            opinion = await self.akismet.opinion(submission, recheck=True)
            self.kept[place] = submission, decide((), [opinion], now=self.now)
            if opinion.judgement is Judgement.UNKNOWN:
                break


@pytest.mark.parametrize("failure", ["unavailable", "html", "drop"])
@pytest.mark.no_cover
def test_an_hour_s_outage_loses_no_comment(akismet: FakeAkismet, failure: str) -> None:
    room = Newsroom(akismet)

    async def day() -> None:
        akismet.failure = failure
        for minute in range(60):
            for number in range(5):
                await room.post("buy now" if number == 0 else f"Comment {minute}.{number}")
            await room.job()
            room.now += 60
        assert len(room.kept) == 300
        assert all(d.action is CommentAction.HOLD and d.recheck_at is not None for _, d in room.kept)
        during = len(akismet.calls)
        assert during < 200, "a service that is down is left alone"
        akismet.failure = ""
        for _ in range(65):
            await room.job()
            room.now += 60
        await room.akismet.aclose()

    asyncio.run(day())
    assert len(room.kept) == 300
    assert all(decision.recheck_at is None for _, decision in room.kept)
    for submission, decision in room.kept:
        expected = CommentAction.SPAM if submission.text == "buy now" else CommentAction.APPROVE
        assert decision.action is expected
    asked = [call for call in akismet.named("comment-check") if call.get("recheck_reason") == "retry"]
    assert {re.sub(r"\s+", " ", call["comment_content"]) for call in asked} == {s.text for s, _ in room.kept}
