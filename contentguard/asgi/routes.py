"""The guard's own routes: scripts and style sheets, QR codes, what is published for robots, and what probes lead to.

Strategy: everything is prepared when the middleware is made; answering is a look-up. The files' names hold their
content's hash, so they may be kept for ever, but for the one that shows a browser by being asked for.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

from contentguard.asgi.bucketed import ASKS, BucketResponder
from contentguard.asgi.called import CallResponder
from contentguard.asgi.oembed import OEmbedResponder
from contentguard.asgi.openings import Openings
from contentguard.asgi.operator import METHODS, Desk
from contentguard.asgi.probed import AssetResponder, HoneylinkResponder, ReportResponder
from contentguard.asgi.readings import ENTERS, REST, WAITS, Reading
from contentguard.asgi.request import route_path
from contentguard.asgi.response import Plain
from contentguard.assets import ASSETS, Asset
from contentguard.errors import Fault, SettingsError
from contentguard.guard.calls import ROUTE
from contentguard.guard.press import LONGEST_DRAWN
from contentguard.publish import documents
from contentguard.rewrite.codings import accepts
from contentguard.rewrite.probes import HONEYLINKS, REPORTS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from contentguard.guard import Guard

PREFIX = "/.contentguard"
Answer = (
    Plain
    | AssetResponder
    | BucketResponder
    | CallResponder
    | Desk
    | HoneylinkResponder
    | OEmbedResponder
    | Reading
    | ReportResponder
)
_BUCKETS = PREFIX + ASKS
_REPORTS, _HONEYLINKS = PREFIX + REPORTS, PREFIX + HONEYLINKS
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_NO_STORE = (b"cache-control", b"no-store")
_ONLY_POST = [_TEXT, _NO_STORE, (b"allow", b"POST")]
_NOT_ALLOWED = b"Method Not Allowed\n"
_NOINDEX = (b"x-robots-tag", b"noindex")
_QUOTES, _OEMBED = PREFIX + "/q/", PREFIX + "/oembed"
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_IMMUTABLE = (b"cache-control", b"public, max-age=31536000, immutable")
_EACH_TIME = (b"cache-control", b"private, no-cache")


class Routes:
    """What is answered without asking the app."""

    def __init__(self, app: ASGIApp, openings: Openings) -> None:
        self._app, self._openings = app, openings
        self._guard = guard = openings.guard
        _check_drawing(guard)
        self._assets = {
            f"{PREFIX}/{name}": (asset, (_asset(asset, gzip=False), _asset(asset, gzip=True)))
            for name, asset in ASSETS.items()
        }
        self.documents = _documents(guard)
        """Path → what is published there for robots, where the app has nothing."""

    def find(self, scope: Scope) -> Answer | None:
        """The answer to a request below ``/.contentguard``, or None for one that is the app's."""
        path = route_path(scope)
        if not path.startswith(PREFIX) or path[len(PREFIX) :][:1] not in ("", "/"):
            return None
        if path == _REPORTS:
            return ReportResponder(self._guard) if scope["method"] == "POST" else Plain(405, _ONLY_POST, _NOT_ALLOWED)
        if path.startswith(ROUTE):
            return CallResponder(self._guard.comments.calls, path.removeprefix(ROUTE))
        if (way := self._way(path, scope["method"])) is not None:
            return way
        if (below := path.removeprefix(PREFIX)) in METHODS:
            return Desk(self._guard, below)
        if scope["method"] not in ("GET", "HEAD"):
            return Plain(405, [_TEXT, _NO_STORE, (b"allow", b"GET, HEAD")], _NOT_ALLOWED)
        copies = self._guard.copies
        if path.startswith(_BUCKETS) and copies is not None and copies.buckets is not None:
            return BucketResponder(self._guard, copies, copies.buckets, _BUCKETS)
        if (found := self._assets.get(path)) is not None:
            asset, packed = found
            return AssetResponder(self._guard, asset, packed[_accepts_gzip(scope)])
        if path.startswith(_HONEYLINKS):
            return HoneylinkResponder(self._guard, path.removeprefix(_HONEYLINKS))
        if path == _OEMBED and self._guard.settings.oembed.enabled:
            return OEmbedResponder(self._app, self._openings)
        if path.startswith(_QUOTES):
            return self._quote(path.removeprefix(_QUOTES))
        if path.startswith(f"{PREFIX}/qr/") and (picture := self._qr(path)) is not None:
            return picture
        return Plain(404, [_TEXT, _NO_STORE], b"Not Found\n")

    def _way(self, path: str, method: str) -> Reading | None:
        """The answer on one of the ways from a lead to its rest."""
        admissions, below = self._guard.admissions, path.removeprefix(PREFIX)
        if admissions is None:
            return None
        if below == REST:
            return Reading(self._app, self._openings, admissions, REST, "") if method == "POST" else None
        for way in (WAITS, ENTERS):
            if below.startswith(way) and method == "GET":
                return Reading(self._app, self._openings, admissions, way, below.removeprefix(way))
        return None

    def document(self, scope: Scope) -> Plain | None:
        """What is published for robots at this path; given only where the app has nothing there."""
        return None if scope.get("root_path") else self.documents.get(scope["path"])

    def _quote(self, token: str) -> Plain:
        """Where a quotation's link leads. Without a fragment, so that a browser keeps the passage it came with."""
        path = self._guard.quotes.followed(token)
        if path is None:
            return Plain(404, [_TEXT, _NO_STORE, _NOINDEX], b"Not Found\n")
        return Plain(302, [(b"location", path.encode("ascii")), _NO_STORE, _NOINDEX], b"")

    def _qr(self, path: str) -> Plain | None:
        """A QR code of one of the site's own pages; the signed token keeps this from drawing codes for anybody."""
        token = path.removeprefix(f"{PREFIX}/qr/").removesuffix(".svg")
        url = self._guard.signer.read("qr", token)
        svg = None if url is None or len(url) > LONGEST_DRAWN else _qr_svg(url)
        if svg is None:
            return None
        return Plain(200, [(b"content-type", b"image/svg+xml"), _NOSNIFF, _IMMUTABLE], svg)


class DocumentResponder:
    """Lets the app answer for ``/robots.txt`` and the like, and puts ours in the place of an error."""

    def __init__(self, app: ASGIApp, document: Plain) -> None:
        self.app, self.document = app, document
        self.replaced = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app behind this responder."""
        self._send = send
        await self.app(scope, receive, self.send)
        if self.replaced:
            await self.document(scope, receive, send)

    async def send(self, message: Message) -> None:
        """One message of the app."""
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self.replaced = True
        if not self.replaced:
            await self._send(message)


def _asset(asset: Asset, *, gzip: bool) -> Plain:
    headers = [
        (b"content-type", asset.content_type.encode()),
        _IMMUTABLE if asset.kept else _EACH_TIME,
        _NOSNIFF,
        (b"vary", b"Accept-Encoding"),
        (b"etag", asset.etag),
    ]
    if gzip:
        headers.append((b"content-encoding", b"gzip"))
    return Plain(200, headers, asset.gzipped if gzip else asset.body)


def _accepts_gzip(scope: Scope) -> bool:
    return accepts(b",".join(value for name, value in scope["headers"] if name == b"accept-encoding"), b"gzip")


def _documents(guard: Guard) -> dict[str, Plain]:
    """Path → what is published there for robots."""
    if not guard.settings.robots.serve:
        return {}
    kept = (b"cache-control", b"public, max-age=3600")
    made = documents(guard.published.terms, guard.site)
    return {
        path: Plain(200, [(b"content-type", _typed(kind)), _NOSNIFF, kept], data) for path, (kind, data) in made.items()
    }


def _typed(kind: str) -> bytes:
    return (f"{kind}; charset=utf-8" if kind.startswith("text/") and "charset" not in kind else kind).encode()


def _check_drawing(guard: Guard) -> None:
    """``SettingsError`` where a button would lead to a code that nobody here can draw."""
    share = guard.settings.share
    if not share.enabled or "qr" not in share.targets:
        return
    try:
        import segno  # noqa: F401
    except ImportError as error:
        wanted = "the extra qr: pip install 'contentguard[qr]'"
        raise SettingsError([Fault("share.targets", f"qr, and no segno ({error})", wanted)]) from None


@lru_cache(maxsize=256)
def _qr_svg(url: str) -> bytes | None:
    """Drawing takes milliseconds, more for a longer address, and anybody may ask for it any number of times."""
    try:
        import segno
    except ImportError:  # a page that was made where it is installed
        return None
    picture = BytesIO()
    segno.make(url, micro=False).save(
        picture, kind="svg", xmldecl=False, scale=4, border=4, svgclass=None, lineclass=None
    )
    return picture.getvalue()
