"""What a real browser makes of the table in ``tests/rewrite/test_csp.py``.

Every policy is sent with a page that holds our script and our style sheet as they are inserted (same origin,
external, integrity, nonce when there is one). Where we say yes the browser must load it; where we say no it
must not, unless the case says that we are more cautious than it is.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha384
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.rewrite.test_csp import CASES, Case, answer, policies

HOST = "news.localhost"
SCRIPT = b"document.documentElement.dataset.ran = 'yes';"
STYLE = b"html { outline: 7px solid rgb(1, 2, 3) }"
NAMES = list(CASES)


def _integrity(body: bytes) -> str:
    return "sha384-" + b64encode(sha384(body).digest()).decode()


def _page(case: Case, nonce: str) -> bytes:
    meta = "" if case.meta is None else f'<meta http-equiv="Content-Security-Policy" content="{case.meta}">'
    tag = f' nonce="{nonce}"' if nonce else ""
    return (
        f'<!doctype html><html><head><meta charset="utf-8">{meta}<title>CSP</title>'
        f'<link rel="stylesheet" href="/cg/a.css" integrity="{_integrity(STYLE)}"{tag}>'
        f'<script src="/cg/a.js" defer integrity="{_integrity(SCRIPT)}"{tag}></script>'
        "</head><body>Text</body></html>"
    ).encode()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        fixed = {"/cg/a.js": ("text/javascript", SCRIPT), "/cg/a.css": ("text/css", STYLE)}
        name = self.path.removeprefix("/case/")
        if self.path in fixed:
            self._send(*fixed[self.path], [])
        elif name.isdigit():
            assert isinstance(self.server, ThreadingHTTPServer)
            case, port = CASES[NAMES[int(name)]], self.server.server_port
            page = _page(case, answer(case, HOST, port).nonce)
            self._send("text/html", page, policies(case, HOST, port))
        else:
            self._send("image/x-icon", b"", [])

    def _send(self, kind: str, body: bytes, own: list[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for value in own:
            self.send_header("Content-Security-Policy", value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    yield context
    context.close()


def _loaded(context: BrowserContext, url: str) -> tuple[bool, bool, list[str]]:
    """Whether the script ran and the style applied, and what the console said of either."""
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    try:
        page.goto(url, wait_until="load")
        ran = page.evaluate("document.documentElement.dataset.ran === 'yes'")
        styled = page.evaluate("getComputedStyle(document.documentElement).outlineWidth === '7px'")
        return bool(ran), bool(styled), [text for text in said if "/cg/a." in text]
    finally:
        page.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_browser_agrees(name: str, context: BrowserContext, port: int) -> None:
    case = CASES[name]
    ran, styled, said = _loaded(context, f"http://{HOST}:{port}/case/{NAMES.index(name)}")
    ours = answer(case, HOST, port)
    assert ran or not ours.scripts, said
    assert styled or not ours.styles, said
    if ours.scripts and ours.styles:
        assert said == []
    if not case.cautious:
        assert (ran, styled) == (ours.scripts, ours.styles), said
