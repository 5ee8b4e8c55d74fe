"""Streamed pages: nothing is held that need not be, and the same bytes come out however the app cuts them.

The tests look at what has left the guard each time the app can go on. A page is ``head | hold | flow``: what stands
before the head's end leaves at once; what follows is held until the page is known to hold an article (or for about a
second); from then on only an unfinished token is.
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse
from starlette.routing import Route

from contentguard import ContentGuardMiddleware
from tests.client import (
    ARTICLE,
    ASGI,
    CHROME,
    CURL,
    FACEBOOK,
    GPTBOT,
    PARAGRAPH,
    http_scope,
    is_page_with_two_insertions,
    masked,
    told,
)
from tests.client import page as one_page
from tests.client import settings as make_settings
from tests.rewrite.pages import article_pages, chunkings, cut

Message = dict[str, Any]

NOW = 1_790_000_000.0
HTML = [(b"content-type", b"text/html; charset=utf-8")]
TOKEN_LIMIT = 64 * 1024
"""How much of an unfinished token may be held."""
BOX = b"Share your love"
ASSETS = b"/.contentguard/contentguard."
LEAK = PARAGRAPH[:40].encode()

HEAD = b"<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<title>Tide</title>\n<link rel=icon href=/i>\n"
OPEN = b"</head>\n<body class=news>\n<main><article class=story>\n<h1>Tide</h1>\n"
PARAGRAPHS = [f"<p id=p{n}>{PARAGRAPH * 2}</p>\n".encode() for n in range(30)]
"""Of 40 words each: with the sixth the page is an article beyond doubt."""
CLOSE = b"</article></main>\n<footer><p>The <a href=/>Daily</a> Test</p></footer>\n</body>\n</html>\n"
CHUNKS = [HEAD, OPEN, *PARAGRAPHS, CLOSE]
PAGE = b"".join(CHUNKS)
SURE = 1 + 6
"""The chunk after which the page is known to be an article."""
SHORT = [HEAD, OPEN, *PARAGRAPHS[:1], CLOSE]
"""Chunks of a page that is no article."""


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def nothing_happens(number: int) -> None:
    """Between the chunks."""


@dataclass
class Stream:
    """An app that sends chunk by chunk, and what had left the guard each time it could go on."""

    chunks: Iterable[bytes]
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: list(HTML))
    between: Callable[[int], None] = nothing_happens
    """Called with the number of the chunk that comes next."""
    error: BaseException | None = None
    """What the app raises after its last chunk."""
    ends: bool = True
    """Whether the app sends a final message."""
    left: list[Message] = field(default_factory=list)
    body: bytes = b""
    after: list[bytes | None] = field(default_factory=list)
    """The body that had left after the start and after each chunk; None when not even the start had."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(self.headers)})
        self.note()
        for number, chunk in enumerate(self.chunks):
            self.between(number)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            self.note()
        if self.error is not None:
            raise self.error
        if self.ends:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def note(self) -> None:
        started = any(m["type"] == "http.response.start" for m in self.left)
        self.after.append(self.body if started else None)

    async def take(self, message: Any) -> None:
        """The server's ``send``."""
        self.left.append(message)
        self.body += message.get("body", b"")

    @property
    def start(self) -> Message:
        (start,) = (m for m in self.left if m["type"] == "http.response.start")
        return start

    @property
    def response(self) -> httpx.Headers:
        return httpx.Headers(self.start["headers"])

    @property
    def finals(self) -> list[int]:
        """Where messages stand that end the body: a server accepts one only, the last."""
        return [
            n for n, m in enumerate(self.left) if m["type"] == "http.response.body" and not m.get("more_body", False)
        ]

    def run(self, request: Mapping[str, str] = CHROME, *, clock: Clock | None = None, **overrides: Any) -> Stream:
        """Answer one request with this stream, behind a fresh guard."""
        return self.behind(guard(self, clock, **overrides), request)

    def behind(self, app: ASGI, request: Mapping[str, str] = CHROME, **scope: Any) -> Stream:
        """Answer one request with this stream, behind ``app``."""
        newest = {"version": "3.0", "spec_version": "2.4"}
        asyncio.run(app(http_scope(headers=request, asgi=newest, **scope), nothing, self.take))  # type: ignore[arg-type]
        if self.ends and self.error is None:
            assert self.finals == [len(self.left) - 1]
        return self


async def nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def guard(app: ASGI, clock: Clock | None = None, **overrides: Any) -> ContentGuardMiddleware:
    return ContentGuardMiddleware(app, settings=make_settings(**overrides), clock=clock or Clock())


def whole(content: bytes, content_type: bytes = HTML[0][1], **overrides: Any) -> bytes:
    """What comes out when the app sends the page in one message."""
    stream = Stream([])
    headers = [("content-type", content_type.decode())]
    stream.behind(guard(one_page(content, headers=headers), **overrides))
    return masked(stream.body)


@dataclass
class Insertions:
    """Where a rewritten page is longer than the page: ``head`` before ``</head>``, ``end`` before ``</article>``."""

    page: bytes
    output: bytes

    def __post_init__(self) -> None:
        self.head_at, self.end_at = self.page.index(b"</head>"), self.page.rindex(b"</article>")
        between = self.page[self.head_at : self.end_at]
        assert self.output.startswith(self.page[: self.head_at])
        assert self.output.endswith(self.page[self.end_at :])
        middle = self.output[self.head_at : len(self.output) - (len(self.page) - self.end_at)]
        self.head, found, self.end = middle.partition(between)
        assert found == between

    def length(self, offset: int) -> int:
        """How much of the output has to have left when the page up to ``offset`` has."""
        return offset + len(self.head) * (offset > self.head_at) + len(self.end) * (offset > self.end_at)


def finished(delivered: bytes) -> int:
    """How much of what the app has sent is certainly no unfinished token: all up to its last tag's end."""
    return delivered.rfind(b">") + 1


class TestTheHead:
    """Before the head's end there is nothing to wait for: the first byte leaves when the app's first chunk comes."""

    @pytest.mark.parametrize(
        ("first", "leaves"),
        [
            (b"<!doctype html>", b"<!doctype html>"),
            (b"<!doctype html>\n<html>\n<he", b"<!doctype html>\n<html>"),
            (codecs.BOM_UTF8 + b"<!doctype html><html>", codecs.BOM_UTF8 + b"<!doctype html><html>"),
            (b"<html><!-- a > b --><head>", b"<html><!-- a > b --><head>"),
            (HEAD, HEAD.rstrip()),
        ],
    )
    def test_the_first_byte_leaves_with_the_first_chunk(self, first: bytes, leaves: bytes) -> None:
        stream = Stream([first, b" "]).run()
        assert stream.after[1] is not None
        assert stream.after[1].startswith(leaves)
        assert first.startswith(stream.after[1]), "and no more than that"

    def test_every_piece_of_the_head_leaves_at_once(self) -> None:
        pieces = [line + b"\n" for line in HEAD.splitlines()]
        stream = Stream([*pieces, OPEN, *PARAGRAPHS, CLOSE]).run()
        for sent, delivered in zip(stream.after[1:], accumulate(pieces), strict=False):
            assert sent is not None
            assert delivered.startswith(sent)
            assert len(sent) >= finished(delivered)

    def test_a_long_script_is_not_held(self) -> None:
        """What stands in a script is no token that could be unfinished; a page's data may be megabytes of it."""
        script = b"<script type=application/json>{" + b'"a": [1, 2, 3],' * 20_000 + b"}</script>"
        stream = Stream([HEAD, *cut(script, [9000]), OPEN, *PARAGRAPHS, CLOSE]).run()
        delivered = accumulate([HEAD, *cut(script, [9000])])
        for sent, so_far in zip(stream.after[1:], delivered, strict=False):
            assert len(so_far) - len(sent or b"") <= TOKEN_LIMIT
        assert BOX in stream.body

    def test_a_start_that_cannot_be_ours_does_not_wait(self) -> None:
        """The first chunk of other types is not looked at (the table is in ``test_http_truth.py``)."""
        stream = Stream([b"da", b"ta: <ar"], [(b"content-type", b"text/event-stream")]).run()
        assert stream.after == [b"", b"da", b"data: <ar"]


class TestTheHold:
    """Between the head and certainty: held, so that the head can still be told that there is an article."""

    def test_nothing_behind_the_head_leaves_before_the_page_is_known(self) -> None:
        stream = Stream(CHUNKS).run()
        for sent in stream.after[2:5]:
            assert sent is not None
            assert HEAD.startswith(sent)
            assert len(sent) >= finished(HEAD)

    def test_the_insertions_leave_with_the_head_as_soon_as_it_is(self) -> None:
        stream = Stream(CHUNKS).run()
        sent = stream.after[1 + SURE]
        assert sent is not None
        assert ASSETS in sent
        assert PARAGRAPHS[4] in sent
        assert sent.index(ASSETS) < sent.index(b"</head>")

    def test_and_come_before_the_app_has_ended(self) -> None:
        stream = Stream(CHUNKS).run()
        assert stream.after[-1] is not None
        assert BOX in stream.after[-1]

    @pytest.mark.parametrize("sizes", [[1], [10], [64, 3], [500], [100_000]])
    def test_a_page_that_is_no_article_leaves_byte_for_byte(self, sizes: list[int]) -> None:
        content = b"".join(SHORT)
        stream = Stream(cut(content, sizes)).run()
        assert stream.body == content
        assert stream.start["status"] == 200

    def test_links_are_no_words(self) -> None:
        teasers = b"".join(b"<p><a href=/%d>%s</a></p>\n" % (n, PARAGRAPH.encode()) for n in range(60))
        stream = Stream([HEAD, OPEN, *cut(teasers, [400]), CLOSE]).run()
        assert stream.body == HEAD + OPEN + teasers + CLOSE

    def test_a_short_article_is_known_at_its_end(self) -> None:
        """50 words make an article, but not before it has ended: the rest may be anything."""
        content = [HEAD, OPEN, *PARAGRAPHS[:2], CLOSE]
        stream = Stream(content).run()
        assert stream.after[4] is not None
        assert HEAD.startswith(stream.after[4]), "held while the article may go on"
        parts = Insertions(b"".join(content), stream.body)
        assert ASSETS in parts.head
        assert BOX in parts.end


class TestTheWait:
    """What is held is held for about a second at most; who came late is served without the head."""

    def run(self, chunks: list[bytes], pauses: Mapping[int, float], request: Mapping[str, str] = CHROME) -> Stream:
        """Stream ``chunks``, with so many seconds before those of these numbers."""
        clock = Clock()

        def between(number: int) -> None:
            clock.now += pauses.get(number, 0.0)

        return Stream(chunks, between=between).run(request, clock=clock)

    def test_the_next_chunk_releases_what_was_held(self) -> None:
        stream = self.run(CHUNKS, {3: 0.4, 4: 2.0})
        held, freed = stream.after[1 + 3], stream.after[1 + 4]
        assert held is not None
        assert freed is not None
        assert HEAD.startswith(held), "not after 0.4 s"
        delivered = b"".join(CHUNKS[:5])
        assert delivered.startswith(freed)
        assert len(freed) >= finished(delivered)
        assert all(len(sent or b"") >= finished(b"".join(CHUNKS[:n])) for n, sent in enumerate(stream.after) if n > 5)

    def test_then_everything_stands_at_the_article_s_end(self) -> None:
        parts = Insertions(PAGE, self.run(CHUNKS, {4: 2.0}).body)
        assert parts.head == b""
        assert BOX in parts.end
        assert parts.end.count(b"<script src=") == 2
        assert parts.end.count(b'<link rel="stylesheet"') == 2

    def test_a_page_that_is_no_article_is_released_too(self) -> None:
        stream = self.run([HEAD, OPEN, *[b"<p>short</p>\n"] * 5, CLOSE], {3: 2.0})
        assert stream.after[4] is not None
        assert len(stream.after[4]) >= finished(HEAD + OPEN + b"<p>short</p>")
        assert stream.body == HEAD + OPEN + b"<p>short</p>\n" * 5 + CLOSE

    def test_a_short_article_that_came_late(self) -> None:
        content = [HEAD, OPEN, *PARAGRAPHS[:3], CLOSE]
        assert is_page_with_two_insertions(b"".join(content), self.run(content, {3: 2.0}).body)

    def test_the_time_before_anything_is_held_does_not_count(self) -> None:
        parts = Insertions(PAGE, self.run(CHUNKS, {1: 30.0}).body)
        assert ASSETS in parts.head

    def test_nor_does_the_time_after(self) -> None:
        parts = Insertions(PAGE, self.run(CHUNKS, dict.fromkeys(range(SURE + 1, len(CHUNKS)), 5.0)).body)
        assert ASSETS in parts.head
        assert ASSETS not in parts.end

    def test_a_clock_that_goes_back_holds_nothing_for_ever(self) -> None:
        assert BOX in Insertions(PAGE, self.run(CHUNKS, {3: -500.0}).body).end

    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    def test_patience_does_not_help_a_robot(self, robot: dict[str, str]) -> None:
        stream = self.run(CHUNKS, dict.fromkeys(range(len(CHUNKS)), 10.0), robot)
        assert not [sent for sent in stream.after if sent is not None and LEAK in sent]
        assert LEAK not in stream.body


class TestTheFlow:
    """Once the page is known, all that has come leaves at once, but for an unfinished token."""

    @pytest.mark.parametrize("sizes", [[1], [7], [61], [300, 5], [1000]])
    def test_only_an_unfinished_token_is_held(self, sizes: list[int]) -> None:
        chunks = cut(PAGE, sizes)
        stream = Stream(chunks).run()
        parts = Insertions(PAGE, stream.body)
        known = sum(map(len, CHUNKS[: SURE + 1]))
        for sent, delivered in zip(stream.after[1:], accumulate(chunks), strict=True):
            assert sent is not None or not finished(delivered)
            if len(delivered) >= known:
                assert len(sent or b"") >= parts.length(finished(delivered))

    def test_a_tag_in_two_pieces(self) -> None:
        stream = Stream([*CHUNKS[:20], b"<p cla", b"ss=x>and on</p>", *CHUNKS[20:]]).run()
        half, rest = stream.after[21], stream.after[22]
        assert half is not None
        assert rest is not None
        assert half.endswith((CHUNKS[19].rstrip(), CHUNKS[19]))
        assert b"<p class=x>and on</p>" in rest

    def test_the_end_of_the_article_in_two_pieces(self) -> None:
        stream = Stream([*CHUNKS[:-1], b"</art", b"icle></main>"]).run()
        assert stream.after[-2] is not None
        assert BOX not in stream.after[-2]
        assert stream.after[-1] is not None
        assert BOX in stream.after[-1]
        assert stream.body.index(BOX) < stream.body.index(b"</article>")

    @pytest.mark.parametrize(
        ("begin", "end"),
        [(b'<img alt=x src="data:image/png;base64,', b'">'), (b"<!-- ", b" -->"), (b"<script>x='", b"'</script>")],
        ids=["tag", "comment", "script"],
    )
    @pytest.mark.parametrize("place", [1, 20], ids=["in the head", "in the article"])
    def test_no_token_is_held_beyond_its_limit(self, begin: bytes, end: bytes, place: int) -> None:
        """Past it the page is let through: perhaps without our insertions, but whole and without waiting."""
        token = begin + b"A" * 300_000 + end
        chunks = [*CHUNKS[:place], *cut(token, [8192]), *CHUNKS[place:]]
        stream = Stream(chunks).run()
        content = b"".join(chunks)
        assert is_page_with_two_insertions(content, stream.body)
        delivered = 0
        for number, (chunk, sent) in enumerate(zip(chunks, stream.after[1:], strict=True)):
            delivered += len(chunk)
            if place <= number < place + len(chunks) - len(CHUNKS):
                assert delivered - len(sent or b"") <= TOKEN_LIMIT + 8192 + 1024

    def test_what_never_ends_is_never_lost(self) -> None:
        for tail in (b"<p class='never closed ", b"<!-- never closed", b"<", b"</artic", b"<script>never closed"):
            content = b"".join(CHUNKS[:-1]) + tail
            assert is_page_with_two_insertions(content, Stream(cut(content, [333])).run().body)


PAGES: dict[str, bytes] = {
    "long": PAGE,
    "of the tests": ARTICLE.encode(),
    "short": b"".join([HEAD, OPEN, *PARAGRAPHS[:2], CLOSE]),
    "no article": b"".join(SHORT),
    "empty": b"",
    "one word": b"x",
    "byte order mark": codecs.BOM_UTF8 + PAGE,
    "CRLF": PAGE.replace(b"\n", b"\r\n"),
    "not UTF-8": PAGE.replace(b"council", b"c\xf4ncil \xff"),
    "no head": b"<article>" + b"".join(PARAGRAPHS[:8]) + b"</article>",
    "head without tags": b"<title>T</title><article>" + b"".join(PARAGRAPHS[:8]) + b"</article>",
    "article without end": HEAD + OPEN + b"".join(PARAGRAPHS[:8]),
    "article ended by body": HEAD + OPEN + b"".join(PARAGRAPHS[:8]) + b"</body></html>\n",
    "two articles": HEAD + OPEN + PARAGRAPHS[0] * 2 + b"</article><article>" + b"".join(PARAGRAPHS[:9]) + CLOSE,
    "two short articles": HEAD + OPEN + PARAGRAPHS[0] * 2 + b"</article><article>" + PARAGRAPHS[0] * 3 + CLOSE,
    "a better-liked part": HEAD
    + OPEN
    + b"<div class=entry-content>"
    + b"".join(PARAGRAPHS[:9])
    + b"</div><p>x</p>"
    + CLOSE,
    "scripts and comments": PAGE.replace(
        b"<h1>", b"<script>if (a<b) '</article>'</script><!-- </article> --><style>p>a{}</style><h1>"
    ),
    "script escapes": PAGE.replace(b"<h1>", b"<script><!--<script></script>--></article></script><h1>"),
    "foreign content": PAGE.replace(b"<h1>", b"<svg><title></article></title><![CDATA[ </article> ]]></svg><h1>"),
    "text areas": PAGE.replace(b"<h1>", b"<textarea></article></textarea><h1>"),
    "unfinished tag": b"".join(CHUNKS[:12]) + b"<p class='",
    "unfinished comment": b"".join(CHUNKS[:12]) + b"<!-- --",
    "unfinished in the head": HEAD + b"<style>" + OPEN + b"".join(PARAGRAPHS),
    "plaintext": b"".join(CHUNKS[:12]) + b"<plaintext>" + CLOSE,
    "odd tags": PAGE.replace(b"<h1>", b"</><?php '>' ?><!x></ y><a b='>'>z</a><h1>"),
    "a policy in the page": PAGE.replace(
        b"<title>", b"<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\"><title>"
    ),
}


class TestChunks:
    """However the app cuts its page, the same bytes come out, and they are those of the page in one message."""

    @pytest.mark.parametrize("sizes", [[1], [2, 3], [7, 300], [1024], [1_000_000]], ids=str)
    @pytest.mark.parametrize("content", PAGES.values(), ids=PAGES)
    def test_the_same_bytes(self, content: bytes, sizes: list[int]) -> None:
        stream = Stream(cut(content, sizes)).run()
        assert masked(stream.body) == whole(content)

    @pytest.mark.parametrize("at", range(HEAD.index(b"<link"), len(HEAD) + 40, 3))
    def test_every_cut_around_the_head_s_end(self, at: int) -> None:
        assert masked(Stream([PAGE[:at], PAGE[at:]]).run().body) == whole(PAGE)

    @pytest.mark.parametrize("at", range(len(PAGE) - len(CLOSE) - 8, len(PAGE) - len(CLOSE) + 30, 3))
    def test_every_cut_around_the_article_s_end(self, at: int) -> None:
        assert masked(Stream([PAGE[:at], PAGE[at:]]).run().body) == whole(PAGE)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(article_pages(), chunkings, st.sampled_from([0, 6]))
    def test_the_same_bytes_of_any_page(self, content: bytes, sizes: list[int], more: int) -> None:
        content = content.replace(b"<article>", b"<article>" + b"".join(PARAGRAPHS[:more]), 1)
        assert masked(Stream(cut(content, sizes)).run().body) == whole(content)

    def test_empty_chunks_change_nothing(self) -> None:
        chunks = [part for chunk in CHUNKS for part in (b"", chunk)]
        stream = Stream([*chunks, b""]).run()
        assert masked(stream.body) == whole(PAGE)

    @pytest.mark.parametrize("sizes", [[1], [300]], ids=str)
    def test_a_selector_that_only_a_css_engine_understands(self, sizes: list[int]) -> None:
        article = {"selectors": ("main:has(> article)",)}
        stream = Stream(cut(PAGE, sizes)).run(article=article)
        assert masked(stream.body) == whole(PAGE, article=article)
        assert BOX in stream.body

    @pytest.mark.parametrize("sizes", [[1], [300]], ids=str)
    def test_a_page_that_the_app_calls_an_article(self, sizes: list[int]) -> None:
        content = b"".join(SHORT)
        stream = Stream(cut(content, sizes), [*HTML, (b"x-contentguard", b"article")]).run()
        assert BOX in stream.body
        assert "x-contentguard" not in stream.response
        assert is_page_with_two_insertions(content, stream.body)

    def test_the_second_reader_gets_the_same(self) -> None:
        """With what was learned from the first one, and cut in another way."""
        app = guard(lambda scope, receive, send: current(scope, receive, send))
        bodies = []
        for sizes in ([1000], [17], [1_000_000], [300]):
            current = Stream(cut(PAGE, sizes))
            bodies.append(masked(current.behind(app).body))
        assert set(bodies) == {whole(PAGE)}


class TestHeaders:
    """A streamed page is longer than the app said, by how much nobody can know yet."""

    def test_no_length(self) -> None:
        stream = Stream(CHUNKS).run()
        assert BOX in stream.body
        assert "content-length" not in stream.response

    def test_if_there_is_a_length_it_is_the_right_one(self) -> None:
        """The app told one, and sends chunk by chunk: its length is not that of the page which leaves."""
        stream = Stream(CHUNKS, [*HTML, (b"content-length", str(len(PAGE)).encode())]).run()
        assert BOX in stream.body
        assert stream.response.get("content-length") in (None, str(len(stream.body)))

    def test_nothing_that_is_true_of_the_app_s_bytes_only(self) -> None:
        names = ("content-md5", "digest", "repr-digest", "content-digest", "accept-ranges", "last-modified")
        stream = Stream(CHUNKS, [*HTML, *((name.encode(), b"x") for name in names)]).run()
        assert not [name for name in names if name in stream.response]

    def test_it_is_private(self) -> None:
        stream = Stream(CHUNKS, [*HTML, (b"cache-control", b"public, s-maxage=9"), (b"vary", b"accept")]).run()
        assert stream.response["cache-control"] == "private"
        assert {"accept", "cookie"} <= {v.strip().lower() for v in stream.response["vary"].split(",")}

    def test_head_tells_the_same(self) -> None:
        headers = [*HTML, (b"content-length", str(len(PAGE)).encode()), (b"etag", b'"a"'), (b"x-kept", b"1")]
        get, head = (Stream(CHUNKS, headers) for _ in range(2))
        get.behind(guard(get))
        head.behind(guard(head), method="HEAD")
        assert head.body == b""
        assert told(head.response) == told(get.response)

    def test_a_first_message_with_the_whole_length_is_no_stream(self) -> None:
        stream = Stream([PAGE], [*HTML, (b"content-length", str(len(PAGE)).encode())]).run()
        assert BOX in stream.body
        assert stream.response["content-length"] == str(len(stream.body))


class TestOnePath:
    """A path names no page: what was answered there before (another query, an older edition) decides nothing."""

    HEADERS = (*HTML, (b"etag", b'"a"'), (b"cache-control", b"public, s-maxage=9"))

    @pytest.mark.parametrize("sizes", [[17], [1000]], ids=str)
    @pytest.mark.parametrize("earlier", [SHORT, CHUNKS, CHUNKS[:9]], ids=["no article", "an article", "a part of it"])
    def test_an_article_is_one_whatever_came_before(self, earlier: list[bytes], sizes: list[int]) -> None:
        headers = list(self.HEADERS)
        app = guard(lambda scope, receive, send: current(scope, receive, send))
        for _ in range(2):
            current = Stream(earlier, headers)
            current.behind(app)
            current = Stream(cut(PAGE, sizes), headers)
            current.behind(app)
            assert BOX in current.body
            assert is_page_with_two_insertions(PAGE, current.body)
            assert current.response["cache-control"] == "private", "it bears a copy number"
            assert current.response.get("etag", "W/").startswith("W/")

    @pytest.mark.parametrize("sizes", [[17], [1000]], ids=str)
    def test_no_article_is_none_whatever_came_before(self, sizes: list[int]) -> None:
        content = b"".join(SHORT)
        app = guard(lambda scope, receive, send: current(scope, receive, send))
        for _ in range(2):
            current = Stream(CHUNKS)
            current.behind(app)
            current = Stream(cut(content, sizes))
            assert current.behind(app).body == content

    def test_every_article_is_counted_whatever_came_before(self) -> None:
        app = guard(lambda scope, receive, send: current(scope, receive, send), limits={"articles": "2/minute"})
        statuses = []
        for _ in range(4):
            current = Stream(SHORT)
            current.behind(app)
            current = Stream(CHUNKS)
            current.behind(app)
            statuses.append(current.start["status"])
        assert statuses == [200, 200, 429, 429]


class TestRobots:
    """Streaming is no way around the policy: who may not have an article gets no byte of it, however it is cut."""

    @pytest.mark.parametrize("sizes", [[1], [100], [1000], [1_000_000]], ids=str)
    @pytest.mark.parametrize(("robot", "status"), [(CURL, 403), (FACEBOOK, 200), (GPTBOT, 403)])
    def test_a_restricted_robot(self, robot: dict[str, str], status: int, sizes: list[int]) -> None:
        stream = Stream(cut(PAGE, sizes)).run(robot)
        assert stream.start["status"] == status
        assert not [sent for sent in [*stream.after, stream.body] if sent is not None and LEAK in sent]
        assert int(stream.response["content-length"]) == len(stream.body)
        assert stream.finals == [len(stream.left) - 1]

    def test_a_preview_gets_the_card(self) -> None:
        assert b'property="og:title" content="Tide"' in Stream(CHUNKS).run(FACEBOOK).body

    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    def test_what_is_no_article_they_may_have(self, robot: dict[str, str]) -> None:
        stream = Stream(SHORT, [*HTML, (b"etag", b'"a"'), (b"x-kept", b"1")]).run(robot)
        assert stream.body == b"".join(SHORT)
        assert (stream.response["etag"], stream.response["x-kept"]) == ('"a"', "1")

    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    @pytest.mark.parametrize("count", [3, 4, 8, len(CHUNKS)])
    def test_an_article_that_breaks_off(self, robot: dict[str, str], count: int) -> None:
        """Neither an exception nor an app that forgets its end sets free what was held."""
        broken = Stream(CHUNKS[:count], error=ValueError("app"))
        with pytest.raises(ValueError, match="app"):
            broken.run(robot)
        stopped = Stream(CHUNKS[:count], ends=False).run(robot)
        for stream in (broken, stopped):
            assert LEAK not in stream.body

    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    def test_a_page_too_large_to_look_into(self, robot: dict[str, str]) -> None:
        stream = Stream(CHUNKS).run(robot, article={"max_bytes": 4096})
        assert LEAK not in stream.body
        assert stream.start["status"] == 403

    def test_a_reader_of_a_page_too_large_to_look_into(self) -> None:
        """A stream is not kept, so its length is no matter: with the limit reached it may only leave as it came."""
        stream = Stream(CHUNKS).run(article={"max_bytes": 4096})
        assert is_page_with_two_insertions(PAGE, stream.body)

    @pytest.mark.parametrize("sizes", [[50], [1000], [1_000_000]], ids=str)
    def test_a_reader_over_the_limit(self, sizes: list[int]) -> None:
        app = guard(lambda scope, receive, send: current(scope, receive, send), limits={"articles": "2/minute"})
        statuses = []
        for _ in range(4):
            current = Stream(cut(PAGE, sizes))
            current.behind(app)
            statuses.append(current.start["status"])
        assert statuses == [200, 200, 429, 429]
        assert LEAK not in current.body
        assert "retry-after" in current.response
        other = current = Stream(SHORT)
        assert other.behind(app).body == b"".join(SHORT), "what is no article is not counted, nor refused"
        stranger = current = Stream(CHUNKS)
        assert stranger.behind(app, client=("192.0.2.99", 1)).start["status"] == 200

    @pytest.mark.parametrize("paths", [["/news/tide"] * 4, ["/", "/news", "/about", "/news/tide"]], ids=["one", "many"])
    def test_a_page_that_is_no_article_is_not_counted(self, paths: list[str]) -> None:
        app = guard(lambda scope, receive, send: current(scope, receive, send), limits={"articles": "1/hour"})
        for path in paths:
            current = Stream(SHORT)
            assert current.behind(app, path=path).body == b"".join(SHORT)
        current = Stream(CHUNKS)
        assert current.behind(app, path=paths[-1]).start["status"] == 200
        current = Stream(CHUNKS)
        assert current.behind(app, path=paths[-1]).start["status"] == 429


class TestLifecycle:
    """A stream that breaks off: what the app has sent leaves, and the server sees that something is missing."""

    @pytest.mark.parametrize("fails", [True, False], ids=["raises", "stops"])
    @pytest.mark.parametrize("tail", [b"", b"<p cla"], ids=["between tokens", "within a token"])
    @pytest.mark.parametrize("count", [1, 2, 4, SURE + 1, 20])
    def test_held_bytes_leave_first(self, count: int, tail: bytes, fails: bool) -> None:
        content = b"".join(CHUNKS[:count]) + tail
        error = ValueError("app") if fails else None
        stream = Stream([*CHUNKS[:count], tail], error=error, ends=False)
        if fails:
            with pytest.raises(ValueError, match="app") as caught:
                stream.run()
            assert caught.value is error
        else:
            stream.run()
        assert is_page_with_two_insertions(content, stream.body)
        assert stream.body.endswith(content[-40:])
        assert stream.finals == [], "no end is made up"
        assert all(m["more_body"] for m in stream.left if m["type"] == "http.response.body")

    def test_a_page_that_breaks_off_before_it_is_known_is_the_app_s_own(self) -> None:
        stream = Stream(CHUNKS[:4], error=ValueError("app"), ends=False)
        with pytest.raises(ValueError, match="app"):
            stream.run()
        assert stream.body == b"".join(CHUNKS[:4])

    @pytest.mark.parametrize("fails", [True, False], ids=["raises", "stops"])
    def test_a_page_with_a_length_that_breaks_off(self, fails: bool) -> None:
        """It may have been held whole: then nothing may leave, or what there is, but no end."""
        length = (b"content-length", str(len(PAGE)).encode())
        stream = Stream(CHUNKS[:4], [*HTML, length], error=ValueError("app") if fails else None, ends=False)
        if fails:
            with pytest.raises(ValueError, match="app"):
                stream.run()
        else:
            stream.run()
        assert b"".join(CHUNKS[:4]).startswith(stream.body)
        assert stream.finals == []

    @pytest.mark.parametrize("fails_at", [0, 1, 2, 5])
    def test_a_client_that_went_is_the_app_s_affair(self, fails_at: int) -> None:
        told: list[OSError] = []
        stream = Stream(CHUNKS)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            try:
                await stream(scope, receive, send)
            except OSError as error:
                told.append(error)
                raise

        async def send(message: Any) -> None:
            if len(stream.left) >= fails_at:
                raise ConnectionResetError("gone")
            await stream.take(message)

        with pytest.raises(ConnectionResetError, match="gone"):
            asyncio.run(guard(app)(http_scope(), nothing, send))
        assert [str(error) for error in told] == ["gone"]

    def test_an_app_that_hears_of_a_disconnect_stops(self) -> None:
        events: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]
        stream = Stream(CHUNKS[:10], ends=False)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await stream(scope, receive, send)
            assert (await receive())["type"] == "http.disconnect"

        async def receive() -> Message:
            return events.pop(0)

        asyncio.run(guard(app)(http_scope(), receive, stream.take))
        assert events == []
        assert stream.finals == []

    def test_a_cancelled_app_is_cancelled(self) -> None:
        """Servers and frameworks end a response whose client has gone by cancelling it."""
        stream = Stream(CHUNKS[:10], error=asyncio.CancelledError())
        with pytest.raises(asyncio.CancelledError):
            stream.run()
        assert stream.finals == []

    def test_background_tasks_run_after_the_last_send(self) -> None:
        order: list[str] = []

        async def parts() -> Any:
            for chunk in CHUNKS:
                yield chunk

        response = StreamingResponse(parts(), media_type="text/html", background=BackgroundTask(order.append, "task"))
        site = Starlette(routes=[Route("/news/tide", lambda r: response)])

        async def send(message: Any) -> None:
            order.append("body" if message.get("more_body", True) else "end")

        newest = {"version": "3.0", "spec_version": "2.4"}
        asyncio.run(guard(site)(http_scope(asgi=newest), nothing, send))
        assert order[-2:] == ["end", "task"]
        assert order.count("end") == 1

    def test_one_task_does_it_all(self) -> None:
        tasks: set[asyncio.Task[Any] | None] = set()
        counts: set[int] = set()

        def look(_: int = 0) -> None:
            tasks.add(asyncio.current_task())
            counts.add(len(asyncio.all_tasks()))

        stream = Stream(CHUNKS, between=look)

        async def send(message: Any) -> None:
            look()
            await stream.take(message)

        async def run() -> None:
            look()
            await guard(stream)(http_scope(), nothing, send)
            look()

        asyncio.run(run())
        assert len(tasks) == 1
        assert counts == {1}

    @pytest.mark.parametrize("at", [2, 4, 20])
    def test_other_messages_keep_their_place(self, at: int) -> None:
        """A push in mid-stream comes after the start and before the end, and trailers come last."""
        push = {"type": "http.response.push", "path": "/a.css", "headers": []}
        stream = Stream(CHUNKS)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": HTML, "trailers": True})
            for number, chunk in enumerate(CHUNKS):
                if number == at:
                    await send(push)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            await send({"type": "http.response.trailers", "headers": []})

        asyncio.run(guard(app)(http_scope(), nothing, stream.take))
        kinds = [m["type"].rpartition(".")[2] for m in stream.left]
        assert kinds[0] == "start"
        assert kinds[-1] == "trailers"
        assert kinds.count("push") == kinds.count("trailers") == 1
        assert kinds.index("push") < stream.finals[0]
        assert stream.left[0]["trailers"] is True
        assert masked(stream.body) == whole(PAGE)


class TestNesting:
    """A guard in a guard: the inner one passes every chunk on."""

    def test_inserted_once_and_not_held_twice(self) -> None:
        stream = Stream(CHUNKS)
        stream.behind(guard(guard(stream)))
        assert stream.body.count(BOX) == 1
        assert masked(stream.body) == whole(PAGE)
        sent = stream.after[1 + SURE]
        assert sent is not None
        assert ASSETS in sent

    def test_the_inner_one_may_be_the_stricter(self) -> None:
        stream = Stream(CHUNKS)
        stream.behind(guard(guard(stream), policy={"rights": {"tool": "allow"}}), CURL)
        assert stream.start["status"] == 403
        assert LEAK not in stream.body
