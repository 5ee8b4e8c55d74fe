"""The response on its way out: what is touched, what is not, and which headers stay true."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route

from contentguard import ContentGuardMiddleware
from tests.client import (
    ARTICLE,
    CHROME,
    CURL,
    FACEBOOK,
    GPTBOT,
    PARAGRAPH,
    drive,
    get,
    guarded,
    http_scope,
    is_page_with_two_insertions,
    page,
    told,
)
from tests.client import settings as make_settings
from tests.rewrite.pages import article_pages, chunkings, cut

PARA = PARAGRAPH.strip()


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (404, []),
        (500, []),
        (204, []),
        (301, [("location", "/x")]),
        (200, [("content-type", "text/plain")]),
        (200, [("content-type", "application/json")]),
        (200, [("content-type", "text/html-sandboxed")]),
        (200, [("content-type", "text/event-stream")]),
        (200, [("content-disposition", "attachment; filename=x.html")]),
        (200, [("cache-control", "public, no-transform")]),
        (200, [("x-contentguard", "off")]),
        (200, [("content-type", "text/html; charset=utf-16")]),
        (200, [("content-encoding", "br")]),
        (200, [("content-type", "application/xhtml+xml")]),
    ],
)
def test_what_leaves_as_it_came(status: int, headers: list[tuple[str, str]]) -> None:
    response_headers = [*headers, ("etag", '"a"'), ("content-length", str(len(ARTICLE.encode())))]
    app = guarded(page(ARTICLE, status, response_headers))
    sent = asyncio.run(drive(app, http_scope()))
    assert b"".join(m.get("body", b"") for m in sent) == ARTICLE.encode()
    assert sent[0]["status"] == status
    assert (b"etag", b'"a"') in sent[0]["headers"]


def test_the_app_s_word_never_leaves() -> None:
    for word in ("off", "article"):
        response = get(guarded(page(ARTICLE, headers=[("X-ContentGuard", word)])))
        assert "x-contentguard" not in response.headers


def test_the_app_can_call_a_short_page_an_article() -> None:
    short = "<article><p>Short but ours.</p></article>"
    assert "Share your love" not in get(guarded(page(short))).text
    assert "Share your love" in get(guarded(page(short, headers=[("x-contentguard", "article")]))).text
    assert get(guarded(page(short, headers=[("x-contentguard", "article")])), headers=CURL).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        [("content-encoding", "br")],
        [("content-encoding", "x-unknown")],
        [("content-type", "text/html; charset=utf-16")],
        [("content-type", "application/xhtml+xml")],
        [("cache-control", "no-transform")],
        [("content-disposition", "attachment")],
    ],
)
def test_what_cannot_be_looked_into_is_refused_to_restricted_robots(headers: list[tuple[str, str]]) -> None:
    response = get(guarded(page(ARTICLE, headers=headers)), headers=CURL)
    assert response.status_code == 403
    assert PARA not in response.text


def test_too_large_for_us() -> None:
    rest = b"<!-- " + b"x" * 5000 + b" -->"
    length = [("content-length", str(len(ARTICLE.encode() + rest)))]
    app = guarded(page(chunks=[ARTICLE.encode(), rest], headers=length), article={"max_bytes": 4096})
    assert get(app).content == ARTICLE.encode() + rest
    assert app.guard.counts["untouched.too-large"] == 1
    assert get(app, headers=CURL).status_code == 403
    whole = guarded(page(ARTICLE + "x" * 5000), article={"max_bytes": 4096})
    assert get(whole).text == ARTICLE + "x" * 5000


def test_a_page_nested_too_deep() -> None:
    deep = "<div>" * 2000 + ARTICLE
    app = guarded(page(deep))
    assert get(app).text == deep
    assert app.guard.counts["untouched.too-deep"] == 1
    assert get(app, headers=CURL).status_code == 403


def test_a_failure_of_ours_harms_no_reader(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    app = guarded()
    monkeypatch.setattr(app.guard.pages.finder, "scanner", lambda **k: 1 / 0)
    assert get(app).text == ARTICLE
    assert app.guard.counts["rewrite-failed"] == 1
    assert "ZeroDivisionError" in caplog.text
    assert get(app, headers=CURL).status_code == 403


def test_a_failure_while_rendering_harms_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    app = guarded()
    monkeypatch.setattr(app.guard, "_turn_to", lambda now: 1 / 0)
    assert get(app).text == ARTICLE
    assert app.guard.counts["rewrite-failed"] == 1


def test_headers_of_a_rewritten_page() -> None:
    stale = [
        ("etag", '"a"'),
        ("last-modified", "Tue, 01 Sep 2026 10:00:00 GMT"),
        ("accept-ranges", "bytes"),
        ("content-md5", "x"),
        ("digest", "x"),
        ("repr-digest", "x"),
        ("content-length", str(len(ARTICLE))),
    ]
    response = get(guarded(page(ARTICLE, headers=[*stale, ("x-kept", "yes"), ("set-cookie", "a=b")])))
    for name, _ in stale[1:-1]:
        assert name not in response.headers
    assert response.headers["etag"] != '"a"'
    assert response.headers["x-kept"] == "yes"
    assert response.headers.get_list("set-cookie")[0] == "a=b"
    assert int(response.headers["content-length"]) == len(response.content)


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (None, "private"),
        ("public, max-age=60, s-maxage=600", "private, max-age=60"),
        ("no-store", "private, no-store"),
        ("private, max-age=0", "private, max-age=0"),
    ],
)
def test_a_page_for_one_reader_is_kept_by_no_shared_cache(given_value: str | None, expected: str) -> None:
    headers = [("cache-control", given_value)] if given_value else []
    assert get(guarded(page(ARTICLE, headers=headers))).headers["cache-control"] == expected


def test_a_page_that_is_the_same_for_all_stays_cacheable() -> None:
    app = guarded(
        page(ARTICLE, headers=[("cache-control", "public, max-age=60")]),
        visible={"print": False},
        visits={"remember": False},
    )
    # The nonce is a hole that stays: it is filled with nothing here, and the page is the same for everybody.
    response = get(app)
    assert response.headers["cache-control"] == "public, max-age=60"
    assert get(app).content == response.content


def test_a_card_is_never_kept_in_the_article_s_place() -> None:
    app = guarded(page(ARTICLE, headers=[("cache-control", "public")]), visible={"print": False})
    assert "private" in get(app, headers=FACEBOOK).headers["cache-control"]


@pytest.mark.parametrize("robot", [CHROME, CURL, FACEBOOK, GPTBOT])
@pytest.mark.parametrize("body", [ARTICLE, "<p>no article</p>"])
def test_head_is_get_without_the_body(robot: dict[str, str], body: str) -> None:
    """A HEAD that is answered otherwise tells a scraper what it may not ask."""
    app = guarded(Starlette(routes=[Route("/news/tide", lambda r: HTMLResponse(body, headers={"etag": '"a"'}))]))
    whole, head = get(app, headers=robot), get(app, headers=robot, method="HEAD")
    assert head.content == b""
    assert head.status_code == whole.status_code
    assert told(head.headers) == told(whole.headers)


def test_an_app_that_is_asked_twice_finds_the_same_things_in_its_scope() -> None:
    found: list[dict[str, object]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append({name: value for name, value in scope.items() if name.startswith("contentguard.")})
        await page()(scope, receive, send)

    assert get(guarded(app), method="HEAD").status_code == 200
    first, again = found
    assert first == again
    assert {"contentguard.links", "contentguard.comments", "contentguard.media"} <= first.keys()


def test_head_of_other_files_reaches_the_app_once() -> None:
    methods: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        methods.append(scope["method"])
        await page("x", headers=[("content-type", "video/mp4"), ("content-length", "99")])(scope, receive, send)

    response = get(guarded(app), method="HEAD")
    assert (methods, response.headers["content-length"], response.content) == (["HEAD"], "99", b"")


class TestParts:
    """A range of a page would get past the guard unread."""

    @staticmethod
    async def app(scope: Any, receive: Any, send: Any) -> None:
        wanted = dict(scope["headers"]).get(b"range")
        await receive()
        body = ARTICLE.encode()
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        if wanted:
            headers.append((b"content-range", b"bytes 0-999/%d" % len(body)))
            body = body[:1000]
        await send({"type": "http.response.start", "status": 206 if wanted else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def test_a_reader_gets_the_whole_page(self) -> None:
        response = get(guarded(self.app), headers={**CHROME, "range": "bytes=0-999", "if-range": '"a"'})
        assert response.status_code == 200
        assert "Share your love" in response.text

    def test_a_tool_gets_no_part_of_an_article(self) -> None:
        response = get(guarded(self.app), headers={**CURL, "range": "bytes=0-999"})
        assert response.status_code == 403
        assert PARA not in response.text

    def test_an_app_that_insists(self) -> None:
        app = guarded(page(ARTICLE[:900], 206))
        assert get(app).status_code == 206
        assert get(app, headers=CURL).status_code == 403

    def test_parts_of_other_files_pass(self) -> None:
        assert get(guarded(page("abc", 206, [("content-type", "video/mp4")]))).status_code == 206


class TestEncodings:
    def compressed(self, **overrides: Any) -> ContentGuardMiddleware:
        inner = Starlette(
            routes=[Route("/news/tide", lambda r: HTMLResponse(ARTICLE))],
            middleware=[Middleware(GZipMiddleware)],
        )
        return guarded(inner, **overrides)

    def test_compressed_inside_the_guard_is_unpacked_and_packed_again(self, caplog: pytest.LogCaptureFixture) -> None:
        app = self.compressed()
        sent = asyncio.run(drive(app, http_scope(headers={**CHROME, "accept-encoding": "gzip"})))
        assert b"Share your love" in gzip.decompress(sent[1]["body"])
        assert app.guard.counts["encoded-inside"] == 1
        assert "around the guard" in caplog.text

    def test_a_restricted_robot_cannot_ask_for_what_we_cannot_read(self) -> None:
        sent = asyncio.run(drive(self.compressed(), http_scope(headers={**CURL, "accept-encoding": "gzip"})))
        assert sent[0]["status"] == 403

    def test_the_right_order(self) -> None:
        app = Starlette(
            routes=[Route("/news/tide", lambda r: HTMLResponse(ARTICLE))],
            middleware=[
                Middleware(GZipMiddleware),
                Middleware(ContentGuardMiddleware, settings=make_settings()),
            ],
        )
        sent = asyncio.run(drive(app, http_scope(headers={**CHROME, "accept-encoding": "gzip"})))
        assert b"Share your love" in gzip.decompress(sent[1]["body"])


class TestMessages:
    def test_an_error_of_the_app_before_the_start_rises(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            raise ValueError("app")

        with pytest.raises(ValueError, match="app"):
            asyncio.run(drive(guarded(app), http_scope()))

    def test_an_error_of_the_app_in_mid_page_rises_and_sends_nothing(self) -> None:
        sent: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"<p>", "more_body": True})
            raise ValueError("app")

        async def send(message: Any) -> None:
            sent.append(message)

        with pytest.raises(ValueError, match="app"):
            asyncio.run(guarded(app)(http_scope(), None, send))  # type: ignore[arg-type]
        assert sent == []

    def test_an_app_that_stops_in_mid_page(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"<p>", "more_body": True})

        sent = asyncio.run(drive(guarded(app), http_scope()))
        assert sent[1:] == [{"type": "http.response.body", "body": b"<p>", "more_body": True}]

    def test_other_messages_pass_in_order(self) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.debug", "info": {}})
            await page("x", headers=[("content-type", "text/plain")])(scope, receive, send)
            await send({"type": "http.response.trailers", "headers": []})

        kinds = [m["type"].rpartition(".")[2] for m in asyncio.run(drive(guarded(app), http_scope()))]
        assert kinds == ["debug", "start", "body", "trailers"]

    def test_events_are_not_delayed(self) -> None:
        order: list[str] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
            order.append("app went on")
            await send({"type": "http.response.body", "body": b""})

        async def send(message: Any) -> None:
            order.append(message["type"].rpartition(".")[2])

        asyncio.run(guarded(app)(http_scope(), None, send))  # type: ignore[arg-type]
        assert order == ["start", "body", "app went on", "body"]

    def test_background_tasks_run_after_the_response(self) -> None:
        from starlette.background import BackgroundTask

        done: list[str] = []
        app = Starlette(
            routes=[
                Route(
                    "/news/tide",
                    lambda r: HTMLResponse(ARTICLE, background=BackgroundTask(done.append, "task")),
                )
            ]
        )
        assert "Share your love" in get(guarded(app)).text
        assert done == ["task"]

    def test_a_streamed_page_is_guarded(self) -> None:
        async def parts() -> Any:
            for chunk in cut(ARTICLE.encode(), [100]):
                yield chunk

        app = Starlette(routes=[Route("/news/tide", lambda r: StreamingResponse(parts(), media_type="text/html"))])
        assert "Share your love" in get(guarded(app)).text
        assert get(guarded(app), headers=CURL).status_code == 403


class TestContentSecurityPolicy:
    def rendered(self, policy: str) -> str:
        return get(guarded(page(ARTICLE, headers=[("content-security-policy", policy)]))).text

    def test_self_is_enough(self) -> None:
        assert "<script src=" in self.rendered("default-src 'self'")

    def test_the_nonce_of_the_response_is_reused(self) -> None:
        app = guarded(
            page(
                ARTICLE,
                headers=[("content-security-policy", "script-src 'nonce-YWJj'; style-src 'nonce-YWJj'")],
            )
        )
        text = get(app).text
        assert text.count(' nonce="YWJj"') == 4
        # The plan is the same for the next response, its nonce is not.
        other = get(
            guarded(page(ARTICLE, headers=[("content-security-policy", "script-src 'nonce-ZGVm' 'strict-dynamic'")]))
        )
        assert ' nonce="ZGVm"' in other.text

    def test_never_weakened_and_never_risked(self, caplog: pytest.LogCaptureFixture) -> None:
        app = guarded(page(ARTICLE, headers=[("content-security-policy", "script-src 'none'; style-src 'none'")]))
        for _ in range(2):
            response = get(app)
            assert "<script" not in response.text
            assert 'rel="stylesheet"' not in response.text
            assert "Share your love" in response.text, "the links work without either"
            assert response.headers["content-security-policy"] == "script-src 'none'; style-src 'none'"
        assert len([r for r in caplog.records if "Content-Security-Policy" in r.getMessage()]) == 1

    def test_a_policy_in_the_page_counts(self) -> None:
        strict = ARTICLE.replace(
            "<title>", "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\"><title>"
        )
        assert "<script" not in get(guarded(page(strict))).text


@pytest.mark.no_cover
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(article_pages(), chunkings)
def test_an_insertion_is_all_that_happens(body: bytes, sizes: list[int]) -> None:
    """Output less the insertions is the input, whatever the page and however the app cuts it."""
    app = guarded(page(chunks=cut(body, sizes)))
    response = get(app)
    assert is_page_with_two_insertions(body, response.content)
    if b"cg-share" in response.content:
        assert len(response.content) > len(body) + 1000
    elif not app.guard.counts["untouched.no-place"]:
        assert response.content == body


@pytest.mark.parametrize("robot", [GPTBOT, CURL, FACEBOOK])
@pytest.mark.parametrize("sizes", [[1], [7, 300], [100000]])
def test_no_chunking_gets_a_paragraph_past_the_guard(robot: dict[str, str], sizes: list[int]) -> None:
    response = get(guarded(page(chunks=cut(ARTICLE.encode(), sizes))), headers=robot)
    assert PARA not in response.text
