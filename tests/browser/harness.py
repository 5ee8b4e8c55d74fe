"""A page as a reader gets it: the real inserts, spliced into a small article and served from this machine.

The server is the standard library's, in a thread, on a free port; every page leaves under a strict
Content-Security-Policy, so what works here works on a site that allows its own files and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from threading import Thread
from urllib.parse import quote

from contentguard.assets import ASSETS
from contentguard.rewrite.deterrents import Copy, deterrents
from contentguard.rewrite.page import Field, Fragment, Page, Slot
from contentguard.rewrite.share import Share, share
from contentguard.rewrite.visible import Visible, visible

CSP = "default-src 'self'"
PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="320" height="120">'
    b'<rect width="320" height="120" fill="#789"/></svg>'
)
WORDS = [f"{stem}{n}" for n in range(1, 21) for stem in ("harbour", "lantern", "meadow", "willow")]
"""Eighty different words."""
LONG = " ".join(WORDS)
LEAD = "The ferry left the quay before dawn with forty well-known passengers and came back at noon."
CODE = "def tide(hour):\n    # one two three four five six seven eight nine ten\n    return hour * 2\n"

ARTICLE = f"""
<h1>The ferry</h1>
<p id="lead">{LEAD}</p>
<p id="linked"><a id="link" href="/elsewhere">A link</a> begins this paragraph, which runs on for eight words.</p>
<p><img id="picture" src="/picture.svg" alt="A quay" width="320" height="120"></p>
<p id="long">{LONG}</p>
<pre id="code">{CODE}</pre>
<p id="free" data-cg-allow>These words may be copied by anybody at any time, however many there are.</p>
<form id="form"><input id="input" aria-label="In"><textarea id="area" aria-label="Ar"></textarea></form>
<div id="rich" contenteditable role="textbox" aria-label="Rich"></div>
"""


@dataclass(frozen=True)
class Site:
    """How the page under test is made."""

    copy: Copy = field(default_factory=Copy)
    share: Share = field(default_factory=Share)
    visible: Visible = field(default_factory=Visible)
    body: str = ARTICLE
    before: str = ""
    """Markup ahead of the article."""
    html: str = 'lang="en"'
    title: str = "The ferry – Daily Example"
    url: str = ""
    """The canonical URL; empty: known only from the request."""
    twice: bool = False
    """Insert everything two times over."""


def fragments(site: Site) -> list[Fragment]:
    """What the inserts give for the page."""
    page = Page(title=site.title, canonical=site.url, article="article")
    found = chain(
        deterrents(page, options=site.copy, share=site.share, visible=site.visible),
        share(page, options=site.share),
        visible(page, options=site.visible),
    )
    return list(found) * (2 if site.twice else 1)


def compose(site: Site, url: str = "https://news.example/ferry") -> str:
    """The whole page."""
    fields = {
        Field.URL: url,
        Field.URL_QUERY: quote(url, safe=""),
        Field.COPY_NUMBER: "C-4711",
        Field.DATE: "2026-11-24",
        Field.NONCE: "",
    }
    slots = dict.fromkeys(Slot, "")
    for fragment in fragments(site):
        for part in fragment.parts:
            slots[fragment.slot] += fields[part] if isinstance(part, Field) else part.decode("ascii")
    return (
        f'<!doctype html><html {site.html}><head><meta charset="utf-8"><title>{site.title}</title>'
        f'<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/site.css">'
        f"{slots[Slot.HEAD]}</head><body>{site.before}<article>{site.body}{slots[Slot.ARTICLE_END]}</article>"
        f'<p id="outside">{LONG}</p><textarea id="paste" aria-label="Paste"></textarea></body></html>'
    )


SITE_CSS = b"""body{margin:0 auto;max-width:42rem;padding:1rem;font:1.0625rem/1.6 Georgia,serif}
article a{color:#06c}article ul{list-style:disc;padding-inline-start:2rem}article h2{font-size:2rem;margin:3rem 0}
@media (prefers-color-scheme:dark){:root{color-scheme:dark}body{background:#15181c;color:#e3e3e3}}"""


class Server:
    """Serves one page at a time; ``show`` puts it there and gives its address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files = {f"/.contentguard/{a.file}": (a.content_type, a.body) for a in ASSETS.values()}
        self.files["/picture.svg"] = ("image/svg+xml", PICTURE)
        self.files["/site.css"] = ("text/css", SITE_CSS)
        self.files["/favicon.ico"] = ("image/svg+xml", PICTURE)

    def show(self, site: Site) -> str:
        """The address at which ``site`` is to be seen."""
        url = self.address + "/ferry"
        self.files["/ferry"] = ("text/html; charset=utf-8", compose(site, url).encode())
        return url


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port of this machine, gone afterwards."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = server.files.get(self.path, ("text/plain", b"?"))
            self.send_response(200 if self.path in server.files else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", CSP)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        server = Server(f"http://127.0.0.1:{httpd.server_port}")
        thread = Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        httpd.shutdown()
        thread.join()
