"""Comments from their form to a decision: what is refused, and how; what is kept, and why; and that nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard import Comments, ContentGuardMiddleware, Settings, SettingsError
from contentguard.backends.memory import MemoryStore
from contentguard.comments.decision import CommentAction, Judgement, Opinion, Reason
from contentguard.comments.fields import MOST_BODY
from contentguard.comments.form import FIELD, Form
from contentguard.comments.submission import Submission
from contentguard.guard.posts import Posted
from contentguard.guard.senders import ASKED
from contentguard.tokens import Signer
from tests.client import CHROME, CURL, KEY, hidden_fields, http_scope, page
from tests.client import settings as site

T = TypeVar("T")
TIDE = "/news/tide"
POST = {**CHROME, "sec-fetch-site": "same-origin"}
LYNX = {"user-agent": "Lynx/2.9.0 libwww-FM/2.14", "accept": "text/html"}
SAID = {"comment": "The mill turns at high tide.", "author": "Ann", "email": "ann@example.org", "url": ""}


class Desk:
    """A site's comments, at a time that a test sets."""

    def __init__(self, **options: Any) -> None:
        self.now = 1_800_000_000.0
        others = {name: options.pop(name) for name in ("classifiers", "origin", "akismet") if name in options}
        self.settings = Settings(secret_key=KEY, comments=options, **others)
        self.comments = Comments.of(self.settings, lambda: self.now)

    def form(self, headers: Mapping[str, str] = CHROME, article: str = TIDE, **scope: Any) -> Form:
        return self.comments.form(http_scope(TIDE, headers, **scope), article)

    async def post(
        self,
        form: Form | None = None,
        headers: Mapping[str, str] = POST,
        said: Mapping[str, Any] = SAID,
        *,
        after: float = 20.0,
        scope: Mapping[str, Any] | None = None,
        **known: Any,
    ) -> Posted:
        form = form or self.form(headers)
        self.now += after
        fields = {**hidden_fields(form.html), **said}
        made = http_scope(TIDE, headers, method="POST", **(scope or {}))
        return await self.comments.receive(made, known.pop("article", TIDE), fields, **known)


def run(made: Awaitable[T]) -> T:
    async def awaited() -> T:
        return await made

    return asyncio.run(awaited())


def names(posted: Posted) -> list[str]:
    assert posted.decision is not None
    return [reason.name for reason in posted.decision.reasons]


def test_a_person_s_comment_is_taken_in() -> None:
    posted = run(Desk().post())
    assert (posted.status, posted.errors, posted.again, posted.form) == (200, {}, False, None)
    assert posted.submission is not None
    assert posted.submission.text == SAID["comment"]
    assert posted.submission.client == "192.0.2.7"
    assert posted.submission.language == "en-GB"
    assert posted.decision is not None
    assert posted.decision.action is CommentAction.HOLD
    assert names(posted) == ["new-author"]


@pytest.mark.parametrize(
    ("moderation", "known", "action", "why"),
    [
        ("new", {}, "hold", ["new-author"]),
        ("new", {"approved": True}, "approve", ["approved-before"]),
        ("all", {"approved": True}, "hold", ["all-held"]),
        ("none", {}, "approve", []),
        ("all", {"role": "editor"}, "approve", []),
        ("new", {"role": "subscriber"}, "hold", ["new-author"]),
    ],
)
def test_who_is_known(moderation: str, known: dict[str, Any], action: str, why: list[str]) -> None:
    posted = run(Desk(moderation=moderation).post(**known))
    assert posted.decision is not None
    assert (posted.decision.action, names(posted)) == (action, why)


def test_nothing_secret_is_passed_on() -> None:
    secret = {"cookie": "session=1", "authorization": "Basic x", "x-api-key": "k", "proxy-authorization": "y"}
    posted = run(Desk().post(headers={**POST, **secret}))
    assert posted.submission is not None
    told = dict(posted.submission.headers)
    assert not set(told) & set(secret)
    assert told["user-agent"] == CHROME["user-agent"]


def test_how_it_was_sent_is_told_and_what_else_the_form_held() -> None:
    headers = {**POST, "content-type": "application/x-www-form-urlencoded", "content-length": "99"}
    said = {**SAID, "comment": "The mill\u202e turns.", "submit": "Post Comment", "_wpnonce": "s3cret", "lang": "en"}
    posted = run(Desk().post(headers=headers, said=said, scope={"query_string": b"key=s3cret"}))
    assert posted.submission is not None
    assert dict(posted.submission.server) == {
        "REQUEST_METHOD": "POST",
        "REQUEST_URI": TIDE,
        "DOCUMENT_URI": TIDE,
        "REQUEST_SCHEME": "https",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": "99",
    }
    told = dict(posted.submission.posted)
    assert told == {"comment": "The mill\u202e turns.", "submit": "Post Comment", "lang": "en"}
    assert "s3cret" not in str(posted.submission)


# -- what is refused -----------------------------------------------------------------------------------------------


async def refused(desk: Desk, why: str, form: Form, **how: Any) -> Posted:
    """A post that is refused with a sentence, costs nothing that was typed, and is accepted once more pressed."""
    posted = await desk.post(form, **how)
    assert (posted.submission, posted.decision) == (None, None)
    assert why in posted.errors[""]
    assert posted.form is not None
    assert posted.form.token != form.token
    again = await desk.post(posted.form, **{**how, "after": 5.0, "article": TIDE})
    assert again.status == 200, again.errors
    return posted


def test_an_expired_form() -> None:
    desk = Desk()
    posted = run(refused(desk, "open for too long", desk.form(), after=86_401.0))
    assert (posted.status, posted.again) == (403, True)


def test_a_used_form() -> None:
    async def twice() -> None:
        desk = Desk()
        form = desk.form()
        assert (await desk.post(form)).status == 200
        posted = await refused(desk, "used already", form, said={**SAID, "comment": "Another."})
        assert (posted.status, posted.again) == (403, True)

    run(twice())


def test_a_form_of_another_article() -> None:
    async def moved() -> None:
        desk = Desk()
        posted = await refused(desk, "not from this page", desk.form(article="/news/other"))
        assert (posted.status, posted.again) == (403, True)

    run(moved())


def test_a_form_of_another_browser() -> None:
    desk = Desk()
    firefox = (
        CHROME["user-agent"].replace("Chrome/148.0.0.0", "Chrome/148.0.0.0").replace("X11; Linux", "Windows NT 10.0")
    )
    posted = run(refused(desk, "another browser", desk.form({**CHROME, "user-agent": firefox})))
    assert (posted.status, posted.again) == (403, True)


def test_a_browser_that_was_updated_is_the_same() -> None:
    desk = Desk()
    newer = {**POST, "user-agent": CHROME["user-agent"].replace("148", "149")}
    assert run(desk.post(desk.form(), newer)).status == 200


@pytest.mark.parametrize("token", ["", "x", "A" * 88, "é" * 88, "A" * 100_000, None, 5])
def test_a_forged_form(token: object) -> None:
    async def forged() -> None:
        desk = Desk()
        fields = {**SAID, FIELD: token} if token is not None else SAID
        posted = await desk.comments.receive(http_scope(TIDE, POST, method="POST"), TIDE, fields)
        assert (posted.status, posted.again) == (403, True)
        assert "press" in posted.errors[""]
        assert posted.form is not None
        assert (await desk.post(posted.form)).status == 200

    run(forged())


def test_a_form_signed_with_an_older_key_is_good() -> None:
    old, new = Settings(secret_key=KEY), Settings(secret_key=("another-secret-key", KEY))
    form = Comments.of(old, lambda: 1_800_000_000.0).form(http_scope(), TIDE)
    comments = Comments.of(new, lambda: 1_800_000_020.0)
    posted = run(comments.receive(http_scope(TIDE, POST), TIDE, {**SAID, **hidden_fields(form.html)}))
    assert posted.status == 200
    assert Signer((b"x" * 16,)).derive("comment-form") not in Signer((KEY.encode(),)).derived("comment-form")


@pytest.mark.parametrize(
    ("headers", "origin", "foreign"),
    [
        ({"sec-fetch-site": "cross-site"}, "", True),
        ({"sec-fetch-site": "same-site"}, "", True),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, "", False),
        ({"sec-fetch-site": "none"}, "", False),
        ({"origin": "https://evil.example"}, "", True),
        ({"origin": "null"}, "", True),
        ({"origin": "https://news.example"}, "", False),
        ({"origin": "https://news.example:443"}, "", False),
        ({"origin": "http://news.example"}, "", True),
        ({"origin": "https://news.example"}, "https://news.example", False),
        ({"origin": "https://evil.example", "host": "evil.example"}, "https://news.example", True),
        ({"origin": "https://[::1"}, "", True),
        ({}, "", False),
    ],
)
def test_posts_from_other_sites(headers: dict[str, str], origin: str, foreign: bool) -> None:
    plain = {name: value for name, value in CHROME.items() if not name.startswith("sec-fetch")}
    desk = Desk(second_press=False, **({"origin": origin} if origin else {}))
    posted = run(desk.post(headers={**plain, **headers}))
    assert posted.status == (403 if foreign else 200)
    assert ("another site" in posted.errors.get("", "")) is foreign


def test_what_is_wrong_with_fields_stands_next_to_them() -> None:
    async def corrected() -> None:
        desk = Desk()
        posted = await desk.post(said={**SAID, "email": "ann", "comment": ""})
        assert posted.status == 400
        assert posted.errors.keys() == {"email", "comment"}
        assert posted.form is not None
        again = await desk.post(posted.form, after=0.3)
        assert again.status == 200
        assert names(again) == ["new-author"], "who corrects a mistake need not wait again"

    run(corrected())


def test_too_many_fields() -> None:
    many = {str(number): "" for number in range(65)}
    posted = run(Desk().post(said={**SAID, **many}))
    assert posted.status == 400
    assert "could not be read" in posted.errors[""]


def test_the_form_that_answers_is_the_one_that_a_page_gets() -> None:
    async def answered() -> None:
        desk = Desk()
        scope = http_scope(TIDE, POST, method="POST")
        posted = await desk.comments.receive(scope, TIDE, SAID)
        assert desk.comments.form(scope, TIDE) == posted.form
        assert desk.comments.form(scope, "/news/other") != posted.form

    run(answered())


def test_floods() -> None:
    async def flood() -> None:
        desk = Desk()
        assert (await desk.post()).status == 200
        for headers, email in ((POST, "ann@example.org"), (POST, "bob@example.org")):
            posted = await desk.post(headers=headers, said={**SAID, "comment": "More.", "email": email}, after=4.0)
            assert posted.status == 429
            assert posted.errors[""] == "You are posting comments too quickly. Slow down."
        elsewhere = {"client": ("198.51.100.9", 1)}
        by_mail = await desk.post(said={**SAID, "comment": "More."}, after=3.5, scope=elsewhere)
        assert by_mail.status == 429, "the same e-mail address from elsewhere"
        assert posted.form is not None
        assert (await desk.post(posted.form, said={**SAID, "comment": "More."}, after=16.0)).status == 200
        editor = await desk.post(said={**SAID, "comment": "And more."}, after=4.0, role="editor")
        assert editor.status == 200

    run(flood())


def test_a_client_without_an_address_is_not_everybody() -> None:
    async def unix() -> None:
        desk = Desk()
        for number in range(3):
            said = {**SAID, "comment": f"Number {number}.", "email": f"ann{number}@example.org"}
            assert (await desk.post(said=said, after=4.0, scope={"client": None})).status == 200

    run(unix())


def test_duplicates() -> None:
    async def repeated() -> None:
        desk = Desk()
        assert (await desk.post()).status == 200
        posted = await desk.post(said={**SAID, "comment": "the mill turns - at high tide"})
        assert posted.status == 409
        assert posted.errors[""] == "Duplicate comment detected; it looks as though you've already said that!"
        assert (await desk.post(parent="7")).status == 200, "said again in answer to somebody"
        form = desk.form(article="/news/other")
        assert (await desk.post(form, article="/news/other")).status == 200, "said under another article"
        desk.now += 8 * 86_400.0
        assert (await desk.post()).status == 200, "said a week ago"

    run(repeated())


def test_the_same_text_by_somebody_else_is_a_sign() -> None:
    async def campaign() -> None:
        desk = Desk()
        text = "I have been reading news for years and never found a site as helpful as this one, visit mine too."
        assert "sent-before" not in names(await desk.post(said={**SAID, "comment": text}))
        bob = {**SAID, "email": "bob@example.org", "author": "Bob"}
        assert "sent-before" in names(await desk.post(said={**bob, "comment": text}))
        changed = text.replace("helpful", "useful")
        eve = {**SAID, "email": "eve@example.org", "author": "Eve"}
        assert "sent-alike" in names(await desk.post(said={**eve, "comment": changed}))
        assert names(await desk.post(said={**eve, "comment": "Thank you!"})) == ["new-author"]
        assert names(await desk.post(said={**bob, "comment": "Thank you!"})) == ["new-author"], "too short to be a copy"

    run(campaign())


# -- who sends it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "name", "action"), [(0.5, "too-fast", "spam"), (2.0, "fast", "hold"), (3.1, "", "approve")]
)
def test_nobody_types_that_fast(after: float, name: str, action: str) -> None:
    posted = run(Desk(moderation="none").post(after=after))
    assert posted.decision is not None
    assert posted.decision.action == action
    assert names(posted) == ([name] if name else [])


def test_the_trap() -> None:
    async def trapped() -> None:
        desk = Desk(moderation="none")
        form = desk.form()
        posted = await desk.post(form, said={**SAID, form.honeypot: "https://spam.example\x00"})
        assert posted.decision is not None
        assert posted.decision.action is CommentAction.SPAM
        assert posted.submission is not None
        assert posted.submission.honeypot == (form.honeypot, "https://spam.example")
        left_out = {name: value for name, value in hidden_fields(desk.form().html).items() if name == FIELD}
        made = http_scope(TIDE, POST, method="POST")
        desk.now += 16.0
        assert (await desk.comments.receive(made, TIDE, {**SAID, **left_out, "comment": "Other."})).status == 200

    run(trapped())


def test_who_shows_nothing_of_a_browser_presses_twice() -> None:
    async def pressed() -> None:
        for headers in (LYNX, CURL):
            desk = Desk()
            posted = await desk.post(headers=headers)
            assert (posted.status, posted.again, posted.decision) == (403, True, None)
            assert posted.errors[""].endswith("Please press “Post Comment” once more.")
            assert posted.form is not None
            again = await desk.post(posted.form, headers, after=0.4)
            assert again.status == 200
            assert names(again)[0] == "bare"

    run(pressed())


def test_a_second_press_can_be_done_without() -> None:
    assert run(Desk(second_press=False).post(headers=LYNX)).status == 200


def test_another_network_is_only_a_sign() -> None:
    desk = Desk()
    form = desk.form(client=("198.51.100.9", 1))
    assert "moved" in names(run(desk.post(form)))


def test_what_the_guard_knows_counts() -> None:
    """Behind the middleware: who fetched the article's parts is a browser, who did not presses twice."""

    async def read(fetched: bool) -> Posted:
        desk = Desk()
        app = ContentGuardMiddleware(page(), settings=site(), clock=lambda: desk.now)
        asked: list[dict[str, Any]] = []

        async def capture(scope: Any, receive: Any, send: Any) -> None:
            asked.append(scope)
            kind = b"text/css" if scope["path"].endswith(".css") else b"text/html"
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
            await send({"type": "http.response.body", "body": b""})

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await app(http_scope(TIDE, CHROME), receive, send)
        cookie = dict(sent[0]["headers"])[b"set-cookie"].decode().partition(";")[0]
        app.app = capture
        own = {**CHROME, "cookie": cookie}
        if fetched:
            part = {**own, "sec-fetch-dest": "style", "sec-fetch-mode": "no-cors", "sec-fetch-site": "same-origin"}
            await app(http_scope("/site.css", part), receive, send)
        await app(http_scope(TIDE, {**own, "sec-fetch-site": "same-origin"}, method="POST"), receive, send)
        scope = asked[-1]
        assert scope[ASKED][0].path == TIDE
        comments = scope["contentguard.comments"]
        assert comments is app.comments
        form = comments.form(scope, TIDE)
        desk.now += 20.0
        fields = {**SAID, **hidden_fields(form.html)}
        posted: Posted = await comments.receive({**scope}, TIDE, fields)
        return posted

    assert run(read(False)).again
    assert run(read(True)).status == 200


def test_the_guard_s_score_is_a_sign() -> None:
    headers = {**POST, "user-agent": CHROME["user-agent"].replace("Chrome/", "HeadlessChrome/")}
    posted = run(Desk().post(headers=headers))
    assert posted.decision is not None
    told = next(reason for reason in posted.decision.reasons if reason.name == "client")
    assert "headless" in told.text


# -- what is learned, and what others think ------------------------------------------------------------------------


SPAM = [f"Click here for the best casino bonus number {n} and win free cash now" for n in range(12)]
HAM = [f"The council voted on the harbour wall, point {n}, and I think they were right" for n in range(12)]


async def taught(desk: Desk) -> None:
    for text in SPAM:
        await desk.comments.learn(Submission(TIDE, text, "Eve"), True)
    for text in HAM:
        await desk.comments.learn(Submission(TIDE, text, "Ann"), False)


def test_moderators_teach_it(tmp_path: Path) -> None:
    async def learned() -> None:
        desk = Desk(moderation="none", lessons=str(tmp_path / "lessons.db"))
        assert names(await desk.post(said={**SAID, "comment": "A casino bonus, click here."})) == []
        await taught(desk)
        spam = await desk.post(said={**SAID, "comment": "Free casino bonus: click here and win cash now"})
        ham = await desk.post(said={**SAID, "comment": "I think the council and the harbour wall were right"})
        assert spam.decision is not None
        assert ham.decision is not None
        assert spam.decision.action is CommentAction.SPAM
        assert ham.decision.action is CommentAction.APPROVE
        told = next(reason for reason in spam.decision.reasons if reason.name == "learned")
        assert "It reads like spam" in told.text
        assert "“" in told.text
        await desk.comments.aclose()
        later = Desk(moderation="none", lessons=str(tmp_path / "lessons.db"))
        again = await later.post(said={**SAID, "comment": "Win cash now: casino bonus, click here for free"})
        assert again.decision is not None
        assert again.decision.action is CommentAction.SPAM
        await later.comments.aclose()

    run(learned())


def test_learning_can_be_switched_off() -> None:
    async def unlearned() -> None:
        desk = Desk(moderation="none", learn=False)
        await taught(desk)
        assert names(await desk.post(said={**SAID, "comment": SPAM[0]})) == []

    run(unlearned())


class Expert:
    """A classifier of a site's own."""

    notice = ("An expert reads along.", "/privacy")

    def __init__(self, opinion: Opinion | Exception) -> None:
        self.answer = opinion
        self.asked: list[tuple[Submission, bool]] = []
        self.told: list[tuple[Submission, bool]] = []

    async def opinion(self, submission: Submission, *, recheck: bool = False) -> Opinion:
        self.asked.append((submission, recheck))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def learn(self, submission: Submission, *, spam: bool) -> bool:
        self.told.append((submission, spam))
        return True


def test_others_are_asked_and_told() -> None:
    async def asked() -> None:
        expert = Expert(Opinion(Judgement.UNKNOWN, (Reason("expert", 0.0, "Asleep."),), "id-1", 1200.0))
        desk = Desk(moderation="none", classifiers=(expert,))
        posted = await desk.post()
        assert posted.decision is not None
        assert posted.submission is not None
        assert posted.decision.action is CommentAction.HOLD
        assert posted.decision.recheck_at == desk.now + 1200.0
        assert posted.submission.guid == posted.decision.guid == "id-1"
        expert.answer = Opinion(Judgement.HAM)
        decision = await desk.comments.recheck(posted.submission, posted.decision)
        assert (decision.action, decision.recheck_at, decision.guid) == (CommentAction.APPROVE, None, "id-1")
        assert [recheck for _, recheck in expert.asked] == [False, True]
        await desk.comments.learn(posted.submission, False)
        for _ in range(200):
            if expert.told:
                break
            await asyncio.sleep(0.01)
        assert expert.told == [(posted.submission, False)]
        assert await desk.comments.notice() == expert.notice
        await desk.comments.aclose()

    run(asked())


def test_who_fails_holds_comments() -> None:
    async def failing() -> None:
        desk = Desk(moderation="none", classifiers=(Expert(RuntimeError("no")),))
        posted = await desk.post()
        assert posted.decision is not None
        assert (posted.decision.action, names(posted)) == (CommentAction.HOLD, ["unasked"])
        await desk.comments.aclose()

    run(failing())


def test_what_is_spam_anyway_is_shown_to_nobody_else() -> None:
    async def trapped() -> None:
        expert = Expert(Opinion(Judgement.HAM))
        desk = Desk(classifiers=(expert,))
        form = desk.form()
        await desk.post(form, said={**SAID, form.honeypot: "x"})
        assert expert.asked == []
        await desk.comments.aclose()

    run(trapped())


def test_the_notice_is_true() -> None:
    text, link = run(Desk().comments.notice())
    assert "sent to nobody" in text
    assert link == ""
    with_key = Desk(akismet={"key": "abcdef123456"}, origin="https://news.example")
    text, link = run(with_key.comments.notice())
    assert text == "This site uses Akismet to reduce spam. Learn how your comment data is processed."
    assert link.startswith("https://akismet.com/")


def test_akismet_needs_to_know_the_site() -> None:
    with pytest.raises(SettingsError, match="front page"):
        Comments.of(Settings(secret_key=KEY, akismet={"key": "abcdef123456"}))


# -- what breaks ---------------------------------------------------------------------------------------------------


class Broken(MemoryStore):
    """A store that answers nothing."""

    async def count(self, *args: Any) -> bool:
        raise OSError("gone")

    async def take(self, *args: Any) -> Any:
        raise OSError("gone")


def test_a_broken_store_holds_comments_and_loses_none() -> None:
    """What happened to others: a store that is down answers 500 everywhere (threats: slowapi and its like)."""
    noted: list[str] = []
    store = Broken(1024, secret=bytes(32))
    desk = Desk(moderation="none")
    signer = Signer((KEY.encode(),))
    desk.comments = Comments(desk.settings, signer, store, lambda: desk.now, lambda what, why: noted.append(what))
    posted = run(desk.post())
    assert posted.decision is not None
    assert (posted.status, posted.decision.action, names(posted)) == (200, CommentAction.HOLD, ["unchecked"])
    assert noted == ["comments-failed"]


def test_lessons_that_cannot_be_read_hold_comments_and_lose_none(tmp_path: Path) -> None:
    async def unreadable() -> None:
        desk = Desk(moderation="none", lessons=str(tmp_path / "nowhere" / "lessons.db"))
        posted = await desk.post()
        assert posted.decision is not None
        assert (posted.status, posted.decision.action) == (200, CommentAction.HOLD)
        assert posted.submission is not None
        await desk.comments.learn(posted.submission, True)
        await desk.comments.aclose()

    run(unreadable())


def test_without_a_key_there_are_no_comments() -> None:
    with pytest.raises(SettingsError, match="forms that a random one signs are void"):
        Comments.of(Settings())


# -- forms as they come --------------------------------------------------------------------------------------------


def pieces(*parts: bytes, gone: bool = False) -> Callable[[], Awaitable[dict[str, Any]]]:
    left = [*parts]

    async def receive() -> dict[str, Any]:
        if not left:
            assert gone
            return {"type": "http.disconnect"}
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left) or gone}

    return receive


URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "receive", "fields"),
    [
        (URLENCODED, pieces(b"a=1&", b"b=%C3%A9+x"), {"a": "1", "b": "é x"}),
        (f" {URLENCODED.upper()} ; charset=utf-8", pieces(b"a=1"), {"a": "1"}),
        (URLENCODED, pieces(b""), {}),
        (URLENCODED, pieces(b"a=1", gone=True), None),
        (URLENCODED, pieces(b"a=" + b"x" * MOST_BODY, b"never asked for"), None),
        ("multipart/form-data; boundary=x", pieces(b"--x"), None),
        (";" * 100_000, pieces(b"a=1"), None),
        ("", pieces(b"a=1"), None),
    ],
)
def test_forms_are_read_within_limits(kind: str, receive: Any, fields: dict[str, str] | None) -> None:
    """CVE-2026-54283; and no multipart is parsed, nor a content type by an expression that could backtrack, so
    CVE-2024-24762, CVE-2024-53981, CVE-2026-40347 and CVE-2026-42561 of python-multipart find nothing here."""
    headers = {**POST, "content-type": kind} if kind else POST
    comments = Desk().comments
    assert run(comments.read(http_scope(TIDE, headers), receive)) == fields
    if fields is None:
        posted = run(comments.receive(http_scope(TIDE, headers), TIDE, fields))
        assert (posted.status, posted.errors[""][:28]) == (400, "This form could not be read:")


hostile = st.text(st.sampled_from("<>&\"'\x00\u202e\ud800/:.=") | st.characters(), max_size=60)


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(["comment", "author", "email", "url", FIELD]), hostile),
    st.dictionaries(
        st.sampled_from(["user-agent", "referer", "origin", "accept-language", "host"]), st.text(max_size=30)
    ),
    hostile,
    hostile,
)
def test_whatever_is_posted_is_answered(
    fields: dict[str, str], headers: dict[str, str], article: str, parent: str
) -> None:
    desk = Desk(second_press=False)
    made = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    scope = http_scope(TIDE, {}, method="POST")
    scope["headers"] = made
    form = desk.comments.form({**scope}, article)
    desk.now += 20.0
    posted = run(desk.comments.receive(scope, article, {**hidden_fields(form.html), **fields}, parent=parent))
    assert posted.status in (200, 400, 403)
    assert (posted.decision is None) is bool(posted.errors)
    if posted.submission is not None:
        assert Submission.from_dict(posted.submission.as_dict()) == posted.submission
        assert "<script" not in Comments.html(posted.submission.text)


def test_what_a_submission_holds_is_what_was_posted() -> None:
    posted = run(Desk().post(said={**SAID, "comment": "a\r\nb\x00", "author": " Ann \n B "}))
    assert posted.submission is not None
    assert (posted.submission.text, posted.submission.author) == ("a\nb", "Ann B")
    assert "hidden-characters" in names(posted)
    assert replace(posted.submission, guid="g").guid == "g"
