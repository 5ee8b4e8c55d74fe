"""Feeds as HTTP: who gets how much, which headers are true of it, and what leaves when a feed cannot be read."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contentguard import ContentGuardMiddleware, Links, Settings
from contentguard.watermark.blind import frames
from contentguard.watermark.keys import epoch_at
from tests.client import CHROME, CURL, FACEBOOK, FEW, GPTBOT, KEY, drive, http_scope, settings
from tests.guard.test_reading import GOOGLEBOT
from tests.rewrite.test_feeds import ATOM, HTML, JSON, RSS, WORDING, entry, item, told

NAME = b"https://news.example/news/tide"
Pairs = list[tuple[bytes, bytes]]
FULL = item(f"<content:encoded><![CDATA[{HTML}]]></content:encoded>", link="https://news.example/news/tide")
DOCUMENTS = {
    RSS: FULL,
    "text/xml; charset=utf-8": FULL,
    "application/xml": FULL,
    ATOM: entry(f'<content type="html">{HTML.replace("<", "&lt;")}</content>'),
    JSON: json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"content_html": HTML}]}),
    "application/json": json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"content_html": HTML}]}),
}
FEEDLY = {"user-agent": "Feedly/1.0 (+http://www.feedly.com/fetcher.html)"}
FETCHER = {"user-agent": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0"}
READER = {"user-agent": "Harbour Reader 4.2", "accept": "application/rss+xml, */*"}
SITEMAP = "<urlset><url><loc>https://news.example/news/tide</loc></url></urlset>"


class App:
    """An app with one feed."""

    def __init__(self, body: str | bytes = FULL, kind: str = RSS, *headers: tuple[str, str], **how: Any) -> None:
        self.body = body.encode() if isinstance(body, str) else body
        self.headers: Pairs = [(b"content-type", kind.encode())] if kind else []
        self.headers += [(n.encode(), v.encode()) for n, v in headers]
        self.how, self.seen = how, list[dict[str, Any]]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        asked = dict(scope["headers"])
        etag = dict(self.headers).get(b"etag")
        if etag is not None and asked.get(b"if-none-match") == etag:
            await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", etag)]})
            await send({"type": "http.response.body"})
            return
        body, headers, status = self.body, list(self.headers), self.how.get("status", 200)
        if self.how.get("ranges") and b"range" in asked:
            body, status = body[100:900], 206
            headers.append((b"content-range", b"bytes 100-899/*"))
        if self.how.get("gzip") and b"gzip" in asked.get(b"accept-encoding", b""):
            body, headers = gzip.compress(body), [*headers, (b"content-encoding", b"gzip")]
        if self.how.get("odd") and b"accept-encoding" in asked:
            body, headers = b"\x01" + body[::-1], [*headers, (b"content-encoding", b"odd")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        if file := self.how.get("file"):
            await send(file)
            return
        size = self.how.get("chunk") or len(body) or 1
        parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})


class Answer:
    """What a client was sent."""

    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self.sent = sent
        self.status: int = sent[0]["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        self.raw = b"".join(message.get("body", b"") for message in sent[1:])

    @property
    def text(self) -> str:
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.raw) if packed else self.raw).decode()

    @property
    def words(self) -> int:
        return len(told(self.text.replace("\\n", " ")))


class Site:
    """The app behind a guard, whose clock the test turns."""

    def __init__(self, app: App | None = None, **overrides: Any) -> None:
        self.app, self.now = app or App(), 1_800_000_000.0
        self.guarded = ContentGuardMiddleware(self.app, settings=settings(**overrides), clock=lambda: self.now)

    def ask(
        self, headers: Mapping[str, str] = READER, path: str = "/feed.xml", query: str = "", **extra: Any
    ) -> Answer:
        client = (extra.pop("address", "192.0.2.7"), 1234)
        scope = http_scope(path, headers, query_string=query.encode(), client=client, **extra)
        return Answer(asyncio.run(drive(self.guarded, scope)))

    @property
    def notes(self) -> dict[str, int]:
        return {name: n for name, n in self.guarded.guard.counts.items() if name.startswith("feed")}


class TestWho:
    @pytest.mark.parametrize("kind", DOCUMENTS)
    @pytest.mark.parametrize(
        "who", [READER, CHROME, FEEDLY, {}, CURL], ids=["reader", "browser", "feedly", "nobody", "tool"]
    )
    def test_readers_and_feed_readers_get_excerpts(self, kind: str, who: dict[str, str]) -> None:
        answer = Site(App(DOCUMENTS[kind], kind)).ask(who)
        assert (answer.status, answer.headers["content-type"]) == (200, kind)
        assert 60 < answer.words <= 100
        assert int(answer.headers["content-length"]) == len(answer.raw)
        json.loads(answer.text) if "json" in kind else ET.fromstring(answer.text)

    @pytest.mark.parametrize("kind", DOCUMENTS)
    @pytest.mark.parametrize("who", [FETCHER, FACEBOOK], ids=["fetcher", "preview"])
    def test_other_robots_get_none_of_the_texts(self, kind: str, who: dict[str, str]) -> None:
        answer = Site(App(DOCUMENTS[kind], kind)).ask(who)
        assert (answer.status, answer.words) == (200, 0)
        assert answer.headers["cache-control"] == "private", "a cache's readers are to get more than that"

    def test_who_is_refused_is_refused(self) -> None:
        assert Site().ask(GPTBOT).status == 403

    def test_search_engines_that_prove_who_they_are_get_all_of_it(self) -> None:
        answer = Site().ask(GOOGLEBOT, address="66.249.66.1")
        assert (answer.text, answer.headers["cache-control"]) == (FULL, "private")
        assert Site().ask(GOOGLEBOT, address="192.0.2.7").words <= 100
        assert Site(policy={"crawlers": {"curl": "allow"}}).ask(CURL).text == FULL

    def test_the_right_of_feed_readers_decides(self) -> None:
        assert 60 < Site(policy={"rights": {"feed": "no-articles"}}).ask(FEEDLY).words <= 100, "an excerpt is none"
        assert Site(policy={"rights": {"feed": "deny"}}).ask(FEEDLY).status == 403
        assert Site(policy={"rights": {"feed": "allow"}}).ask(FEEDLY).words <= 100, "anybody can say to be Feedly"
        assert Site(policy={"crawlers": {"Feedly": "allow"}}).ask(FEEDLY).text == FULL

    def test_a_pass_opens_no_feed(self) -> None:
        site = Site(reading={"mode": "progressive"}, reader=lambda scope: "ada")
        assert site.ask(CHROME).words <= 100

    @pytest.mark.parametrize("who", [READER, CURL, FACEBOOK, CHROME], ids=["reader", "tool", "preview", "browser"])
    def test_full_is_as_the_app_wrote_it(self, who: dict[str, str]) -> None:
        site = Site(App(FULL, RSS, ("etag", '"a"')), feeds={"mode": "full"})
        answer = site.ask(who)
        assert (answer.text, answer.headers) == (FULL, {"content-type": RSS, "etag": '"a"'})

    def test_an_app_may_say_off(self) -> None:
        answer = Site(App(FULL, RSS, ("x-contentguard", "off"))).ask()
        assert (answer.text, answer.headers) == (FULL, {"content-type": RSS})

    def test_a_guard_within_a_guard(self) -> None:
        inner = Site()
        assert Site(inner.guarded).ask().words <= 100  # type: ignore[arg-type]


class TestWhatLeaves:
    @pytest.mark.parametrize("kind", DOCUMENTS)
    @pytest.mark.parametrize(
        "how", [{"chunk": 1000}, {"chunk": 7}, {"gzip": True}, {"gzip": True, "chunk": 11}], ids=str
    )
    def test_however_it_comes(self, kind: str, how: dict[str, Any]) -> None:
        whole = Site(App(DOCUMENTS[kind], kind)).ask({**READER, "accept-encoding": "gzip"})
        site = Site(App(DOCUMENTS[kind], kind, **how))
        assert site.ask({**READER, "accept-encoding": "gzip"}).text == whole.text
        assert len(site.app.seen) == 1

    @pytest.mark.parametrize("cut", range(1, 60))
    def test_every_beginning_of_a_stream(self, cut: int) -> None:
        class Two(App):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": self.headers})
                await send({"type": "http.response.body", "body": self.body[:cut], "more_body": True})
                await send({"type": "http.response.body", "body": self.body[cut:], "more_body": False})

        for kind in ("application/xml", "application/json"):
            assert Site(Two(DOCUMENTS[kind], kind)).ask().text == Site(App(DOCUMENTS[kind], kind)).ask().text

    def test_it_is_compressed_for_who_takes_that(self) -> None:
        site = Site()
        answer = site.ask({**READER, "accept-encoding": "gzip"})
        assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
        assert answer.text == site.ask().text
        assert site.ask({**READER, "accept-encoding": "gzip"}).raw == answer.raw
        assert "content-encoding" not in Site(compression=False).ask({**READER, "accept-encoding": "gzip"}).headers

    def test_large_ones_leave_the_event_loop_alone(self) -> None:
        document = FULL.replace("<item>", f"<m:x>{'a ' * 80}</m:x>" * 600 + "<item>")
        answer = Site(App(document)).ask({**READER, "accept-encoding": "gzip"})
        assert 60 < answer.words <= 100

    def test_what_has_nothing_to_cut_leaves_as_it_came(self) -> None:
        headers = (("etag", '"a"'), ("cache-control", "public, max-age=60"), ("content-length", "0"))
        app = App(item("<description>Short.</description>"), RSS, *headers)
        answer = Site(app).ask()
        assert answer.text.encode() == app.body
        assert answer.headers == {"content-type": RSS, **dict(headers)}

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("application/json", '{"version": "1"}'),
            ("application/json", '{"a": "' + "word " * 20_000 + '"}'),
            ("application/json", "["),
            ("application/json", ""),
            ("application/xml", SITEMAP),
            ("text/xml", "<?xml version='1.0'?>"),
            ("application/xml", "not xml"),
            ("text/plain", FULL),
        ],
    )
    @pytest.mark.parametrize("chunk", [0, 5, 70_000])
    def test_what_is_no_feed_leaves_as_it_came(self, kind: str, body: str, chunk: int) -> None:
        app = App(body, kind, ("etag", '"a"'), chunk=chunk)
        for who in (READER, CURL):
            answer = Site(app).ask(who)
            assert (answer.text, answer.headers) == (body, {"content-type": kind, "etag": '"a"'})
            assert Site(App(body, kind, gzip=True, chunk=chunk)).ask({**READER, "accept-encoding": "gzip"}).text == body

    def test_what_does_not_say_what_it_is_is_held_for_a_second(self) -> None:
        site = Site()
        passed: list[int] = []

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
            )
            for _ in range(4):
                await send({"type": "http.response.body", "body": b'{"a": [', "more_body": True})
                passed.append(len(sent))
                site.now += 0.6
            await send({"type": "http.response.body", "body": b""})

        sent: list[Any] = []

        async def run() -> None:
            async def receive() -> Any:
                return {"type": "http.request"}

            async def send(message: Any) -> None:
                sent.append(message)

            await site.guarded(http_scope("/api", READER), receive, send)

        site.guarded.app = slow
        asyncio.run(run())
        assert passed == [0, 0, 2, 3]

    def test_the_site_s_list_of_its_pages_is_heard_all_the_same(self) -> None:
        site = Site(App(SITEMAP, "application/xml"))
        assert site.guarded.guard.visits is not None
        before = site.guarded.guard.visits.order.ordinal("/news/tide")
        site.ask(CHROME, "/sitemap.xml")
        assert site.guarded.guard.visits.order.ordinal("/news/tide") != before

    def test_errors_and_other_answers_pass(self) -> None:
        for status in (201, 404, 500):
            assert Site(App(FULL, RSS, status=status)).ask().text == FULL

    def test_a_body_that_breaks_off_is_not_sent(self) -> None:
        class Broken(App):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": self.headers})
                await send({"type": "http.response.body", "body": self.body[:-9], "more_body": True})

        sent = Site(Broken()).ask(CHROME).sent
        assert [message.get("body", b"") for message in sent] == [b"", b""]
        assert sent[-1]["more_body"], "the server is to see that it broke off"

    def test_trailers_follow(self) -> None:
        class Trailing(App):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": self.headers, "trailers": True})
                await send({"type": "http.response.body", "body": self.body})
                await send({"type": "http.response.trailers", "headers": []})

        assert [m["type"] for m in Site(Trailing()).ask().sent][-1] == "http.response.trailers"


class TestFiles:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "feed.xml"
        path.write_text(FULL)
        return path

    def test_by_path(self, file: Path) -> None:
        site = Site(App(file={"type": "http.response.pathsend", "path": str(file)}))
        assert 60 < site.ask().words <= 100

    def test_by_descriptor(self, file: Path) -> None:
        with file.open("rb") as opened:
            site = Site(App(file={"type": "http.response.zerocopysend", "file": opened}))
            assert 60 < site.ask().words <= 100

    @pytest.mark.parametrize("kind", ["application/xml", "application/json"])
    def test_one_too_large_to_look_into(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "large"
        for start, passes in (
            ("<urlset>", True),
            ("[", True),
            ("<rss>" if "xml" in kind else '{"version": "https://jsonfeed.org/', False),
        ):
            path.write_bytes(start.encode() + b" " * (5 * 2**20))
            message: dict[str, Any] = {"type": "http.response.pathsend", "path": str(path)}
            site = Site(App(b"", kind, file=message))
            assert (site.ask().sent[-1] == message) == passes
            with path.open("rb") as opened:
                for file, offset in ((opened, None), (opened.fileno(), 0)):
                    message = dict[str, Any](type="http.response.zerocopysend", file=file, offset=offset)
                    site = Site(App(b"", kind, file=message))
                    assert (site.ask().sent[-1] == message) == passes
                assert os.lseek(opened.fileno(), 0, os.SEEK_CUR) == 0

    def test_after_some_of_it_came_otherwise(self, tmp_path: Path) -> None:
        path = tmp_path / "large"
        path.write_bytes(b" " * (5 * 2**20))
        message = {"type": "http.response.pathsend", "path": str(path)}

        class Both(App):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": self.headers})
                await send({"type": "http.response.body", "body": b"{", "more_body": True})
                await send(message)

        sent = Site(Both("", "application/json")).ask().sent
        assert [m.get("body") for m in sent[1:]] == [b"{", None]
        assert sent[-1] == message


class TestHttp:
    def test_head_tells_what_get_would(self) -> None:
        for kind, document in DOCUMENTS.items():
            app = App(document, kind, ("etag", '"a"'))
            site = Site(app)
            head, got = site.ask(method="HEAD"), site.ask()
            assert head.headers == got.headers
            assert head.raw == b""

    def test_alternate_representations_range(self) -> None:
        for kind, document in DOCUMENTS.items():
            site = Site(App(document, kind, ranges=True))
            answer = site.ask({**READER, "range": "bytes=100-899"})
            assert (answer.status, answer.text) == (200, site.ask().text)
        for kind in (RSS, "application/json"):
            site = Site(App(DOCUMENTS[kind], kind, status=206))
            assert site.ask().status == (503 if kind == RSS else 206), "an app that sends parts whatever is asked"

    def test_several_parts(self) -> None:
        parts = f"--x\r\ncontent-type: application/rss+xml\r\n\r\n{FULL}".encode()

        class Parts(App):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                several = b"range" in dict(scope["headers"])
                kind = b"multipart/byteranges; boundary=x" if several else RSS.encode()
                status = 206 if several else 200
                await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
                await send({"type": "http.response.body", "body": parts if several else self.body})

        assert Site(Parts()).ask({**READER, "range": "bytes=0-1,3-4"}).words <= 100

    @pytest.mark.parametrize("who", [READER, FEEDLY, CURL, CHROME], ids=["reader", "feedly", "tool", "browser"])
    def test_a_client_that_holds_it_is_told_so(self, who: dict[str, str]) -> None:
        site = Site(App(FULL, RSS, ("etag", '"a"'), ("cache-control", "public, max-age=60")))
        first = site.ask(who)
        tag = first.headers["etag"]
        assert tag.startswith('W/"cg-')
        again = site.ask({**who, "if-none-match": tag})
        assert (again.status, again.headers["etag"]) == (304, tag)
        assert dict(site.app.seen[-1]["headers"])[b"if-none-match"] == b'"a"'
        if who is READER:
            assert first.headers["cache-control"] == "public, max-age=60"

    def test_304_etag_leak(self) -> None:
        """threats §4.1: If-None-Match from A never validates for B."""
        site = Site(App(FULL, RSS, ("etag", '"a"')))
        tags = {
            site.ask(who, address=a).headers["etag"]: who
            for who, a in ((READER, "192.0.2.7"), (FACEBOOK, "192.0.2.7"), (GOOGLEBOT, "66.249.66.1"))
        }
        assert len(tags) == 3
        for tag, who in tags.items():
            if who is not READER:
                answer = site.ask({**READER, "if-none-match": tag})
                assert (answer.status, answer.words > 60) == (200, True)
        changed = Site(App(FULL, RSS, ("etag", '"a"')), feeds={"words": 30})
        assert [changed.ask({**READER, "if-none-match": tag}).status for tag in tags] == [200] * 3

    def test_a_date_is_a_validator_too(self) -> None:
        site = Site(App(FULL, RSS, ("last-modified", "Tue, 01 Sep 2026 10:00:00 GMT")))
        answer = site.ask()
        assert "last-modified" not in answer.headers
        site.ask({**READER, "if-none-match": answer.headers["etag"]})
        assert dict(site.app.seen[-1]["headers"])[b"if-modified-since"] == b"Tue, 01 Sep 2026 10:00:00 GMT"

    def test_apps_that_use_links_are_asked_again_with_them(self) -> None:
        site = Site()
        site.ask(method="HEAD")
        assert all("contentguard.links" in scope for scope in site.app.seen)


class TestUnreadable:
    @pytest.mark.parametrize(
        ("body", "kind", "headers", "why"),
        [
            (FULL[:-9], RSS, (), "malformed"),
            (FULL[:-9], "text/xml", (), "malformed"),
            (FULL.replace("<rss", "<!DOCTYPE rss [<!ENTITY a 'x'>]><rss"), RSS, (), "entities"),
            ("<rss>" + " " * 5_300_000 + "</rss>", "application/xml", (), "too-large"),
            ("<a>" * 70 + "</a>" * 70, ATOM, (), "too-deep"),
            (FULL, RSS + "; charset=utf-7", (), "charset"),
            (FULL, RSS, (("content-encoding", "gzip"),), "encoded"),
            (FULL, RSS, (("content-encoding", "odd"),), "encoded"),
            (gzip.compress(b"<rss>" + b" " * 6_000_000), RSS, (("content-encoding", "gzip"),), "too-large"),
            (DOCUMENTS[JSON][:-1], "application/json", (), "malformed"),
        ],
    )
    @pytest.mark.parametrize("who", [READER, CURL, CHROME], ids=["reader", "tool", "browser"])
    def test_nobody_gets_it(self, body: str | bytes, kind: str, headers: Any, why: str, who: dict[str, str]) -> None:
        site = Site(App(body, kind, *headers))
        answer = site.ask({**who, "accept-encoding": "gzip"})
        assert (answer.status, answer.words, answer.headers["retry-after"]) == (503, 0, "3600")
        assert answer.headers["cache-control"] == "no-store"
        assert site.notes == {f"feed-unread.{why}": 1}
        assert site.ask({**who, "accept-encoding": "gzip"}, method="HEAD").raw == b""

    def test_compressed_upstream_and_bombs(self) -> None:
        """threats §4.1: never "too big, so unguarded"."""
        bomb = gzip.compress(FULL.encode() + b" " * 50_000_000)
        assert (
            Site(App(bomb, RSS, ("content-encoding", "gzip"))).ask({**READER, "accept-encoding": "gzip"}).status == 503
        )

    def test_a_coding_that_is_unknown_is_done_without(self) -> None:
        for kind in (RSS, "application/xml"):
            site = Site(App(DOCUMENTS[kind], kind, odd=True))
            assert 60 < site.ask({**CHROME, "accept-encoding": "odd"}).words <= 100
            assert len(site.app.seen) == 2
        body = Site(App("[1]", "application/json", odd=True)).ask({**CHROME, "accept-encoding": "odd"}).raw
        assert body == b"\x01]1[", "what is mostly no feed is not asked for twice"
        always = App(b"x", "application/xml", ("content-encoding", "odd"))
        assert Site(always).ask(CHROME).raw == b"x"

    def test_what_is_no_feed_may_be_broken(self) -> None:
        body = gzip.compress(os.urandom(9_000))
        packed = (("content-encoding", "gzip"),)
        for kind, start in (("application/xml", b"<urlset>"), ("application/json", b"[1")):
            broken = gzip.compress(start)[:-3] + body
            assert Site(App(broken, kind, *packed)).ask({**READER, "accept-encoding": "gzip"}).raw == broken


# -- a subscriber's own address ----------------------------------------------------------------------------------

SIGNED: dict[str, Any] = {"feeds": {"mode": "signed", "addresses": 2, "days": 30}}


def subscribed(site: Site, account: str = "ada", page: str = "/feed.xml") -> str:
    link = site.guarded.links.feed(page, account)
    assert link.startswith("https://news.example/feed.xml?cg=")
    return link.partition("?")[2]


class TestSigned:
    @pytest.mark.parametrize("kind", DOCUMENTS)
    @pytest.mark.parametrize("who", [READER, CHROME, FEEDLY, CURL], ids=["reader", "browser", "feedly", "tool"])
    def test_its_address_opens_it(self, kind: str, who: dict[str, str]) -> None:
        site = Site(App(DOCUMENTS[kind], kind, ("etag", '"a"'), ("cache-control", "public, s-maxage=9")), **SIGNED)
        answer = site.ask(who, query=subscribed(site))
        assert answer.text == DOCUMENTS[kind]
        assert answer.headers["cache-control"] == "private"
        assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert site.app.seen[-1]["query_string"] == b"", "the app never sees it"
        assert site.ask(READER).words <= 100

    def test_others_get_what_the_policy_grants_them(self) -> None:
        site = Site(**SIGNED)
        assert site.ask(GPTBOT, query=subscribed(site)).status == 403
        assert site.ask(FACEBOOK, query=subscribed(site)).words == 0

    def test_without_visits_and_while_articles_are_read_progressively(self) -> None:
        for more in ({"visits": {"remember": False}}, {"reading": {"mode": "progressive"}}):
            site = Site(**SIGNED, **more)
            assert site.ask(query=subscribed(site)).text == FULL

    def test_it_opens_nothing_where_that_is_off(self) -> None:
        site = Site()
        assert site.ask(query=subscribed(site)).words <= 100

    @pytest.mark.parametrize("path", ["/feed.xml/", "/atom.xml", "/FEED.xml", "/feed.xml%00", "/news/tide"])
    def test_transplanted_it_opens_nothing(self, path: str) -> None:
        site = Site(**SIGNED)
        assert site.ask(path=path, query=subscribed(site)).words <= 100

    def test_forged_it_opens_nothing(self) -> None:
        site = Site(**SIGNED)
        query = subscribed(site)
        swapped = query[:-1] + ("A" if query[-1] != "A" else "B")
        gift = asyncio.run(site.guarded.links.gift("/feed.xml", "ada"))
        for bad in (
            swapped,
            query[:-1],
            "cg=",
            query + "A",
            f"cg={'A' * 40}",
            (gift or "").partition("?")[2],
            f"a=1&{query}",
        ):
            assert site.ask(query=bad).words <= 100, bad
        assert site.ask(query=f"utm_source=x&{query}").text == FULL

    def test_two_devices_a_day(self) -> None:
        site = Site(**SIGNED)
        query = subscribed(site)
        got = [site.ask(query=query, address=f"198.51.100.{n % 3}").text == FULL for n in range(9)]
        assert got == [True, True, False] * 3
        assert site.guarded.links.counts["feed.used-up"] == 3
        site.now += 86400
        assert site.ask(query=query, address="198.51.100.9").text == FULL

    def test_its_days_end(self) -> None:
        site = Site(**SIGNED)
        query = subscribed(site)
        site.now += 30 * 86400
        assert site.ask(query=query).text == FULL
        site.now += 2
        assert site.ask(query=query).words <= 100

    def test_it_can_be_revoked_and_replaced(self) -> None:
        site = Site(**SIGNED)
        query = subscribed(site)
        assert site.ask(query=query).text == FULL
        assert asyncio.run(site.guarded.guard.revoke(f"https://news.example/feed.xml?{query}"))
        assert site.ask(query=query).words <= 100
        site.now += 1
        assert site.ask(query=subscribed(site)).text == FULL

    @pytest.mark.parametrize("method", ["join", "revoked"])
    def test_a_broken_store_opens_nothing_but_does_no_harm(self, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
        site = Site(**SIGNED)

        class Broken:
            def __getattr__(self, name: str) -> Any:
                async def fails(*arguments: Any) -> bool:
                    raise OSError

                return fails if name == method else getattr(site.guarded.guard._own, name)

        monkeypatch.setattr(site.guarded.links, "_store", Broken())
        answer = site.ask(query=subscribed(site))
        assert (answer.text == FULL) == (method == "revoked")
        assert answer.status == 200

    def test_304_etag_leak_between_subscribers(self) -> None:
        site = Site(App(FULL, RSS, ("etag", '"a"')), **SIGNED)
        ada, bob = subscribed(site), subscribed(site, "bob")
        tags = [site.ask(query=query).headers["etag"] for query in (ada, bob, "")]
        assert len(set(tags)) == 3
        for tag, own in zip(tags, (ada, bob, ""), strict=True):
            for query in (ada, bob, ""):
                answer = site.ask({**READER, "if-none-match": tag}, query=query)
                assert (answer.status == 304) == (query == own)
        again = site.ask({**READER, "if-none-match": tags[0]}, query=ada)
        assert again.headers["cache-control"] == "private"

    def test_without_a_server(self) -> None:
        chosen = Settings(secret_key=KEY, origin="https://news.example", limits={"clients": FEW})
        links = Links.of(chosen, clock=lambda: 1_800_000_000.0)
        query = links.feed("https://news.example/feed.xml", "ada").partition("?")[2]
        assert Site(**SIGNED).ask(query=query).text == FULL
        with pytest.raises(ValueError, match="expected a page of this site"):
            links.feed("https://else.example/feed.xml", "ada")


class TestMarks:
    DOCUMENT = item(f"<content:encoded><![CDATA[{WORDING}]]></content:encoded>", link="https://news.example/news/tide")
    ESCAPED = item(f"<description>{WORDING.replace('<', '&lt;')}</description>", link="/news/tide")

    def site(self, document: str, **more: Any) -> Site:
        return Site(App(document), **SIGNED, watermark={"enabled": True}, **more)

    @pytest.mark.parametrize("document", [DOCUMENT, ESCAPED], ids=["cdata", "escaped"])
    def test_a_subscriber_s_copy_says_whose_it_is(self, document: str) -> None:
        site = self.site(document)
        copies = site.guarded.guard.copies
        assert copies is not None
        ada, bob = (site.ask(query=subscribed(site, name)).text for name in ("ada", "bob"))
        assert ada != bob
        assert ada == site.ask(query=subscribed(site, "ada")).text, "the same, whichever of her addresses it is"
        for name, text in (("ada", ada), ("bob", bob)):
            found = {one.serial for one in frames(text, copies.secrets, epoch_at(site.now), [NAME]).genuine}
            assert found == {copies.serial(f"account {name}")}, "as her copies of pages are"
            ET.fromstring(text)

    def test_everybody_else_gets_the_wording_settled(self) -> None:
        site = self.site(self.DOCUMENT)
        for who, address in ((READER, "192.0.2.7"), (GOOGLEBOT, "66.249.66.1"), (CURL, "192.0.2.7")):
            text = site.ask(who, address=address).text
            assert "[[" not in text
            assert text.isascii() or "\ufe00" not in text
        assert site.ask(GOOGLEBOT, address="66.249.66.1").text.count("quietly") == 12

    def test_it_is_written_down_who_was_given_what(self, tmp_path: Path) -> None:
        site = self.site(self.DOCUMENT, evidence={"url": f"sqlite:///{tmp_path}/evidence.db"})
        query = subscribed(site)
        assert site.ask(query=query).status == 200
        copies = site.guarded.guard.copies
        assert copies is not None
        assert copies.evidence is not None
        copies.evidence.close()
        assert (tmp_path / "evidence.db").stat().st_size > 0
        with sqlite3.connect(tmp_path / "evidence.db") as base:
            tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [row for table in tables for row in base.execute(f"SELECT * FROM {table}")]
        assert any(f"feed {query.removeprefix('cg=')[:24]}" in row for row in rows)

    def test_a_fault_of_the_marks_costs_the_marks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        site = self.site(self.DOCUMENT)
        monkeypatch.setattr("contentguard.guard.copies.keys_of", lambda *a: 1 / 0)
        answer = site.ask(query=subscribed(site))
        assert answer.text.count("quietly") == 12
        assert site.guarded.guard.counts["marks-failed"] > 0


def test_the_newsstand_is_bounded() -> None:
    site = Site()
    for number in range(40):
        site.app.body = FULL.replace("<title>", f"<title>{number}").encode()
        site.ask()
    stand = site.guarded.guard.feeds
    assert len(stand._read) == 32
    assert stand._size == sum(one.feed.size for one in stand._read.values() if one is not None)
