"""A small site whose articles come in two: the lead with its page, the rest for a proof.

It writes and verifies its tickets with ``contentguard.admission``, in the order of ``grants``. What it answers can be
told beforehand, to see what the browser makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock, Thread
from time import sleep, time

from contentguard.admission import proof, tickets
from contentguard.admission.difficulty import STEPS, Algorithm, Difficulty
from contentguard.admission.tickets import Kind, Ticket
from contentguard.assets import REST

EASIEST = STEPS[Algorithm.PBKDF2][0]
HARDEST = STEPS[Algorithm.PBKDF2][-1]
QUICK = Difficulty(Algorithm.PBKDF2, 10, 8, 2)
"""Next to no work, for tests of all else."""
ROUTES = "/.contentguard"
ITSELF = 'data-hx-boost="false" data-turbo="false"'
KEY = b"k" * 32
AGENT, PREFIX = b"agen", b"pref"
LINES = " ".join(f"word{n}" for n in range(60))
PIECE = "".join(f'<p id="rest{n}">Rest {n}. {LINES}</p>' for n in range(12))


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that is given instead of the right one."""

    status: int
    body: str = ""
    headers: Sequence[tuple[str, str]] = ()
    delay: float = 0.0
    """Seconds."""


@dataclass
class Newsstand:
    """What the site has and does, and what it was asked."""

    address: str
    port: int
    pieces: list[str] = field(default_factory=lambda: [PIECE])
    """The rest; a paragraph of the lead stands between two of them."""
    asked: Difficulty = QUICK
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Sent with every page."""
    nonce: str = ""
    head: str = ""
    before: str = ""
    """Ahead of the article."""
    after: str = '<footer id="footer">Imprint</footer>'
    lead: int = 6
    """Paragraphs ahead of the link."""
    style: str = ""
    times: int = 1
    """How often the script is included."""
    told: dict[str, list[Told]] = field(default_factory=dict)
    """Answers to "POST /.contentguard/rest" and the like, in turn, before the right ones. Status 0: hangs up."""
    cookies: bool = True
    life: float = 60.0
    log: list[str] = field(default_factory=list)
    """Method and path of every request but the script's."""
    scripts: int = 0
    """How often the script was fetched."""
    redeemed: list[str] = field(default_factory=list)
    """How each proof was judged."""

    def __post_init__(self) -> None:
        self._ids, self._spent, self._lock = count(1), set[str](), Lock()

    @property
    def url(self) -> str:
        """Where the article is."""
        return self.address + "/ferry"

    def ticket(self, path: str) -> str:
        """A fresh ticket."""
        now, name = int(time() * 1000), f"{next(self._ids):016x}"
        end = now + int(self.life * 1000)
        about = tickets.article_tag(KEY, path)
        return tickets.write(KEY, Ticket(Kind.PROOF, 2, self.asked, name, now, end, about, AGENT, PREFIX, path))

    def redeem(self, body: bytes) -> str:
        """What is said to a ticket and its answers; empty for yes."""
        text, _, answers = body.partition(b" ")
        ticket = tickets.read([KEY], text)
        if ticket is None:
            return "forged"
        trouble = tickets.check([KEY], ticket, time(), AGENT, ticket.path)
        if trouble:
            return str(trouble)
        with self._lock:
            if ticket.id in self._spent:
                return "spent"
            self._spent.add(ticket.id)
        return "" if proof.verify(text, ticket.difficulty, answers, 2**63) else "wrong"

    def page(self, path: str, whole: bool) -> str:
        """The article's page."""
        nonce = f' nonce="{self.nonce}"' if self.nonce else ""
        tag = f'<script src="{ROUTES}/{REST.file}" integrity="{REST.integrity}" defer{nonce}></script>'
        parts = [f'<div class="cg-rest">{piece}</div>' for piece in self.pieces]
        places = parts if whole else self._places(path, tag * self.times)
        body = f'<p id="between">Between. {LINES}</p>'.join(places)
        lead = "".join(f'<p id="lead{n}">Lead {n}. {LINES}</p>' for n in range(self.lead))
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The ferry</title>'
            f'<meta name="viewport" content="width=device-width"><style{nonce}>{self.style}</style>'
            f"{self.head}</head><body>{self.before}<article><h1>The ferry</h1>"
            f'{lead}{body}</article><a id="away" href="/elsewhere">Away</a>{self.after}</body></html>'
        )

    def _places(self, path: str, scripts: str) -> Iterator[str]:
        there = f"{ROUTES}/wait/{self.ticket(path)}"
        link = f'<a {ITSELF} class="cg-continue" rel="nofollow" href="{there}">Continue reading</a>'
        yield f'<div class="cg-rest" data-cg-rest><p>{link}</p>{scripts}</div>'
        yield from ['<div class="cg-rest" data-cg-rest hidden></div>'] * (len(self.pieces) - 1)

    def rest(self) -> str:
        """What answers a proof."""
        return "".join(f'<div class="cg-rest" data-cg-rest>{piece}</div>' for piece in self.pieces)

    def count(self, what: str) -> int:
        """How often this was asked."""
        return sum(line.startswith(what) for line in self.log)


Answer = tuple[int, str, bytes, Sequence[tuple[str, str]]]
"""Status, type, body, and more headers."""
KEPT = ("Cache-Control", "public, max-age=31536000, immutable")
PASS = ("Set-Cookie", "pass=1; Path=/; HttpOnly; SameSite=Lax")
HTML = "text/html; charset=utf-8"


@contextmanager
def opened() -> Iterator[Newsstand]:
    """A site on a free port of this machine, gone afterwards."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(self._got)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(lambda: self._posted(body))

        def _got(self) -> Answer:
            path = self.path.partition("?")[0]
            if path == "/ferry":
                page = stand.page(self.path, whole="pass=1" in self.headers.get("Cookie", ""))
                return 200, HTML, page.encode(), stand.headers or [("Cache-Control", "private")]
            return 200, HTML, b"<title>Elsewhere</title>Elsewhere", []

        def _posted(self, body: bytes) -> Answer:
            said = stand.redeem(body) if self.path == ROUTES + "/rest" else "lost"
            stand.redeemed.append(said)
            if said:
                return 403, "text/plain", said.encode(), []
            return 200, HTML, stand.rest().encode(), [PASS] if stand.cookies else []

        def _answer(self, right: Callable[[], Answer]) -> None:
            if self.path.endswith(REST.file):
                stand.scripts += 1
                return self._send((200, REST.content_type, REST.body, [KEPT]))
            line = f"{self.command} {self.path}"
            stand.log.append(line)
            queue = next((queue for start, queue in stand.told.items() if queue and line.startswith(start)), None)
            if queue is None:
                return self._send(right())
            told = queue.pop(0)
            sleep(told.delay)
            if told.status:
                return self._send((told.status, HTML, told.body.encode(), told.headers))
            self.close_connection = True
            return None

        def _send(self, answer: Answer) -> None:
            status, kind, body, more = answer
            self.send_response(status)
            for name, value in (("Content-Type", kind), *more):
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if status == 204 else body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        stand = Newsstand(f"http://127.0.0.1:{httpd.server_port}", httpd.server_port)
        thread = Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield stand
        httpd.shutdown()
        thread.join()
