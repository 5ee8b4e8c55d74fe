"""Comments on the site, in this process: what a reader is told, what an editor does, and an Akismet that is down."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from html import unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from contentguard import Comments, ContentGuardMiddleware, Settings
from contentguard.comments.fields import MOST_BODY
from contentguard.comments.form import FIELD
from examples.news.accounts import hashed
from examples.news.app import Site, create_app
from examples.news.content import load
from examples.news.database import Status
from examples.news.rules import RULES, Rules, written
from tests.backends.akismet_server import BLOG, KEY, FakeAkismet, akismet_server, call
from tests.client import CHROME
from tests.examples.news.conftest import ORIGIN

STORY, PASSWORD = "/news/story-0", "herring"
HEADERS = {**CHROME, "sec-fetch-site": "same-origin"}
MINUTE = 60.0


class Paper:
    """The site with a clock of its own, and readers who ask it."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.now = 1_790_000_000.0
        self.app: Starlette = create_app(load(folder), origin=ORIGIN)
        self.site: Site = self.app.state.site
        settings = Settings(secret_key="a-secret-key-for-the-tests", origin=BLOG, **options)
        self.site.comments = Comments.of(settings, self._time)
        self.site.replies._clock = self.site.desk._clock = self._time
        if self.site.comments.akismet is not None:
            self.site.comments.akismet._service._timer = self._time

    def _time(self) -> float:
        return self.now

    async def ask(self, method: str, path: str, number: int = 1, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(f"192.0.2.{number}", 4000))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=HEADERS) as client:
            return await client.request(method, path, **more)

    async def get(self, path: str, number: int = 1, **more: Any) -> str:
        return (await self.ask("GET", path, number, **more)).text

    async def post(
        self, text: str, number: int = 1, also: Mapping[str, str] = MappingProxyType({}), **fields: str
    ) -> httpx.Response:
        """Post a comment as a person does: with the form that was shown, some seconds later."""
        page = await self.get(STORY, number)
        self.now += 20.0
        told = {"comment": text, "author": "Ada", "email": f"ada{number}@example.org", **fields, **also}
        return await self.ask("POST", f"{STORY}/reply", number, data={**form(page), **told})

    async def signed_in(self) -> dict[str, str]:
        """An editor's cookie, as a header."""
        await self.site.database.set_password("grace", hashed(PASSWORD))
        answer = await self.ask("POST", "/desk/sign-in", data={"name": "grace", "password": PASSWORD})
        assert answer.headers["location"] == "/desk/comments"
        return {"cookie": answer.headers["set-cookie"].partition(";")[0]}

    async def act(self, editor: Mapping[str, str], **fields: Any) -> httpx.Response:
        """Press a button of the desk."""
        page = await self.get("/desk/comments", headers=editor)
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token is not None
        return await self.ask("POST", "/desk/comments", headers=editor, data={"token": token[1], **fields})

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        async def whole() -> None:
            try:
                await story()
            finally:
                await self.site.database.close()
                await self.site.store.close()
                assert self.site.comments is not None
                await self.site.comments.aclose()

        asyncio.run(whole())


def form(page: str) -> dict[str, str]:
    """What a browser sends of the form by itself."""
    shown = page[page.index('id="commentform"') :]
    shown = shown[: shown.index("</form>")]
    inputs = re.findall(r"<input[^>]*>", shown)
    named = {re.search(r'name="([^"]+)"', one)[1]: one for one in inputs}  # type: ignore[index]
    kept = {n: re.search(r'value="([^"]*)"', one) for n, one in named.items() if n != "wp-comment-cookies-consent"}
    return {name: unescape(value[1]) if value else "" for name, value in kept.items()}


@pytest.fixture
def paper(folder: Path) -> Paper:
    return Paper(folder)


def test_the_form_says_what_wordpress_says(paper: Paper) -> None:
    async def story() -> None:
        page = await paper.get(STORY)
        for words in (
            "Leave a Reply",
            "Your email address will not be published.",
            "Required fields are marked",
            "Save my name, email, and website in this browser for the next time I comment.",
            "Post Comment",
        ):
            assert words in page
        assert "Akismet" not in page
        assert "This site reduces spam by a filter of its own" in page
        assert 'name="wp-comment-cookies-consent" type="checkbox" value="yes">' in page, "unticked"
        assert {"comment_parent", "author", "email", "url", FIELD} < set(form(page))

    paper.run(story)


def test_a_comment_waits_is_seen_by_its_author_and_approved(paper: Paper) -> None:
    async def story() -> None:
        posted = await paper.post("Good to read.")
        assert posted.status_code == 303
        place = posted.headers["location"]
        assert re.fullmatch(STORY + r"\?unapproved=1&moderation-hash=[0-9a-f]{40}#comment-1", place)
        assert "Your comment is awaiting moderation." in await paper.get(place)
        assert "Good to read." not in await paper.get(STORY, 2)
        assert "Good to read." not in await paper.get(place.replace("hash=", "hash=0"), 2)
        editor = await paper.signed_in()
        done = await paper.act(editor, queue="pending", only="approve:1")
        assert "done=1+comment+changed." in done.headers["location"]
        assert "Good to read." in await paper.get(STORY, 2)
        assert "One thought on" in await paper.get(STORY, 2)
        again = await paper.post("And more.")
        assert again.headers["location"] == f"{STORY}#comment-2", "who has an approved comment does not wait"
        filed = await paper.site.database.get(1)
        assert filed is not None
        assert (filed.moderator, filed.learned) == ("grace", "ham")

    paper.run(story)


def test_answers_go_five_deep_and_no_deeper(paper: Paper) -> None:
    async def story() -> None:
        editor = await paper.signed_in()
        for number in range(1, 8):
            query = f"?replytocom={number - 1}" if number > 1 else ""
            page = await paper.get(STORY + query, headers=editor)
            if number > 1:
                assert "Leave a Reply to grace" in page
                assert "Cancel reply" in page
            paper.now += 20.0
            told = {**form(page), "comment": f"Level {number}."}
            assert (await paper.ask("POST", f"{STORY}/reply", data=told, headers=editor)).status_code == 303
        parents = await paper.site.database.parents("story-0")
        assert parents == {1: 0, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 4}
        assert (await paper.get(STORY)).count('class="children"') == 4
        assert "The desk" in await paper.get(STORY)

    paper.run(story)


@pytest.mark.parametrize(
    ("fields", "status", "beside", "words"),
    [
        ({"author": ""}, 400, "author", "required|name"),
        ({"email": ""}, 400, "email", "required|email"),
        ({"email": "no address"}, 400, "email", "valid"),
        ({"comment": "  "}, 400, "comment", "comment"),
        ({FIELD: "forged"}, 403, "", "once more"),
        ({FIELD: ""}, 403, "", "once more"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    paper: Paper, fields: dict[str, str], status: int, beside: str, words: str
) -> None:
    async def story() -> None:
        text = fields.get("comment", 'Typed with <care> & "quotes".')
        answer = await paper.post(text, also=fields)
        assert answer.status_code == status
        page = answer.text
        complaint = re.search(rf'<p class="complaint"[^>]*{f"{beside}-error" if beside else "alert"}">(.*?)</p>', page)
        assert complaint is not None
        assert re.search(words, complaint[1], re.IGNORECASE)
        kept = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
        assert kept is not None
        assert unescape(kept[1]) == text
        assert "Nobody had nets" not in page, "the story is not on it"
        assert await paper.site.database.counts() == dict.fromkeys(Status, 0)

    paper.run(story)


def test_what_is_no_form_is_told_so(paper: Paper) -> None:
    async def story() -> None:
        large = {"comment": "x" * (MOST_BODY + 1)}
        for told in ({"json": {"comment": "x"}}, {"content": b"comment=x"}, {"data": large}):
            answer = await paper.ask("POST", f"{STORY}/reply", **told)
            assert (answer.status_code, "no form of this site" in answer.text) == (400, True)

    paper.run(story)


def test_a_duplicate_is_409_a_flood_429_and_a_replay_403(paper: Paper) -> None:
    async def story() -> None:
        page = await paper.get(STORY)
        paper.now += 20.0
        told = {**form(page), "comment": "Once.", "author": "Ada", "email": "ada@example.org"}
        assert (await paper.ask("POST", f"{STORY}/reply", data=told)).status_code == 303
        paper.now += 20.0
        replayed = await paper.ask("POST", f"{STORY}/reply", data={**told, "comment": "Twice."})
        assert (replayed.status_code, "used already" in replayed.text) == (403, True)
        again = await paper.post("Once.", email="ada@example.org")
        assert (again.status_code, "already said that" in unescape(again.text)) == (409, True)
        page = await paper.get(STORY)
        first = await paper.post("Something else.", email="ada@example.org")
        assert first.status_code == 303
        paper.now += 4.0
        told = {**form(page), "comment": "Too soon.", "author": "Ada", "email": "ada@example.org"}
        flood = await paper.ask("POST", f"{STORY}/reply", data=told)
        assert (flood.status_code, "Slow down" in flood.text) == (429, True)
        assert "Too soon." in flood.text

    paper.run(story)


def test_another_sites_page_posts_nothing(paper: Paper) -> None:
    async def story() -> None:
        page = await paper.get(STORY)
        paper.now += 20.0
        told = {**form(page), "comment": "Forged.", "author": "Ada", "email": "ada@example.org"}
        answer = await paper.ask("POST", f"{STORY}/reply", data=told, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403
        assert "Forged." in answer.text

    paper.run(story)


def test_a_closed_story_takes_no_comment(paper: Paper) -> None:
    async def story() -> None:
        editor = await paper.signed_in()
        page = await paper.get(STORY)
        token = re.search(r'name="token" value="([^"]+)"', await paper.get("/desk/stories", headers=editor))
        assert token is not None
        told = {"token": token[1], "slug": "story-0", "action": "close"}
        assert (await paper.ask("POST", "/desk/stories", data=told, headers=editor)).status_code == 303
        assert "Sorry, comments are closed for this story." in await paper.get(STORY)
        paper.now += 20.0
        late = {**form(page), "comment": "Late.", "author": "Ada", "email": "ada@example.org"}
        answer = await paper.ask("POST", f"{STORY}/reply", data=late)
        assert (answer.status_code, "comments are closed" in answer.text) == (403, True)
        assert (await paper.ask("GET", f"{STORY}/reply")).status_code == 403
        unknown = await paper.ask("POST", "/desk/stories", data={**told, "slug": "nowhere"}, headers=editor)
        assert unknown.status_code == 404
        await paper.ask("POST", "/desk/stories", data={**told, "action": "open"}, headers=editor)
        assert "Post Comment" in await paper.get(STORY)

    paper.run(story)


def test_editors_rules_hold_from_now_on(paper: Paper) -> None:
    async def story() -> None:
        editor = await paper.signed_in()
        token = re.search(r'name="token" value="([^"]+)"', await paper.get("/desk/rules", headers=editor))
        assert token is not None
        rules = {"token": token[1], "max_links": "1", "moderation_words": "herring\n", "disallowed_words": "casino"}
        assert (await paper.ask("POST", "/desk/rules", data=rules, headers=editor)).status_code == 303
        assert "herring" in await paper.get("/desk/rules", headers=editor)
        wrong = await paper.ask("POST", "/desk/rules", data={**rules, "max_links": "many"}, headers=editor)
        assert (wrong.status_code, "found &#39;many&#39;" in wrong.text) == (400, True)
        for number, text in enumerate(("Plain.", "A herring.", "See https://a.example", "My casino."), 1):
            await paper.post(text, number)
        kept = {one.text: one.status for one in await paper.site.database.filed([1, 2, 3, 4])}
        assert kept == {
            "Plain.": Status.APPROVED,
            "A herring.": Status.PENDING,
            "See https://a.example": Status.PENDING,
            "My casino.": Status.SPAM,
        }
        queue = await paper.get("/desk/comments?queue=spam", headers=editor)
        assert "disallowed-word" in queue, "reasons are told"

    paper.run(story)


def test_bulk_actions_move_what_is_in_their_queue_and_teach(paper: Paper) -> None:
    async def story() -> None:
        editor = await paper.signed_in()
        for number in (1, 2, 3):
            await paper.post(f"Number {number}.", number)
        done = await paper.act(editor, action="spam", queue="pending", comment=["1", "3"])
        assert "2+comments+changed" in done.headers["location"]
        assert (await paper.site.database.counts())[Status.SPAM] == 2
        assert "choose+what+is+to+be+done" in (await paper.act(editor, queue="spam", comment="1")).headers["location"]
        assert "0+comments" in (await paper.act(editor, action="restore", comment="1")).headers["location"]
        await paper.act(editor, queue="spam", only="hold:1")
        await paper.act(editor, queue="pending", only="trash:1")
        await paper.act(editor, queue="trash", only="restore:1")
        first, third = await paper.site.database.filed([1, 3])
        assert (first.status, first.learned, third.learned) == (Status.PENDING, "ham", "spam")
        await paper.act(editor, queue="spam", only="delete:3")
        assert await paper.site.database.get(3) is None

    paper.run(story)


def test_the_desk_is_for_editors(paper: Paper) -> None:
    async def story() -> None:
        for path in ("/desk", "/desk/comments", "/desk/stories", "/desk/rules"):
            answer = await paper.ask("GET", path)
            assert answer.headers["location"] == "/desk/sign-in"
        editor = await paper.signed_in()
        await paper.post("Waits.")
        for told in ({}, {"token": "0" * 40}):
            forged = await paper.ask(
                "POST", "/desk/comments", headers=editor, data={**told, "only": "approve:1", "queue": "pending"}
            )
            assert (forged.status_code, "Nothing was changed" in forged.text) == (403, True)
        assert (await paper.site.database.counts())[Status.PENDING] == 1
        page = await paper.ask("GET", "/desk/comments", headers=editor)
        assert page.headers["cache-control"] == "no-store"
        assert "noindex" in page.headers["x-robots-tag"]
        for attempt in range(9):
            wrong = await paper.ask("POST", "/desk/sign-in", 9, data={"name": "grace", "password": "x"})
            assert wrong.status_code == (403 if attempt < 8 else 429)
        nobody = await paper.ask("POST", "/desk/sign-in", 8, data={"name": "nobody", "password": ""})
        assert nobody.status_code == 403, "a name without a password lets nobody in"
        token = re.search(r'name="token" value="([^"]+)"', page.text)
        assert token is not None
        out = await paper.ask("POST", "/desk/sign-out", headers=editor, data={"token": token[1]})
        assert 'gazette-desk=""' in out.headers["set-cookie"]

    paper.run(story)


def test_guesses_at_a_password_all_at_once_are_no_more_than_one_after_the_other(paper: Paper) -> None:
    """Counted only once their passwords had been looked at, any number at a time were heard."""

    async def story() -> None:
        await paper.signed_in()
        guess = {"name": "grace", "password": "x"}
        answers = await asyncio.gather(*(paper.ask("POST", "/desk/sign-in", 9, data=guess) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [403] * 8 + [429] * 12

    paper.run(story)


def test_the_details_are_kept_in_one_signed_cookie_and_forgotten_again(paper: Paper) -> None:
    async def story() -> None:
        kept = await paper.post("Hello.", also={"wp-comment-cookies-consent": "yes", "url": "https://ada.example"})
        cookie = kept.headers["set-cookie"].partition(";")[0]
        page = await paper.get("/news/story-1", headers={"cookie": cookie})
        assert form(page) | {"comment_parent": "0"} == form(page)
        assert (form(page)["author"], form(page)["url"]) == ("Ada", "https://ada.example")
        assert "awaiting moderation" in await paper.get(STORY, headers={"cookie": cookie})
        gone = await paper.post("Hello again.")
        assert 'gazette-reader=""' in gone.headers["set-cookie"]

    paper.run(story)


def test_comments_stand_on_pages_of_fifty_threads(paper: Paper) -> None:
    async def story() -> None:
        editor = await paper.signed_in()
        page = await paper.get(STORY, headers=editor)
        for number in range(52):
            paper.now += 20.0
            told = {**form(page), "comment": f"Number {number} of many."}
            answer = await paper.ask("POST", f"{STORY}/reply", data=told, headers=editor)
            assert answer.status_code == 303
            page = await paper.get(answer.headers["location"], headers=editor)
        newest = await paper.get(STORY)
        assert "Number 51 of many." in newest
        assert "Number 0 of many." not in newest
        assert "Number 0 of many." in await paper.get(f"{STORY}?cpage=1")
        assert "Page 2 of 2" in newest
        assert '"commentCount": 52' in newest

    paper.run(story)


@pytest.fixture(scope="module")
def akismet() -> Iterator[FakeAkismet]:
    with akismet_server() as fake:
        yield fake


def test_akismet_down_for_an_hour_loses_nothing(folder: Path, akismet: FakeAkismet) -> None:
    akismet.reset()
    paper = Paper(folder, akismet={"key": KEY, "url": akismet.url})

    async def story() -> None:
        await paper.site.database.keep(RULES, written(Rules(approved_before=False)))
        page = await paper.get(STORY)
        notice = re.search(r'<p class="comment-privacy">(.*?)</p>', page)
        assert notice is not None
        words = re.sub("<[^>]+>", "", notice[1])
        assert words == "This site uses Akismet to reduce spam. Learn how your comment data is processed."
        akismet.failure = "unavailable"
        for number in range(1, 13):
            posted = await paper.post(f"Number {number}{' buy now' if number % 4 == 0 else ''}.", number)
            assert posted.status_code == 303
        counts = await paper.site.database.counts()
        assert counts[Status.PENDING] == 12, "every comment is held, none is lost"
        assert paper.site.comments is not None
        for _ in range(6):
            paper.now += 10 * MINUTE
            assert await paper.site.desk.recheck(paper.site.comments) <= 1, "a service that is down is asked once"
        assert (await paper.site.database.counts())[Status.PENDING] == 12
        akismet.failure = ""
        for _ in range(48):
            paper.now += 30 * MINUTE
            await paper.site.desk.recheck(paper.site.comments)
        after = await paper.site.database.counts()
        assert (after[Status.APPROVED], after[Status.SPAM], after[Status.PENDING]) == (9, 3, 0)

    paper.run(story)


class Called:
    """A paper with the guard around it, and an Akismet that calls when it has changed its mind."""

    def __init__(self, folder: Path, akismet: FakeAkismet) -> None:
        akismet.reset()
        self.akismet, self.paper = akismet, Paper(folder)
        told = {"key": KEY, "url": akismet.url}
        settings = Settings(secret_key="a-secret-key-for-the-tests", origin=BLOG, akismet=told)
        self.guard = ContentGuardMiddleware(self.paper.app, settings=settings, clock=self.paper._time)
        self.paper.site.comments = comments = self.guard.comments
        assert comments.akismet is not None
        comments.akismet._service._timer = self.paper._time

    async def published(self, text: str, number: int) -> str:
        """Post a comment that Akismet has nothing against; the service's name for it."""
        await self.paper.post(text, number)
        (kept,) = [one for one in await self.paper.site.database.queue(Status.APPROVED, 1, 50) if one.text == text]
        assert kept.submission["judged"] == "ham"
        return str(kept.submission["guid"])

    async def calls(self, guid: str, result: str, *, to: str = "", **more: str) -> int:
        """Have somebody call, and then the paper do what it does from time to time."""
        (check,) = {one["callback"] for one in self.akismet.named("comment-check")}
        transport = httpx.ASGITransport(self.guard)
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.post(to or check, json=call(guid, result, **more))
        self.paper.now += 30.0
        await self.paper.site.desk.recheck(self.guard.comments)
        return answer.status_code

    async def status(self, text: str) -> Status:
        found = [await self.paper.site.database.queue(status, 1, 50) for status in Status]
        return next(one.status for queue in found for one in queue if one.text == text)


@pytest.fixture
def called(folder: Path, akismet: FakeAkismet) -> Called:
    return Called(folder, akismet)


def test_akismet_calls_when_it_has_changed_its_mind(called: Called) -> None:
    async def story() -> None:
        await called.paper.site.database.keep(RULES, written(Rules(approved_before=False)))
        guid = await called.published("Lovely weather.", 1)
        called.akismet.spam.add("Lovely weather.")
        assert await called.calls(guid, "true") == 200
        assert await called.status("Lovely weather.") is Status.SPAM
        assert called.akismet.named("comment-check")[-1]["recheck_reason"] == "recheck"
        called.akismet.spam.clear()
        assert await called.calls(guid, "false") == 200
        assert await called.status("Lovely weather.") is Status.APPROVED

    called.paper.run(story)


def test_a_forged_call_approves_and_hides_nothing(called: Called) -> None:
    async def story() -> None:
        await called.paper.site.database.keep(RULES, written(Rules(approved_before=False)))
        guid = await called.published("Lovely weather.", 1)
        await called.paper.post("buy now", 2)
        spam = (await called.paper.site.database.queue(Status.SPAM, 1, 50))[0].submission["guid"]
        asked = len(called.akismet.calls)
        elsewhere = f"{BLOG}/.contentguard/akismet/" + "x" * 80
        assert await called.calls(spam, "false", key="wrong") == 403
        assert await called.calls(spam, "false", to=elsewhere) == 404
        assert await called.calls("no-such-comment", "false") == 200
        assert len(called.akismet.calls) == asked, "nobody is asked on a stranger's word"
        # Even who has the address and the key: what is claimed decides nothing.
        assert await called.calls(spam, "false") == await called.calls(guid, "true") == 200
        assert len(called.akismet.calls) == asked + 2
        assert await called.status("buy now") is Status.SPAM
        assert await called.status("Lovely weather.") is Status.APPROVED

    called.paper.run(story)


def test_a_call_changes_nothing_that_an_editor_decided_or_nobody_confirms(called: Called) -> None:
    async def story() -> None:
        await called.paper.site.database.keep(RULES, written(Rules(approved_before=False)))
        decided, open_ = await called.published("By an editor.", 1), await called.published("By nobody.", 2)
        (kept,) = [one for one in await called.paper.site.database.queue(Status.APPROVED, 1, 9) if "editor" in one.text]
        await called.paper.site.database.move(kept.id, Status.APPROVED, "grace", called.paper.now)
        called.akismet.spam |= {"By an editor.", "By nobody."}
        assert await called.calls(decided, "true") == 200
        assert await called.status("By an editor.") is Status.APPROVED
        called.akismet.failure = "unavailable"
        assert await called.calls(open_, "true") == 200
        assert await called.status("By nobody.") is Status.APPROVED, "a service that is down hides nothing"
        called.akismet.failure = ""
        called.paper.now += 60 * MINUTE
        await called.paper.site.desk.recheck(called.guard.comments)
        assert await called.status("By nobody.") is Status.SPAM, "it is asked again later"

    called.paper.run(story)


def test_a_spam_comment_stays_where_it_is_while_nobody_answers(called: Called) -> None:
    async def story() -> None:
        await called.paper.site.database.keep(RULES, written(Rules(approved_before=False)))
        await called.paper.post("buy now", 2)
        guid = (await called.paper.site.database.queue(Status.SPAM, 1, 50))[0].submission["guid"]
        called.akismet.failure = "unavailable"
        assert await called.calls(guid, "false") == 200
        assert await called.status("buy now") is Status.SPAM

    called.paper.run(story)
