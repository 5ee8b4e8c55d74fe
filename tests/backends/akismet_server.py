"""A service that speaks Akismet's documented protocol, under a real uvicorn, and fails in whatever way it is told to.

It knows one key and one front page. What it takes for spam: the magic author and e-mail address, whatever was reported
to it and not as a test, and texts with ``buy now``; ``casino`` is blatant; ``look again`` gets a verdict for the time
being. Everything it was sent is kept in ``calls``.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import uvicorn

from tests.servers.harness import HOST, PATIENCE

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

KEY = "123fakekey456"
BLOG = "https://news.example"
THANKS = "Thanks for making the web a better place."
PAGE = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1><p>true</p></body></html>"
SITES = (("news.example", 2072, 2069, 3, 1, 0, False), ("m.news.example", 1633, 3, 1630, 0, 4, True))
"""The sites that use the key, as ``key-sites`` tells of them."""
FAILURES = {
    "error": (500, "true"),
    "unavailable": (503, PAGE),
    "teapot": (418, "true"),
    "html": (200, PAGE),
    "empty": (200, ""),
    "nonsense": (200, "maybe"),
    "shouting": (200, "TRUE"),
    "json": (200, '{"spam": true}'),
    "binary": (200, "\x00\ufffd\x1b[31mtrue"),
    "both": (200, "true\nfalse"),
    "huge": (200, "true" + " " * 300_000),
    "redirect": (307, ""),
}
"""Status and body of answers that mean nothing."""
SLOW = ("hang", "trickle")
LOST = ("drop", "half")
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Call:
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]
    form: list[tuple[str, str]]

    def __getitem__(self, name: str) -> str:
        return dict(self.form)[name]

    def get(self, name: str) -> str | None:
        """The last value of a field, if there is one."""
        return dict(self.form).get(name)

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for key, value in self.form if key == name]


@dataclass
class FakeAkismet:
    """The service. ``failure``: one of ``FAILURES``, ``SLOW`` or ``LOST``, ``gzip`` or empty; the rest: its account."""

    failure: str = ""
    failures: int = 1_000_000
    """How many requests fail before all is well again."""
    is_suspended: bool = False
    alert: Headers = field(default_factory=list)
    is_throttled: bool = False
    limit: int | str = 10_000
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    spam: set[str] = field(default_factory=set)
    ham: set[str] = field(default_factory=set)

    def reset(self) -> None:
        """As new."""
        self.__init__(url=self.url)  # type: ignore[misc]

    def named(self, path: str) -> list[Call]:
        """The calls of one kind."""
        return [call for call in self.calls if call.path.endswith(path)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        told = scope["query_string"] if scope["method"] == "GET" else body
        form = parse_qsl(told.decode(), keep_blank_values=True, strict_parsing=bool(told))
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        call = Call(scope["method"], scope["path"], headers, form)
        self.calls.append(call)
        if self.failure and self.failures:
            self.failures -= 1
            await self._fail(receive, send)
        else:
            text, extra = self.answer(call)
            await _send(send, 200, text, extra)

    def answer(self, call: Call) -> tuple[str, Headers]:
        """Body and headers, by the documentation. The status is 200 whatever happens."""
        kind = {"/1.1/": "POST", "/1.2/": "GET"}.get(call.path[:5])
        name = call.path[5:]
        known = name in ("verify-key", "comment-check", "submit-spam", "submit-ham", "usage-limit", "key-sites")
        if not known or call.method != kind:
            return _invalid("no such call")
        if not call.get("api_key"):
            return _invalid('Empty "api_key" value')
        if call["api_key"] != KEY:
            return _invalid(f"We were unable to find a plan for {call['api_key']}")
        method: Any = getattr(self, "_" + name.replace("-", "_"))
        text, headers = method(call)
        return text, headers + self.alert

    def _verify_key(self, call: Call) -> tuple[str, Headers]:
        return ("valid", []) if call.get("blog") == BLOG else _invalid('Empty "blog" value')

    def _comment_check(self, call: Call) -> tuple[str, Headers]:
        if missing := _missing(call):
            return missing
        if self.is_suspended:
            return "true", [("X-akismet-error", "The key is suspended")]
        text, guid = call.get("comment_content") or "", [("X-akismet-guid", f"guid-{len(self.calls)}")]
        if call.get("user_role") == "administrator" or text in self.ham:
            return "false", guid
        if call.get("comment_author") == "viagra-test-123" or text in self.spam:
            return "true", guid
        if call.get("comment_author_email") == "akismet-guaranteed-spam@example.com" or "buy now" in text:
            return "true", guid
        if "casino" in text:
            return "true", [*guid, ("X-akismet-pro-tip", "discard")]
        if "look again" in text and call.get("recheck_reason") != "recheck":
            return "false", [*guid, ("X-akismet-recheck-after", "900")]
        return "false", guid

    def _submit_spam(self, call: Call) -> tuple[str, Headers]:
        return self._learn(call, self.spam, self.ham)

    def _submit_ham(self, call: Call) -> tuple[str, Headers]:
        return self._learn(call, self.ham, self.spam)

    def _learn(self, call: Call, into: set[str], out_of: set[str]) -> tuple[str, Headers]:
        if missing := _missing(call):
            return missing
        if not call.get("is_test"):
            text = call.get("comment_content") or ""
            into.add(text)
            out_of.discard(text)
        return THANKS, []

    def _usage_limit(self, call: Call) -> tuple[str, Headers]:
        used = len(self.named("comment-check"))
        share = f"{100 * used / self.limit:.2f}" if isinstance(self.limit, int) else "0.00"
        usage = {"limit": self.limit, "usage": used, "percentage": share, "throttled": self.is_throttled}
        return json.dumps(usage), [("Content-Type", "application/json")]

    def _key_sites(self, call: Call) -> tuple[str, Headers]:
        names = ("site", "api_calls", "spam", "ham", "missed_spam", "false_positives", "is_revoked")
        sites = [dict(zip(names, row, strict=True)) for row in SITES if (call.get("filter") or "") in str(row[0])]
        order = {"total": "api_calls"}.get(call.get("order") or "total", call.get("order") or "")
        sites.sort(key=lambda site: int(str(site[order])), reverse=True)
        month, first, most = call.get("month") or "2026-12", int(call.get("offset") or 0), int(call.get("limit") or 500)
        page, total = sites[first : first + most], len(sites)
        if call.get("format") == "csv":
            title = f"Active sites for {KEY} during {month} (limit:{most}, offset: {first}, total: {total})"
            columns = "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked"
            rows = [",".join(str(value).lower() for value in site.values()) for site in page]
            return "\n".join([title, columns, *rows]) + "\n", [("Content-Type", "text/csv")]
        shown = [{**site, "api_calls": str(site["api_calls"])} for site in page]
        return json.dumps({month: shown, "limit": most, "offset": first, "total": total}), []

    async def _fail(self, receive: Receive, send: Send) -> None:
        start: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
        if self.failure in FAILURES:
            status, text = FAILURES[self.failure]
            await _send(send, status, text, [("Location", "http://127.0.0.1:9/stolen")] if status == 307 else [])
        elif self.failure == "gzip":
            await _send(send, 200, gzip.compress(b"true"), [("Content-Encoding", "gzip")])
        elif self.failure == "hang":
            await asyncio.sleep(1)
            await _send(send, 200, "true", [])
        elif self.failure == "trickle":
            await send(start)
            for _ in range(20):
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(0.05)
            await send({"type": "http.response.body", "body": b"true"})
        else:
            if self.failure == "half":
                await send({**start, "headers": [(b"content-length", b"40")]})
                await send({"type": "http.response.body", "body": b"true", "more_body": True})
            receive.__self__.transport.abort()  # type: ignore[attr-defined]


def call(guid: str, result: str = "true", *, key: str = KEY, endpoint: str = "comment-check") -> dict[str, Any]:
    """What the service sends to a site's ``callback`` when it thinks of a comment otherwise than it said."""
    comment = {"guid": guid, "result": result, "comment_author": "Ada", "comment_post_ID": "7"}
    return {"key": key, "endpoint": endpoint, "comments": [comment]}


def as_form(called: dict[str, Any]) -> bytes:
    """The same as PHP writes nested values into a form."""
    pairs = [("key", called["key"]), ("endpoint", called["endpoint"])]
    for number, comment in enumerate(called["comments"]):
        pairs += [(f"comments[{number}][{name}]", value) for name, value in comment.items()]
    return urlencode(pairs).encode()


def _invalid(help_: str) -> tuple[str, Headers]:
    return "invalid", [("X-akismet-debug-help", help_)]


def _missing(call: Call) -> tuple[str, Headers] | None:
    absent = [name for name in ("blog", "user_ip") if not call.get(name)]
    return _invalid(f"Missing required field: {absent[0]}.") if absent else None


async def _send(send: Send, status: int, text: str | bytes, headers: Headers) -> None:
    raw = [(name.encode(), value.encode("utf-8")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": [(b"server", b"nginx"), *raw]})
    await send({"type": "http.response.body", "body": text if isinstance(text, bytes) else text.encode()})


@contextmanager
def akismet_server() -> Iterator[FakeAkismet]:
    """A running one; gone at the end."""
    fake = FakeAkismet()
    config = uvicorn.Config(fake, log_level="critical", access_log=False, lifespan="off", ws="none", loop="asyncio")
    server = uvicorn.Server(config)
    # By its protocol asyncio knows that small packets are not to be held back; create_server names none.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind((HOST, 0))
        fake.url = f"http://{HOST}:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + PATIENCE
        while not server.started:
            assert time.monotonic() < deadline, "the fake Akismet does not start"
            time.sleep(0.01)
        try:
            yield fake
        finally:
            server.should_exit = server.force_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()
