"""What is true of an HTTP response stays true behind the guard: one class for each thing a middleware can get wrong.

* scope types: ``test_middleware.py``; which responses are touched: ``TestWhichResponses``
* Content-Length, ``more_body`` and empty messages: ``TestWholeBodies``; streamed bodies: ``test_streaming.py``
* exceptions, disconnects, background tasks, contextvars: ``TestLifecycle``
* debug, early hints, push, trailers: ``TestOtherMessages``; pathsend and zerocopysend: ``TestFiles``
* Range and 206: ``TestParts``; HEAD: ``TestHead``; ETag, Last-Modified, If-None-Match: ``test_validators.py``
* Cache-Control and Vary: ``TestCaching``; Content-Encoding, upstream and our own: ``test_compression.py``
* charset and ``<meta charset>``: ``TestCharset``; blocking work: ``TestEventLoop``; idempotence: ``TestNesting``
"""

from __future__ import annotations

import asyncio
import codecs
import contextvars
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route

from contentguard import ContentGuardMiddleware
from tests.client import (
    ARTICLE,
    ASGI,
    CHROME,
    CURL,
    FACEBOOK,
    PARAGRAPH,
    drive,
    http_scope,
    is_page_with_two_insertions,
    told,
)
from tests.client import page as one_page
from tests.client import settings as make_settings
from tests.rewrite.pages import cut

Message = dict[str, Any]
Pairs = list[tuple[bytes, bytes]]

PAGE = ARTICLE.encode()
LEAK = PARAGRAPH[:40].encode()
"""What no restricted robot may ever see."""
BOX = b"Share your love"
NOW = 1_790_000_000.0
HTML = (b"content-type", b"text/html; charset=utf-8")
NEWEST = {"version": "3.0", "spec_version": "2.4"}
BODIES = ("http.response.body", "http.response.pathsend", "http.response.zerocopysend")


def guard(app: ASGI, **overrides: Any) -> ContentGuardMiddleware:
    return ContentGuardMiddleware(app, settings=make_settings(**overrides), clock=lambda: NOW)


@dataclass(frozen=True)
class Reply:
    """What a server puts on the wire."""

    status: int
    headers: httpx.Headers
    body: bytes

    def listed(self, name: str) -> set[str]:
        """The members of a header that is a list, in lower case."""
        return {part.strip().lower() for part in self.headers.get(name, "").split(",") if part.strip()}


def reply(sent: list[Message]) -> Reply:
    """What a server makes of these messages, which must be ones that it accepts: one start, one end, no more."""
    starts = [n for n, m in enumerate(sent) if m["type"] == "http.response.start"]
    bodies = [n for n, m in enumerate(sent) if m["type"] in BODIES]
    assert len(starts) == 1
    assert bodies
    assert starts[0] < bodies[0]
    assert [n for n in bodies if _ends(sent[n])] == bodies[-1:], "exactly one message ends the body, the last"
    start = sent[starts[0]]
    body = b"".join(_content(sent[n]) for n in bodies)
    headers = httpx.Headers(start["headers"])
    if "content-length" in headers and start["status"] != 304:
        assert int(headers["content-length"]) == len(body), "a server would raise, or the client wait"
    return Reply(start["status"], headers, body)


def _ends(message: Message) -> bool:
    return message["type"] == "http.response.pathsend" or not message.get("more_body", False)


def _content(message: Message) -> bytes:
    """The bytes a message stands for: a server reads the files it is told to send."""
    if message["type"] == "http.response.pathsend":
        return Path(message["path"]).read_bytes()
    if message["type"] == "http.response.zerocopysend":
        file = message["file"]
        if "offset" in message:
            file.seek(message["offset"])
        content: bytes = file.read(message.get("count", -1))
        return content
    chunk: bytes = message.get("body", b"")
    return chunk


def ask(app: ASGI, request: Mapping[str, str] = CHROME, **scope: Any) -> Reply:
    """One request; HEAD is not checked against its Content-Length, for it has no body to compare."""
    sent = asyncio.run(drive(app, http_scope(headers=request, asgi=NEWEST, **scope)))
    if scope.get("method") != "HEAD":
        return reply(sent)
    (start,) = (m for m in sent if m["type"] == "http.response.start")
    return Reply(start["status"], httpx.Headers(start["headers"]), b"".join(map(_content, sent[1:])))


def says(*messages: Message) -> ASGI:
    """An app that answers with exactly these messages."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(dict(message))

    return app


def start(*headers: tuple[bytes, bytes], status: int = 200, **more: Any) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers), **more}


def body(content: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def follow(
    messages: Iterable[Message], request: Mapping[str, str] = CHROME, **overrides: Any
) -> list[list[Message]]:
    """What had left the guard each time the app could go on after one of its messages."""
    left: list[Message] = []
    seen: list[list[Message]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(dict(message))
            seen.append(left.copy())

    async def send(message: Any) -> None:
        left.append(message)

    await guard(app, **overrides)(http_scope(headers=request), _nothing, send)
    return seen


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _length(content: bytes) -> tuple[bytes, bytes]:
    return (b"content-length", str(len(content)).encode())


# Everything that is not a page to be guarded, whoever asks for it. Header, status, body.
OTHERS: dict[str, tuple[int, Pairs, bytes]] = {
    "no content type": (200, [], PAGE),
    "plain text": (200, [(b"content-type", b"text/plain")], PAGE),
    "a type that only begins like html": (200, [(b"content-type", b"text/html-sandboxed")], PAGE),
    "server-sent events": (200, [(b"content-type", b"text/event-stream")], b"data: <article>\n\n"),
    "103 early hints": (103, [HTML, (b"link", b"</a.css>; rel=preload")], b""),
    "201 created": (201, [HTML], PAGE),
    "204 no content": (204, [HTML], b""),
    "205 reset content": (205, [HTML], b""),
    "206 of a film": (206, [(b"content-type", b"video/mp4"), (b"content-range", b"bytes 0-2/9")], b"abc"),
    "301 moved": (301, [HTML, (b"location", b"/x")], PAGE),
    "302 found": (302, [HTML, (b"location", b"/x")], PAGE),
    "304 not modified": (304, [(b"etag", b'"a"')], b""),
    "401 unauthorised": (401, [HTML, (b"www-authenticate", b"Basic")], PAGE),
    "404 not found": (404, [HTML], PAGE),
    "500 error": (500, [HTML], PAGE),
    "503 unavailable": (503, [HTML, (b"retry-after", b"9")], PAGE),
}
# What readers may have as it is, though restricted robots may not.
FOR_READERS: dict[str, tuple[int, Pairs, bytes]] = {
    "attachment": (200, [HTML, (b"content-disposition", b"ATTACHMENT; filename=x.html")], PAGE),
    "no-transform": (200, [HTML, (b"cache-control", b"public, No-Transform")], PAGE),
    "no-transform in a second line": (
        200,
        [HTML, (b"cache-control", b"max-age=9"), (b"cache-control", b"no-transform")],
        PAGE,
    ),
    "UTF-16": (200, [(b"content-type", b"text/html; charset=UTF-16LE")], ARTICLE.encode("utf-16-le")),
    "ISO-2022-JP": (200, [(b"content-type", b'text/html; charset="iso-2022-jp"')], PAGE),
}
_KEPT = [(b"etag", b'"a"'), (b"last-modified", b"Tue, 01 Sep 2026 10:00:00 GMT"), (b"X-Odd-Case", b" kept ")]


def _whole(row: tuple[int, Pairs, bytes]) -> list[Message]:
    """The messages of a row, its body in two pieces."""
    status, headers, content = row
    lengths = [_length(content)] if content else []
    half = len(content) // 2
    return [start(*headers, *_KEPT, *lengths, status=status), body(content[:half], more=True), body(content[half:])]


class TestWhichResponses:
    """Only a 200 with HTML is ours. Everything else leaves byte for byte, header for header, and at once."""

    @pytest.mark.parametrize("robot", [CHROME, CURL, FACEBOOK], ids=["reader", "curl", "preview"])
    @pytest.mark.parametrize("row", OTHERS.values(), ids=OTHERS)
    def test_what_is_no_page_passes_at_once(self, row: tuple[int, Pairs, bytes], robot: dict[str, str]) -> None:
        messages = _whole(row)
        seen = asyncio.run(follow(messages, robot))
        assert seen == [messages[:1], messages[:2], messages]

    @pytest.mark.parametrize("robot", [CHROME, CURL, FACEBOOK], ids=["reader", "curl", "preview"])
    @pytest.mark.parametrize(
        ("kind", "body", "waits"),
        [(b"application/json", b"[1,2,34]", 0), (b"application/json", b'{"a": 1}', 8), (b"text/xml", b"<a>b</a>", 0)],
        ids=["a list", "an object", "xml"],
    )
    def test_what_may_be_a_feed_passes_once_it_is_none(
        self, kind: bytes, body: bytes, waits: int, robot: dict[str, str]
    ) -> None:
        messages = _whole((200, [(b"content-type", kind)], body))
        seen = asyncio.run(follow(messages, robot))
        assert (seen[0], b"".join(m.get("body", b"") for m in seen[-1])) == ([], body)
        assert seen[-1][0] == messages[0], "its own headers, all of them"
        assert bool(seen[1]) == (not waits)

    @pytest.mark.parametrize("row", FOR_READERS.values(), ids=FOR_READERS)
    def test_what_readers_may_have_as_it_is_passes_at_once(self, row: tuple[int, Pairs, bytes]) -> None:
        messages = _whole(row)
        assert asyncio.run(follow(messages)) == [messages[:1], messages[:2], messages]

    @pytest.mark.parametrize("row", FOR_READERS.values(), ids=FOR_READERS)
    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    def test_a_restricted_robot_gets_none_of_it(self, row: tuple[int, Pairs, bytes], robot: dict[str, str]) -> None:
        sent = asyncio.run(drive(guard(says(*_whole(row))), http_scope(headers=robot)))
        content = reply(sent).body
        assert LEAK not in content
        assert PARAGRAPH[:40].encode("utf-16-le") not in content

    @pytest.mark.parametrize("row", FOR_READERS.values(), ids=FOR_READERS)
    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    def test_readers_have_it_as_it_is_after_a_robot_too(
        self, row: tuple[int, Pairs, bytes], robot: dict[str, str]
    ) -> None:
        messages = _whole(row)
        app = guard(says(*messages))
        ask(app, robot)
        assert asyncio.run(drive(app, http_scope())) == messages

    @pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE], ids=["LE", "BE"])
    def test_a_byte_order_mark_tells_utf_16(self, mark: bytes) -> None:
        """The header says UTF-8, the page says otherwise: that is known with its first chunk, and then it leaves."""
        content = mark + ARTICLE.encode("utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be")
        messages = _whole((200, [HTML], content))
        seen = asyncio.run(follow(messages))
        assert seen[1:] == [messages[:2], messages]
        assert ask(guard(says(*messages)), CURL).status == 403

    def test_xhtml_is_looked_at_and_left(self) -> None:
        row = (200, [(b"content-type", b"application/xhtml+xml; charset=utf-8")], PAGE)
        messages = _whole(row)
        whole = reply(asyncio.run(drive(guard(says(*messages)), http_scope())))
        assert whole == reply(messages)
        assert ask(guard(says(*messages)), CURL).status == 403
        note = _whole((200, row[1], b"<p xmlns='http://www.w3.org/1999/xhtml'>short</p>"))
        assert ask(guard(says(*note)), CURL) == reply(note), "no article, no refusal"

    def test_the_app_says_off(self) -> None:
        messages = _whole((200, [HTML, (b"X-ContentGuard", b" Off ")], PAGE))
        expected = _whole((200, [HTML], PAGE))
        assert asyncio.run(follow(messages)) == [expected[:1], expected[:2], expected]

    @pytest.mark.parametrize(
        "content_type",
        [b"text/html", b"TEXT/HTML; Charset=UTF-8", b'text/html;charset="utf-8"', b" text/html ; charset=iso-8859-1"],
    )
    @pytest.mark.parametrize("name", [b"content-type", b"Content-Type"])
    def test_what_is_ours_however_it_is_written(self, name: bytes, content_type: bytes) -> None:
        app = guard(says(start((name, content_type)), body(PAGE)))
        assert BOX in ask(app).body
        assert ask(app, CURL).status == 403

    @pytest.mark.parametrize(
        "header",
        [(b"content-disposition", b"inline; filename=x.html"), (b"cache-control", b"max-age=1, x-no-transform")],
    )
    def test_false_friends(self, header: tuple[bytes, bytes]) -> None:
        assert BOX in ask(guard(says(start(HTML, header), body(PAGE)))).body

    def test_an_answer_to_a_form_is_a_page_like_any_other(self) -> None:
        got: list[bytes] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            got.append((await receive())["body"])
            await says(start(HTML), body(PAGE))(scope, receive, send)

        async def run(request: Mapping[str, str]) -> Reply:
            sent: list[Message] = []

            async def receive() -> Message:
                return {"type": "http.request", "body": b"q=tide", "more_body": False}

            async def send(message: Any) -> None:
                sent.append(message)

            await guard(app)(http_scope(headers=request, method="POST"), receive, send)
            return reply(sent)

        assert BOX in asyncio.run(run(CHROME)).body
        assert asyncio.run(run(CURL)).status == 403
        assert got == [b"q=tide"] * 2


# How an app may send a body that it has whole: (content, more_body) of each message.
SHAPES: dict[str, Callable[[bytes], list[Message]]] = {
    "one message": lambda content: [body(content)],
    "and an empty one": lambda content: [body(content, more=True), body()],
    "and two empty ones": lambda content: [body(content, more=True), body(more=True), body()],
    "and one without a body": lambda content: [body(content, more=True), {"type": "http.response.body"}],
}


class TestWholeBodies:
    """Content-Length, ``more_body``, empty messages: a body that is there whole is answered whole."""

    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_the_length_is_right(self, shape: Callable[[bytes], list[Message]]) -> None:
        whole = ask(guard(says(start(HTML, _length(PAGE)), *shape(PAGE))))
        assert BOX in whole.body
        assert is_page_with_two_insertions(PAGE, whole.body)
        assert int(whole.headers["content-length"]) == len(whole.body)

    def test_the_length_is_told_even_if_the_app_did_not(self) -> None:
        whole = ask(guard(says(start(HTML), body(PAGE))))
        assert int(whole.headers["content-length"]) == len(whole.body)

    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    @pytest.mark.parametrize("robot", [CHROME, CURL], ids=["reader", "curl"])
    @pytest.mark.parametrize("content", [b"<p>no article</p>", b""], ids=["short", "empty"])
    def test_what_is_no_article_keeps_all_its_headers(
        self, shape: Callable[[bytes], list[Message]], robot: dict[str, str], content: bytes
    ) -> None:
        messages = [start(HTML, *_KEPT, _length(content)), *shape(content)]
        assert ask(guard(says(*messages)), robot) == reply(messages)

    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_a_refusal_takes_the_place_of_all_of_it(self, shape: Callable[[bytes], list[Message]]) -> None:
        refused = ask(guard(says(start(HTML, _length(PAGE)), *shape(PAGE))), CURL)
        assert refused.status == 403
        assert LEAK not in refused.body

    def test_behind_starlette_s_base_class(self) -> None:
        """It sends the whole body with ``more_body`` set, and an empty message after it."""

        class Timing(BaseHTTPMiddleware):
            async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
                response = await call_next(request)
                response.headers["server-timing"] = "app"
                return response

        site = Starlette(routes=[Route("/news/tide", lambda r: HTMLResponse(ARTICLE))], middleware=[Middleware(Timing)])
        whole = ask(guard(site))
        assert BOX in whole.body
        assert int(whole.headers["content-length"]) == len(whole.body)
        assert whole.headers["server-timing"] == "app"
        assert ask(guard(site), CURL).status == 403


class TestLifecycle:
    """Exceptions, disconnects, background tasks, contextvars (of a body in mid-stream: ``test_streaming.py``)."""

    @pytest.mark.parametrize("robot", [CHROME, CURL], ids=["reader", "curl"])
    def test_an_exception_before_the_start_rises_alone(self, robot: dict[str, str]) -> None:
        error = ValueError("app")
        sent: list[Message] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise error

        with pytest.raises(ValueError, match="app") as caught:
            asyncio.run(self.run(guard(app), sent, robot))
        assert caught.value is error
        assert sent == []

    @pytest.mark.parametrize("fails", [True, False], ids=["raises", "stops"])
    @pytest.mark.parametrize("robot", [CHROME, CURL, FACEBOOK], ids=["reader", "curl", "preview"])
    def test_an_app_that_ends_after_the_start_ends_no_response(self, robot: dict[str, str], fails: bool) -> None:
        """The server has to see that something is missing: no final message is made up for the app."""
        sent: list[Message] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(start(HTML, _length(PAGE)))
            if fails:
                raise ValueError("app")

        if fails:
            with pytest.raises(ValueError, match="app"):
                asyncio.run(self.run(guard(app), sent, robot))
        else:
            asyncio.run(self.run(guard(app), sent, robot))
        assert not any(m["type"] == "http.response.body" and not m.get("more_body", False) for m in sent)

    def test_an_app_that_says_nothing(self) -> None:
        assert asyncio.run(drive(guard(says()), http_scope())) == []

    def test_an_exception_after_the_end_rises(self) -> None:
        sent: list[Message] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await says(start(HTML), body(PAGE))(scope, receive, send)
            raise ValueError("background")

        with pytest.raises(ValueError, match="background"):
            asyncio.run(self.run(guard(app), sent, CHROME))
        assert BOX in reply(sent).body

    def test_the_app_hears_of_a_disconnect(self) -> None:
        heard: list[str] = []
        queue: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]

        async def app(scope: Any, receive: Any, send: Any) -> None:
            heard.extend([(await receive())["type"], (await receive())["type"]])

        async def receive() -> Message:
            return queue.pop(0)

        async def send(message: Any) -> None:
            raise AssertionError("nothing was sent")

        asyncio.run(guard(app)(http_scope(), receive, send))
        assert heard == ["http.request", "http.disconnect"]

    @pytest.mark.parametrize("robot", [CHROME, CURL], ids=["reader", "curl"])
    @pytest.mark.parametrize("fails_at", ["http.response.start", "http.response.body"])
    def test_a_client_that_went_is_the_app_s_affair(self, fails_at: str, robot: dict[str, str]) -> None:
        """Since ASGI 2.4 a server raises OSError from ``send``: the app's own send has to raise it."""
        told: list[OSError] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            try:
                await says(start(HTML), body(PAGE))(scope, receive, send)
            except OSError as error:
                told.append(error)
                raise

        async def send(message: Any) -> None:
            if message["type"] == fails_at:
                raise ConnectionResetError("gone")

        with pytest.raises(ConnectionResetError, match="gone"):
            asyncio.run(guard(app)(http_scope(headers=robot), _nothing, send))
        assert [str(error) for error in told] == ["gone"]

    def test_background_tasks_run_after_the_last_send(self) -> None:
        order: list[str] = []
        task = BackgroundTask(order.append, "task")
        site = Starlette(routes=[Route("/news/tide", lambda r: HTMLResponse(ARTICLE, background=task))])

        async def send(message: Any) -> None:
            order.append(message["type"].rpartition(".")[2])

        asyncio.run(guard(site)(http_scope(asgi=NEWEST), _nothing, send))
        assert order[:1] + order[-2:] == ["start", "body", "task"]

    def test_contextvars_and_tasks_are_the_server_s(self) -> None:
        """No task, no copied context: what one side sets the other sees, and one task does it all."""
        var: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="unset")
        seen: dict[str, Any] = {}

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen["app"] = (asyncio.current_task(), len(asyncio.all_tasks()), var.get())
            var.set("from the app")
            await says(start(HTML), body(PAGE))(scope, receive, send)

        async def send(message: Any) -> None:
            seen["send"] = (asyncio.current_task(), len(asyncio.all_tasks()), var.get())

        async def run() -> None:
            var.set("from the server")
            await guard(app)(http_scope(), _nothing, send)
            seen["after"] = (asyncio.current_task(), len(asyncio.all_tasks()), var.get())

        asyncio.run(run())
        assert len({task for task, _, _ in seen.values()}) == 1
        assert {count for _, count, _ in seen.values()} == {1}
        assert [seen[key][2] for key in ("app", "send", "after")] == ["from the server", "from the app", "from the app"]

    @staticmethod
    async def run(app: ASGI, sent: list[Message], robot: Mapping[str, str]) -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        await app(http_scope(headers=robot), _nothing, send)


DEBUG: Message = {"type": "http.response.debug", "info": {"template": "x"}}
HINT: Message = {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]}
PUSH: Message = {"type": "http.response.push", "path": "/a.css", "headers": []}
TRAILERS: Message = {"type": "http.response.trailers", "headers": [(b"x-took", b"1")], "more_trailers": False}
KINDS: dict[str, tuple[Message, bytes]] = {
    "an article": (start(HTML), PAGE),
    "a page": (start(HTML), b"<p>short</p>"),
    "json": (start((b"content-type", b"application/json")), b"{}"),
}


@pytest.mark.parametrize("robot", [CHROME, FACEBOOK], ids=["reader", "preview"])
@pytest.mark.parametrize(("first", "content"), KINDS.values(), ids=KINDS)
class TestOtherMessages:
    """Debug information, early hints and pushes are forwarded as they are, each in its place."""

    def test_before_the_start_they_leave_at_once(self, first: Message, content: bytes, robot: dict[str, str]) -> None:
        seen = asyncio.run(follow([DEBUG, HINT, HINT, first, body(content)], robot))
        assert seen[:3] == [[DEBUG], [DEBUG, HINT], [DEBUG, HINT, HINT]]
        assert [m["type"].rpartition(".")[2] for m in seen[-1][3:5]] == ["start", "body"]

    def test_a_hint_comes_before_the_body(self, first: Message, content: bytes, robot: dict[str, str]) -> None:
        left = asyncio.run(follow([first, HINT, body(content)], robot))[-1]
        kinds = [m["type"] for m in left]
        assert left.count(HINT) == 1
        assert kinds.index("http.response.early_hint") < kinds.index("http.response.body")

    def test_a_push_comes_between_start_and_end(self, first: Message, content: bytes, robot: dict[str, str]) -> None:
        """A server may only push once the response has started (ASGI extensions, HTTP/2 Server Push)."""
        left = asyncio.run(follow([first, PUSH, body(content)], robot))[-1]
        assert [m["type"].rpartition(".")[2] for m in left] == ["start", "push", "body"]
        assert left[1] == PUSH


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("first", "content"), KINDS.values(), ids=KINDS)
def test_trailers_come_last(first: Message, content: bytes, streamed: bool) -> None:
    """A body with trailers has no length: in HTTP/1.1 they can only follow a chunked one."""
    bodies = [body(content[:9], more=True), body(content[9:])] if streamed else [body(content)]
    left = asyncio.run(follow([{**first, "trailers": True}, *bodies, TRAILERS]))[-1]
    assert left[-1] == TRAILERS
    assert [m["type"] for m in left].count("http.response.trailers") == 1
    assert left[0]["trailers"] is True
    assert "content-length" not in reply(left).headers


def test_a_refusal_has_none_of_the_app_s_trailers() -> None:
    """They belong to a response that never left: a server takes them for a fault (ASGI, HTTP Trailers)."""
    left = asyncio.run(
        drive(guard(says({**start(HTML), "trailers": True}, body(PAGE), TRAILERS)), http_scope(headers=CURL))
    )
    assert [m["type"].rpartition(".")[2] for m in left] == ["start", "body"]
    assert left[0]["status"] == 403


class TestFiles:
    """``pathsend`` and ``zerocopysend``: a server that sends files by itself must not send an article by itself."""

    EXTENSIONS: Mapping[str, dict[str, Any]] = {"http.response.pathsend": {}, "http.response.zerocopysend": {}}

    @pytest.fixture
    def article(self, tmp_path: Path) -> Path:
        path = tmp_path / "article.html"
        path.write_bytes(PAGE)
        return path

    def ask(self, app: ASGI, request: Mapping[str, str] = CHROME) -> tuple[list[Message], Reply]:
        sent = asyncio.run(drive(app, http_scope(headers=request, asgi=NEWEST, extensions=self.EXTENSIONS)))
        return sent, reply(sent)

    @pytest.mark.parametrize("robot", [CHROME, CURL], ids=["reader", "curl"])
    def test_a_film_still_goes_by_path(self, tmp_path: Path, robot: dict[str, str]) -> None:
        film = tmp_path / "film.mp4"
        film.write_bytes(b"\0" * 999)
        sent, whole = self.ask(guard(FileResponse(film)), robot)
        assert sent[1] == {"type": "http.response.pathsend", "path": str(film)}
        assert whole.headers["content-length"] == "999"
        assert "etag" in whole.headers

    def test_the_app_is_told_of_both(self) -> None:
        told: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            told.append(scope["extensions"])
            await says(start(HTML), body(PAGE))(scope, receive, send)

        self.ask(guard(app))
        assert told == [self.EXTENSIONS]

    def test_an_article_by_path_is_guarded(self, article: Path) -> None:
        sent, whole = self.ask(guard(FileResponse(article)))
        assert [m["type"] for m in sent][1:] == ["http.response.body"]
        assert is_page_with_two_insertions(PAGE, whole.body)
        assert BOX in whole.body
        assert int(whole.headers["content-length"]) == len(whole.body)

    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    def test_no_robot_gets_an_article_by_path(self, article: Path, robot: dict[str, str]) -> None:
        _, whole = self.ask(guard(FileResponse(article)), robot)
        assert whole.status == (403 if robot is CURL else 200)
        assert LEAK not in whole.body

    @pytest.mark.parametrize("robot", [CHROME, CURL], ids=["reader", "curl"])
    def test_a_page_by_path_that_is_no_article(self, tmp_path: Path, robot: dict[str, str]) -> None:
        path = tmp_path / "about.html"
        path.write_bytes(b"<p>About us</p>")
        _, whole = self.ask(guard(FileResponse(path)), robot)
        assert (whole.status, whole.body) == (200, b"<p>About us</p>")
        assert whole.headers["content-length"] == "15"
        assert not whole.headers["etag"].startswith("W/")

    def test_a_page_by_path_that_is_too_large_to_look_into(self, tmp_path: Path) -> None:
        path = tmp_path / "large.html"
        path.write_bytes(PAGE + b"x" * 5000)
        app = guard(FileResponse(path), article={"max_bytes": 4096})
        assert self.ask(app)[1].body == path.read_bytes()
        refused = self.ask(app, CURL)[1]
        assert refused.status == 403
        assert LEAK not in refused.body

    # The pieces of a page: from where and how many bytes by file, the rest as ordinary bodies.
    PIECES: Mapping[str, list[dict[str, Any]]] = {
        "whole": [{}],
        "from where the file stands": [{"count": 100, "more_body": True}, {}],
        "in two parts": [{"offset": 0, "count": 700, "more_body": True}, {"offset": 700}],
        "body first": [{"body": slice(0, 50)}, {"offset": 50, "more_body": False}],
        "body last": [{"offset": 0, "count": len(PAGE) - 9, "more_body": True}, {"body": slice(-9, None)}],
        "an empty end": [{"offset": 0, "more_body": True}, {"body": slice(0, 0)}],
    }

    def sends(self, path: Path, pieces: list[dict[str, Any]], *headers: tuple[bytes, bytes]) -> ASGI:
        """An app that sends a file piece by piece, and closes it as soon as the last is sent, as it has to."""
        content = path.read_bytes()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            file = os.fdopen(os.open(path, os.O_RDONLY), "rb", buffering=0)
            try:
                await send(start(*headers, _length(content)))
                for number, piece in enumerate(pieces, 1):
                    if "body" in piece:
                        await send(body(content[piece["body"]], more=number < len(pieces)))
                    else:
                        await send({"type": "http.response.zerocopysend", "file": file, **piece})
            finally:
                file.close()

        return app

    @pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
    def test_an_article_by_descriptor_is_guarded(self, article: Path, pieces: list[dict[str, Any]]) -> None:
        sent, whole = self.ask(guard(self.sends(article, pieces, HTML)))
        assert {m["type"] for m in sent[1:]} == {"http.response.body"}
        assert is_page_with_two_insertions(PAGE, whole.body)
        assert BOX in whole.body

    @pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    def test_no_robot_gets_an_article_by_descriptor(
        self, article: Path, pieces: list[dict[str, Any]], robot: dict[str, str]
    ) -> None:
        sent, whole = self.ask(guard(self.sends(article, pieces, HTML)), robot)
        assert {m["type"] for m in sent[1:]} == {"http.response.body"}
        assert whole.status == (403 if robot is CURL else 200)
        assert LEAK not in whole.body

    def test_an_article_by_descriptor_has_the_right_length(self, article: Path) -> None:
        _, whole = self.ask(guard(self.sends(article, [{}], HTML)))
        assert int(whole.headers["content-length"]) == len(whole.body)

    def test_other_files_still_go_by_descriptor(self, article: Path) -> None:
        app = self.sends(article, [{"offset": 0, "count": 9, "more_body": True}, {}], (b"content-type", b"video/mp4"))
        sent = asyncio.run(drive(guard(app), http_scope(extensions=self.EXTENSIONS)))
        assert [m["type"] for m in sent[1:]] == ["http.response.zerocopysend"] * 2
        assert {key: sent[1][key] for key in ("offset", "count", "more_body")} == {
            "offset": 0,
            "count": 9,
            "more_body": True,
        }


class TestParts:
    """Range and If-Range: a part of a page would get past the guard unread."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> ASGI:
        (tmp_path / "article.html").write_bytes(PAGE)
        (tmp_path / "film.mp4").write_bytes(bytes(range(100)))
        names = {"/news/tide": "article.html", "/film": "film.mp4"}

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await FileResponse(tmp_path / names[scope["path"]])(scope, receive, send)

        return app

    RANGES: Mapping[str, dict[str, str]] = {
        "a range": {"range": "bytes=500-1999"},
        "an open range": {"range": "bytes=500-"},
        "the end": {"range": "bytes=-2000"},
        "two ranges": {"range": "bytes=0-49,500-1999"},
        "nearly all of it": {"range": f"bytes=1-{len(PAGE) - 1}"},
        "all of it": {"range": "bytes=0-"},
        "if-range that fails": {"range": "bytes=500-1999", "if-range": '"other"'},
        "no range at all": {"range": "lines=1-2"},
        "past the end": {"range": f"bytes={len(PAGE)}-"},
    }

    @pytest.mark.parametrize("header", RANGES.values(), ids=RANGES)
    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    def test_a_restricted_robot_gets_no_part(self, files: ASGI, header: dict[str, str], robot: dict[str, str]) -> None:
        assert LEAK not in ask(guard(files), {**robot, **header}).body

    @pytest.mark.parametrize(
        "kind", ["a range", "an open range", "the end", "two ranges", "nearly all of it", "all of it"]
    )
    def test_a_reader_gets_the_whole_page(self, files: ASGI, kind: str) -> None:
        whole = ask(guard(files), {**CHROME, **self.RANGES[kind]})
        assert whole.status == 200
        assert BOX in whole.body
        assert is_page_with_two_insertions(PAGE, whole.body)
        assert "content-range" not in whole.headers
        assert "accept-ranges" not in whole.headers
        assert whole.headers["content-type"].startswith("text/html")

    def test_our_own_tag_in_if_range(self, files: ASGI) -> None:
        """It is weak, and a weak tag validates no range (RFC 9110, 13.1.5)."""
        app = guard(files)
        tag = ask(app).headers.get("etag", '"none"')
        whole = ask(app, {**CHROME, "range": "bytes=500-1999", "if-range": tag})
        assert whole.status == 200
        assert BOX in whole.body

    def test_the_date_of_the_file_in_if_range(self, files: ASGI) -> None:
        date = ask(files).headers["last-modified"]
        whole = ask(guard(files), {**CHROME, "range": "bytes=500-1999", "if-range": date})
        assert whole.status == 200
        assert BOX in whole.body

    @pytest.mark.parametrize("robot", [CHROME, CURL], ids=["reader", "curl"])
    def test_parts_of_other_files_pass(self, files: ASGI, robot: dict[str, str]) -> None:
        request = {**robot, "range": "bytes=10-19"}
        part = ask(guard(files), request, path="/film")
        assert (part.status, part.body) == (206, bytes(range(10, 20)))
        assert part == ask(files, request, path="/film")

    @pytest.mark.parametrize("robot", [CHROME, CURL], ids=["reader", "curl"])
    def test_several_parts_of_other_files_pass(self, files: ASGI, robot: dict[str, str]) -> None:
        part = ask(guard(files), {**robot, "range": "bytes=0-9,50-59"}, path="/film")
        assert part.status == 206
        assert part.headers["content-type"].startswith("multipart/byteranges")
        assert bytes(range(50, 60)) in part.body

    @staticmethod
    def multipart(kind: str, content: bytes, sizes: list[int]) -> ASGI:
        """An app that answers with two parts of a file, however it may cut them."""
        part = f"--x\r\nContent-Type: {kind}\r\nContent-Range: bytes 0-{len(content) - 1}/9999\r\n\r\n".encode()
        whole = part + content + b"\r\n" + part + content + b"\r\n--x--\r\n"
        chunks = cut(whole, sizes)
        bodies = [body(chunk, more=number < len(chunks)) for number, chunk in enumerate(chunks, 1)]
        partly = says(start((b"content-type", b"multipart/byteranges; boundary=x"), status=206), *bodies)
        entire = says(start((b"content-type", kind.encode())), body(content))

        async def app(scope: Any, receive: Any, send: Any) -> None:
            asked = dict(scope["headers"])
            await (partly if b"range" in asked else entire)(scope, receive, send)

        return app

    @pytest.mark.parametrize("sizes", [[1], [7], [30], [1 << 20]], ids=str)
    @pytest.mark.parametrize("kind", ["text/html", "Text/HTML;charset=utf-8", "application/xhtml+xml"])
    @pytest.mark.parametrize("robot", [CURL, FACEBOOK], ids=["curl", "preview"])
    def test_several_parts_however_they_are_cut(self, kind: str, sizes: list[int], robot: dict[str, str]) -> None:
        app = guard(self.multipart(kind, PAGE, sizes))
        assert LEAK not in ask(app, {**robot, "range": "bytes=0-9,20-99"}).body

    @pytest.mark.parametrize("sizes", [[1], [1 << 20]], ids=str)
    @pytest.mark.parametrize("robot", [CHROME, CURL], ids=["reader", "curl"])
    def test_several_parts_of_a_file_that_speaks_of_html(self, sizes: list[int], robot: dict[str, str]) -> None:
        app = self.multipart("application/zip", b"Content-Type: text/html\r\n" * 3, sizes)
        request = {**robot, "range": "bytes=0-9,20-99"}
        assert ask(guard(app), request) == ask(app, request)

    def test_if_range_of_other_files_reaches_the_app(self, files: ASGI) -> None:
        tag = ask(files, path="/film").headers["etag"]
        request = {**CHROME, "range": "bytes=10-19", "if-range": tag}
        assert ask(guard(files), request, path="/film").status == 206
        assert ask(guard(files), {**request, "if-range": '"x"'}, path="/film").status == 200

    def test_an_app_that_insists_on_a_part(self) -> None:
        app = guard(one_page(ARTICLE[300:2000], 206, [("content-range", "bytes 300-1999/9999")]))
        assert ask(app).status == 206
        assert ask(app, CURL).status == 403


async def _streamed() -> Any:
    for at in range(0, len(PAGE), 500):
        yield PAGE[at : at + 500]


def _site(endpoint: Callable[[Any], Response], **kwargs: Any) -> ASGI:
    return Starlette(routes=[Route("/news/tide", endpoint)], **kwargs)


HEADED: dict[str, Callable[[Path], ASGI]] = {
    "a page": lambda path: _site(lambda r: HTMLResponse(ARTICLE)),
    "a page with an ETag": lambda path: _site(lambda r: HTMLResponse(ARTICLE, headers={"etag": '"a"'})),
    "a streamed page": lambda path: _site(lambda r: StreamingResponse(_streamed(), media_type="text/html")),
    "a streamed page with a length": lambda path: _site(
        lambda r: StreamingResponse(_streamed(), media_type="text/html", headers={"content-length": str(len(PAGE))})
    ),
    "a file": lambda path: _site(lambda r: FileResponse(path)),
    "a compressed page": lambda path: _site(lambda r: HTMLResponse(ARTICLE), middleware=[Middleware(GZipMiddleware)]),
    "no article": lambda path: _site(lambda r: HTMLResponse("<p>x</p>", headers={"etag": '"a"'})),
    "a page not found": lambda path: _site(lambda r: HTMLResponse(ARTICLE, 404)),
    "json": lambda path: _site(lambda r: JSONResponse({"a": 1})),
    "a redirect": lambda path: _site(lambda r: RedirectResponse("/x")),
}
ASKED: dict[str, dict[str, str]] = {
    "reader": CHROME,
    "reader with gzip": {**CHROME, "accept-encoding": "gzip"},
    "reader of a part": {**CHROME, "range": "bytes=10-99"},
    "reader with a stale tag": {**CHROME, "if-none-match": '"stale"'},
    "curl": CURL,
    "preview": FACEBOOK,
}


class TestHead:
    """HEAD tells what GET would: status and every header, whoever asks. Otherwise it tells what may not be asked."""

    @pytest.mark.parametrize("first", ["GET", "HEAD"])
    @pytest.mark.parametrize("request_", ASKED.values(), ids=ASKED)
    @pytest.mark.parametrize("make", HEADED.values(), ids=HEADED)
    def test_head_equals_get(
        self, make: Callable[[Path], ASGI], request_: dict[str, str], first: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "article.html"
        path.write_bytes(PAGE)
        # Without a copy number the page is the same each time, compressed or not.
        app = guard(make(path), visible={"copy_number": False})
        order = {method: ask(app, request_, method=method) for method in (first, "GET", "HEAD")}
        head, whole = order["HEAD"], order["GET"]
        assert head.status == whole.status
        assert told(head.headers) == told(whole.headers)
        assert head.body == b""

    def test_the_length_is_that_of_the_page_the_reader_gets(self) -> None:
        app = guard(one_page())
        head, whole = ask(app, method="HEAD"), ask(app)
        assert head.headers["content-length"] == whole.headers["content-length"] == str(len(whole.body))

    @pytest.mark.parametrize("extensions", [{}, TestFiles.EXTENSIONS], ids=["by bytes", "by path"])
    def test_of_a_file(self, tmp_path: Path, extensions: dict[str, Any]) -> None:
        path = tmp_path / "article.html"
        path.write_bytes(PAGE)
        app = guard(FileResponse(path))
        head, whole = (ask(app, method=method, extensions=extensions) for method in ("HEAD", "GET"))
        assert BOX in whole.body
        assert told(head.headers) == told(whole.headers)


class TestCaching:
    """A page made for one reader is kept by no shared cache; one that is the same for all may be."""

    def cached(self, headers: Pairs, **overrides: Any) -> Reply:
        return ask(guard(says(start(HTML, *headers), body(PAGE)), **overrides))

    @pytest.mark.parametrize(
        ("lines", "kept"),
        [
            ([], {"private"}),
            ([b"public, max-age=60, s-maxage=600"], {"private", "max-age=60"}),
            ([b"Public, S-MaxAge=600, Must-Revalidate"], {"private", "must-revalidate"}),
            ([b"public", b"max-age=60, s-maxage=9"], {"private", "max-age=60"}),
            ([b"no-store"], {"no-store"}),
            ([b"no-cache, must-revalidate"], {"private", "no-cache", "must-revalidate"}),
            ([b"private, max-age=0"], {"private", "max-age=0"}),
            ([b'private="set-cookie", max-age=5'], {"private", "max-age=5"}),
            ([b"max-age=60,stale-while-revalidate=30"], {"private", "max-age=60", "stale-while-revalidate=30"}),
        ],
    )
    def test_cache_control(self, lines: list[bytes], kept: set[str]) -> None:
        directives = self.cached([(b"cache-control", line) for line in lines]).listed("cache-control")
        assert kept <= directives
        assert not [d for d in directives if d == "public" or d.startswith(("s-maxage", "private="))]

    def test_a_quoted_list_is_not_torn(self) -> None:
        whole = self.cached([(b"cache-control", b'public, no-cache="set-cookie, x-y", max-age=1')])
        assert 'no-cache="set-cookie, x-y"' in whole.headers["cache-control"]

    @pytest.mark.parametrize("name", [b"cdn-cache-control", b"surrogate-control"])
    def test_a_word_to_the_shared_cache_alone_does_not_undo_that(self, name: bytes) -> None:
        """A targeted field overrides Cache-Control in the caches it is meant for (RFC 9213)."""
        whole = self.cached([(name, b"max-age=600")])
        assert "max-age=600" not in whole.listed(name.decode())

    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            ([], {"cookie", "accept-encoding"}),
            ([b"Accept-Language"], {"accept-language", "cookie", "accept-encoding"}),
            ([b"Accept-Encoding", b"X-A, x-b"], {"accept-encoding", "x-a", "x-b", "cookie"}),
            ([b"COOKIE"], {"cookie", "accept-encoding"}),
            ([b"accept-encoding,cookie"], {"cookie", "accept-encoding"}),
            ([b"*"], {"*"}),
        ],
    )
    def test_vary(self, lines: list[bytes], expected: set[str]) -> None:
        whole = self.cached([(b"vary", line) for line in lines])
        members = [m.strip().lower() for m in whole.headers["vary"].split(",")]
        assert set(members) == expected
        assert len(members) == len(set(members)), "none is named twice"

    COMMON: Mapping[str, Any] = {
        "visible": {"copy_number": False, "print_text": "Printed from {url}."},
        "visits": {"remember": False},
    }
    """Settings under which every reader gets the same page."""

    @pytest.mark.parametrize("value", [b"public, max-age=60, s-maxage=600", b"max-age=9", b"no-store"])
    def test_a_page_that_is_the_same_for_all(self, value: bytes) -> None:
        app = guard(says(start(HTML, (b"cache-control", value)), body(PAGE)), **self.COMMON)
        whole = ask(app)
        assert BOX in whole.body
        assert whole.headers["cache-control"] == value.decode()
        assert "cookie" not in whole.listed("vary")
        assert ask(app).body == whole.body

    def test_a_page_that_is_the_same_for_all_gets_no_cache_control(self) -> None:
        assert "cache-control" not in self.cached([], **self.COMMON).headers

    @pytest.mark.parametrize("visible", [{}, {"copy_number": False}, {"copy_number": False, "overlay": "{copy}"}])
    def test_a_number_or_a_date_makes_it_personal(self, visible: dict[str, Any]) -> None:
        assert "private" in self.cached([(b"cache-control", b"public")], visible=visible).listed("cache-control")

    def test_a_page_that_is_not_ours_keeps_its_word(self) -> None:
        headers: Pairs = [(b"cache-control", b"public, s-maxage=9"), (b"vary", b"Accept")]
        app = guard(says(start(HTML, *headers), body(b"<p>short</p>")))
        for accepted in ("identity", "gzip"):
            whole = ask(app, {**CHROME, "accept-encoding": accepted})
            assert whole.headers["cache-control"] == "public, s-maxage=9"
            assert whole.headers["vary"] == "Accept"

    def test_headers_that_are_true_of_the_app_s_bytes_only(self) -> None:
        names = (b"content-md5", b"digest", b"repr-digest", b"content-digest", b"accept-ranges", b"last-modified")
        stale = [(name, b"x") for name in names]
        kept: Pairs = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-language", b"en")]
        whole = self.cached([*stale, *kept])
        assert not [name for name in names if name.decode() in whole.headers]
        assert whole.headers.get_list("set-cookie")[:2] == ["a=1", "b=2"]
        assert whole.headers["content-language"] == "en"
        untouched = ask(guard(says(start(HTML, *stale, *kept), body(b"<p>short</p>"))))
        assert not [name for name in names if name.decode() not in untouched.headers]


class TestCharset:
    """Any superset of ASCII is scanned as bytes; nothing of the page is re-encoded."""

    @pytest.mark.parametrize(
        ("charset", "text"),
        [("utf-8", "Señor 漢字"), ("iso-8859-1", "Señor"), ("windows-1252", "“Señor”"), ("shift_jis", "潮汐表ソ")],
    )
    @pytest.mark.parametrize("declared", ["header", "meta"])
    def test_the_page_s_own_bytes_stay(self, charset: str, text: str, declared: str) -> None:
        source = ARTICLE.replace("<meta charset=utf-8>", f"<meta charset={charset}>" if declared == "meta" else "")
        content = source.replace("council", text).encode(charset)
        suffix = f"; charset={charset}" if declared == "header" else ""
        whole = ask(guard(says(start((b"content-type", f"text/html{suffix}".encode())), body(content))))
        assert is_page_with_two_insertions(content, whole.body)
        assert BOX in whole.body
        assert len(re.findall(rb"[\x80-\xff]", whole.body)) == len(re.findall(rb"[\x80-\xff]", content)), "ASCII only"

    def test_a_byte_order_mark_stays_first(self) -> None:
        whole = ask(guard(says(start((b"content-type", b"text/html")), body(codecs.BOM_UTF8 + PAGE))))
        assert whole.body.startswith(codecs.BOM_UTF8 + b"<!doctype html>")
        assert BOX in whole.body

    def test_the_charset_stays_where_browsers_look_for_it(self) -> None:
        """Within the first 1,024 bytes (HTML Standard, 13.2.3.2)."""
        padded = PAGE.replace(b"<meta", b"<!-- %s -->\n<meta" % (b"x" * 900))
        whole = ask(guard(says(start((b"content-type", b"text/html")), body(padded))))
        assert BOX in whole.body
        assert whole.body.index(b"<meta charset") == padded.index(b"<meta charset")
        assert padded.index(b"<meta charset") < 1024 - 20


class TestEventLoop:
    """Blocking work: a page that nobody has asked for yet is not a pause for everybody else."""

    def test_a_cold_page_of_megabytes_leaves_the_loop_to_others(self) -> None:
        paragraphs = f"<p>{PARAGRAPH}<a href=/x>more</a> {PARAGRAPH}</p>\n".encode() * 12_000
        large = PAGE.replace(b"</article>", paragraphs + b"</article>")
        assert 2_500_000 < len(large) < 4_000_000
        app = guard(one_page(large))
        assert asyncio.run(self.turns_of_others(app)) >= 5
        whole = ask(app)
        assert is_page_with_two_insertions(large, whole.body)
        assert BOX in whole.body

    @staticmethod
    async def turns_of_others(app: ASGI) -> int:
        """How often another task had its turn while the page was answered; the app and the server never wait."""
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        before = turns
        await drive(app, http_scope())
        task.cancel()
        return turns - before


def _mounted(app: ASGI) -> ASGI:
    return Starlette(routes=[Mount("/", app=app)])


NESTS: dict[str, Callable[[ASGI], ASGI]] = {
    "two": lambda app: guard(guard(app)),
    "three": lambda app: guard(guard(guard(app))),
    "with a compressor between": lambda app: guard(GZipMiddleware(guard(app))),
    "with a compressor around": lambda app: GZipMiddleware(guard(guard(app))),
    "with a compressor inside": lambda app: guard(guard(GZipMiddleware(app))),
    "with a mount between": lambda app: guard(_mounted(guard(app))),
    "only the inner one compresses": lambda app: guard(guard(app), compression=False),
    "only the outer one compresses": lambda app: guard(guard(app, compression=False)),
}


@pytest.mark.parametrize("nest", NESTS.values(), ids=NESTS)
class TestNesting:
    """Idempotence: a guard inside a guard has nothing to add."""

    @pytest.mark.parametrize("accepted", ["identity", "gzip"])
    def test_everything_is_inserted_once(self, nest: Callable[[ASGI], ASGI], accepted: str) -> None:
        app = nest(says(start(HTML, _length(PAGE)), body(PAGE)))
        whole = ask(app, {**CHROME, "accept-encoding": accepted})
        content = self.decoded(whole)
        assert content.count(BOX) == 1
        assert content.count(b"<script src=") == 2
        assert is_page_with_two_insertions(PAGE, content)

    def test_nobody_gets_past_two(self, nest: Callable[[ASGI], ASGI]) -> None:
        app = nest(says(start(HTML), body(PAGE)))
        refused = ask(app, {**CURL, "accept-encoding": "identity"})
        assert refused.status == 403
        assert LEAK not in refused.body

    def test_one_tag_is_derived_and_understood(self, nest: Callable[[ASGI], ASGI]) -> None:
        asked: list[bytes | None] = []

        async def site(scope: Any, receive: Any, send: Any) -> None:
            asked.append(dict(scope["headers"]).get(b"if-none-match"))
            known = asked[-1] == b'"v1"'
            answer = start((b"etag", b'"v1"'), status=304) if known else start(HTML, (b"etag", b'"v1"'))
            await says(answer, body(b"" if known else PAGE))(scope, receive, send)

        app = nest(site)
        tag = ask(app).headers["etag"]
        again = ask(app, {**CHROME, "if-none-match": tag})
        assert tag.startswith('W/"')
        assert asked == [None, b'"v1"']
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)

    @staticmethod
    def decoded(whole: Reply) -> bytes:
        """The page, decoded as often as its headers say."""
        response = httpx.Response(whole.status, headers=whole.headers, content=whole.body)
        return response.content
