"""What is remembered of how responses begin: found again, never mixed up, never more than its bounds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contentguard import ContentGuardMiddleware
from contentguard.asgi.headers import look
from contentguard.asgi.openings import Opening, Openings
from contentguard.guard import Guard
from contentguard.rewrite.pages import Recent
from tests.client import ARTICLE, drive, get, guarded, http_scope, page, settings

HTML = (b"content-type", b"text/html; charset=utf-8")


def openings() -> Openings:
    return Openings(Guard(settings()))


def kept(known: Openings, path: str, headers: list[tuple[bytes, bytes]]) -> Opening | None:
    scope = http_scope(path)
    known.keep(scope, headers, known.make(scope, headers, look(headers)))
    return known.find(http_scope(path), headers.copy())


def test_the_same_start_on_the_same_path_is_found_again() -> None:
    known = openings()
    assert kept(known, "/a", [HTML]) is not None
    assert known.find(http_scope("/b"), [HTML]) is None
    assert known.find(http_scope("/a", root_path="/a"), [HTML]) is None
    assert known.find(http_scope("/a"), [HTML, (b"x-more", b"1")]) is None


@pytest.mark.parametrize("name", [b"set-cookie", b"Set-Cookie"])
def test_what_one_reader_alone_is_sent_is_not_remembered(name: bytes) -> None:
    assert kept(openings(), "/a", [HTML, (name, b"visit=1")]) is None


def test_pairs_that_are_lists_are_read_but_not_remembered() -> None:
    headers: Any = [[*HTML]]
    assert kept(openings(), "/a", headers) is None


def test_a_start_too_large_is_not_remembered() -> None:
    assert kept(openings(), "/" + "a" * 60_000, [HTML]) is None


def test_of_one_opening_few_lists_of_headers_are_kept() -> None:
    known = openings()
    opening = kept(known, "/a", [HTML])
    assert opening is not None
    for length in range(100):
        sent = opening.leaving(known.guard, length, True, False, True)
        assert (b"content-length", b"%d" % length) in sent
    assert len(opening._leaving) <= 4


def test_the_app_s_word_counts_for_its_own_response_only() -> None:
    words = iter(["off", "article", None, "off"])
    short = "<!doctype html><title>T</title><article><p>Short.</p></article>"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        word = next(words)
        await page(short, headers=[("x-contentguard", word)] if word else [])(scope, receive, send)

    mounted = guarded(app)
    answers = [get(mounted) for _ in range(4)]
    assert [answer.text == short for answer in answers] == [True, False, True, True]
    assert not any("x-contentguard" in answer.headers for answer in answers)


def test_what_is_done_to_the_headers_further_out_is_not_remembered() -> None:
    sent: list[list[tuple[bytes, bytes]]] = []

    def outer(app: ContentGuardMiddleware) -> Any:
        async def call(scope: Any, receive: Any, send: Any) -> None:
            async def meddle(message: Any) -> None:
                if "headers" in message:
                    sent.append(list(message["headers"]))
                    message["headers"].append((b"x-outer", b"1"))
                await send(message)

            await app(scope, receive, meddle)

        return call

    for body in (ARTICLE, "<!doctype html><title>T</title><p>No article."):
        sent.clear()
        mounted = outer(guarded(page(body), visits={"cookie": False}))
        for _ in range(3):
            asyncio.run(drive(mounted, http_scope()))
        assert sent[0] == sent[1] == sent[2]


def test_recent_things_are_bounded_by_their_bytes() -> None:
    recent: Recent[int] = Recent(1000, 10_000)
    for number in range(500):
        recent.put(number, number, 100)
        assert len(recent._held) <= 100
    recent.put("large", 1, 101)
    assert recent.get("large") is None
    assert recent.get(499) == 499


def test_a_page_that_a_query_may_tell_apart_is_not_said_to_be_the_one_at_its_path() -> None:
    """Search engines would take all of a site at ``/article?id=…`` for one; what networks add is nothing."""
    app = guarded(origin="https://news.example")
    for query, told in (("", True), ("?id=5", False), ("?utm_source=x&fbclid=y", True), ("?id=6&utm_source=x", False)):
        for _ in range(2):
            text = get(app, f"/news/tide{query}").text
            assert ('rel="canonical" href="https://news.example/news/tide"' in text) is told, query
            assert ('property="og:url"' in text) is told, query
            assert 'property="og:title"' in text, query
