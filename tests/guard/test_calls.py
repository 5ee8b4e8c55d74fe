"""Who may call back, what a call can bring about, and that a forged one brings about nothing."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

from contentguard import Comments, ContentGuardMiddleware
from contentguard.asgi.request import read_body
from contentguard.guard.calls import ROUTE
from tests.backends.akismet_server import KEY, as_form, call
from tests.client import CURL, get, page, settings

ORIGIN = "https://news.example"
OLD, NEW = "the-old-secret-key", "the-new-secret-key"


def app(**akismet: Any) -> ContentGuardMiddleware:
    more = akismet.pop("more", {})
    return ContentGuardMiddleware(page(), settings=settings(akismet={"key": KEY, **akismet}, **more))


def path(made: ContentGuardMiddleware) -> str:
    url = made.comments.calls.url
    assert url.startswith(ORIGIN + ROUTE)
    return url.removeprefix(ORIGIN)


def post(made: ContentGuardMiddleware, to: str, body: bytes, method: str = "POST", **headers: str) -> httpx.Response:
    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url=ORIGIN) as client:
            return await client.request(method, to, content=body, headers={**CURL, **headers})

    return asyncio.run(sent())


def as_json(*args: Any, **more: Any) -> bytes:
    return json.dumps(call(*args, **more)).encode()


@pytest.mark.parametrize("form", [False, True])
def test_a_call_is_heard_and_handed_on_once(form: bool) -> None:
    made = app()
    told = call("guid-1")
    answer = post(made, path(made), as_form(told) if form else json.dumps(told).encode())
    assert (answer.status_code, answer.json()) == (200, {"comments": {"guid-1": {"status": "success"}}})
    assert (answer.headers["cache-control"], answer.headers["content-type"]) == ("no-store", "application/json")
    assert made.comments.called() == ("guid-1",)
    assert made.comments.called() == ()
    assert made.comments.calls.counts == {"heard": 1}


def test_the_key_is_compared_as_the_plugin_does() -> None:
    made = app()
    assert post(made, path(made), as_json("g", key=KEY.upper())).status_code == 200


@pytest.mark.parametrize("key", ["", "wrong", KEY + "x", KEY[:-1], "\ud800", "ſ" * 12])
def test_without_the_key_nothing_is_heard(key: str) -> None:
    made = app()
    answer = post(made, path(made), as_json("guid-1", key=key))
    assert (answer.status_code, answer.text) == (403, "Forbidden\n")
    assert made.comments.called() == ()
    assert made.comments.calls.counts == {"refused": 1}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"key", b"[" * 90_000, b"a" * (2**20 + 1)])
def test_what_is_no_call_is_refused(body: bytes) -> None:
    made = app()
    assert post(made, path(made), body).status_code == 403
    assert made.comments.called() == ()


def test_another_address_leads_nowhere() -> None:
    made, other = app(), app(blog="https://other.example")
    right = path(made)
    token = right.removeprefix(ROUTE)
    quote = made.guard.signer.sign("quote", ORIGIN)
    for wrong in ("", "x", token[:-1], token + "A", token + "/", token.upper(), "x" * 5000, quote, "%00"):
        answer = post(made, ROUTE + wrong, as_json("guid-1"))
        assert (answer.status_code, answer.text) == (404, "Not Found\n"), wrong
    assert post(made, path(other), as_json("guid-1")).status_code == 404
    assert made.comments.called() == other.comments.called() == ()
    assert not made.comments.calls.counts


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_nothing_else_than_a_post(method: str) -> None:
    made = app()
    assert post(made, path(made), as_json("guid-1"), method).status_code == 404
    assert made.comments.called() == ()


def test_reports_that_were_heard_ask_for_nothing() -> None:
    made = app()
    assert post(made, path(made), as_json("guid-1", endpoint="submit-spam")).json() == {"comments": {}}
    assert made.comments.called() == ()


def test_an_address_that_an_older_key_has_signed_is_still_good() -> None:
    old, new = (app(more={"secret_key": keys}) for keys in (OLD, [NEW, OLD]))
    assert path(old) != path(new)
    assert post(new, path(old), as_json("guid-1")).status_code == 200
    assert post(old, path(new), as_json("guid-1")).status_code == 404


@pytest.mark.parametrize(
    ("akismet", "more"),
    [({"callback": False}, {}), ({}, {"origin": "http://127.0.0.1:8000"}), ({"key": ""}, {})],
)
def test_where_no_call_can_come_none_is_asked_for(akismet: dict[str, Any], more: dict[str, Any]) -> None:
    made = app(**akismet, more=more)
    assert made.comments.calls.url == ""
    assert post(made, path(app()), as_json("guid-1")).status_code == 404


def test_without_the_middleware_nobody_is_asked_to_call() -> None:
    comments = Comments.of(settings(akismet={"key": KEY}))
    assert (comments.calls.url, comments.called()) == ("", ())
    asyncio.run(comments.aclose())


def test_only_so_many_calls_are_remembered() -> None:
    made = app()
    for first in range(0, 2000, 100):
        told = {**call(""), "comments": [{"guid": f"guid-{number}"} for number in range(first, first + 100)]}
        assert made.comments.calls.heard(json.dumps(told).encode()) is not None
    made.comments.calls.heard(as_json("guid-1500"))
    named = made.comments.called()
    assert len(named) == 1000
    assert (named[0], named[-1]) == ("guid-1000", "guid-1500")


def test_a_client_that_goes_away_is_not_waited_for() -> None:
    made, sent = app(), []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path(made), "headers": [], "query_string": b""}
    asyncio.run(made(scope, gone, send))
    assert sent == []


def test_a_call_in_many_pieces_costs_no_more_for_being_long() -> None:
    def seconds(piece: bytes) -> float:
        left = [{"type": "http.request", "body": piece, "more_body": True} for _ in range(8192)]

        async def receive() -> dict[str, Any]:
            return left.pop() if left else {"type": "http.request", "body": b"", "more_body": False}

        begun = time.thread_time()
        body = asyncio.run(read_body(receive, 2**20))
        assert body is not None
        assert len(body) == 8192 * len(piece)
        return time.thread_time() - begun

    small, large = (min(seconds(b"x" * length) for _ in range(9)) for length in (1, 128))
    assert large < 5 * small


@pytest.mark.parametrize("root", ["/gazette", "/the paper/", ""])
def test_behind_a_prefix_the_address_holds_it(root: str) -> None:
    """Without it the service would call where nobody hears, or another app does."""
    made = app()
    told = made.comments.akismet._callback  # type: ignore[union-attr]
    get(made, f"{root.rstrip('/')}/news/tide", root_path=root)
    assert told() == made.comments.calls.url
    prefix = root.rstrip("/").replace(" ", "%20")
    assert told().startswith(f"{ORIGIN}{prefix}{ROUTE}")

    async def called() -> int:
        transport = httpx.ASGITransport(made, root_path=root)
        async with httpx.AsyncClient(transport=transport) as client:
            return (await client.post(told(), content=as_json("guid-1"), headers=CURL)).status_code

    assert asyncio.run(called()) == 200
    assert made.comments.called() == ("guid-1",)


def test_no_header_says_where_the_guard_is_mounted() -> None:
    made = app()
    get(
        made,
        headers={**CURL, "x-forwarded-prefix": "/evil", "x-forwarded-host": "evil.example", "host": "evil.example"},
    )
    assert path(made).startswith(ROUTE)
    get(made, "/late/news/tide", root_path="/late")
    assert path(made).startswith(ROUTE), "what was seen first stands, so that no two addresses are told"
