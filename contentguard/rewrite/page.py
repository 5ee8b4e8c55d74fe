"""What passes between the scanner, the inserts and the renderer.

An insert never touches a page: it is told what the page says of itself (``Page``) and answers with fragments, each
for one slot. Fragments are ASCII bytes (numeric references for the rest), so they are right in every charset that is
a superset of ASCII. What differs from reader to reader is left open as a ``Field`` and filled in at the last moment,
so that everything else is worked out once per page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from hashlib import blake2b


class Slot(Enum):
    """Where in a page a fragment goes."""

    HEAD = "head"
    """Last in the head."""
    ARTICLE_END = "article-end"
    """Last inside the article's element."""


class Field(StrEnum):
    """A value that is known only when a page leaves for one reader. All arrive ready to stand in HTML."""

    URL = "url"
    """The page's absolute URL, escaped for an attribute or for text."""
    URL_QUERY = "url-query"
    """The page's absolute URL, percent-encoded for use as a query value."""
    COPY_NUMBER = "copy-number"
    DATE = "date"
    """The day of this copy, ISO 8601."""
    HONEYLINK = "honeylink"
    """This reader's token, for the address of a honeylink on this page."""
    REPORT = "report"
    """This reader's token for the browser's report."""
    TICKET = "ticket"
    """The ticket by which this reader may come by the rest of an article: the last segment of an URL's path."""
    SHARED = "shared"
    """What follows the page's URL in the share box's links so that they open it, percent-encoded; or nothing."""
    MARK = "mark"
    """One class more on an element of ours, with its leading space, where copies are marked; or nothing."""
    NONCE = "nonce"
    """`` nonce="…"`` with its leading space where the response's own CSP asks for one, else empty."""


Part = bytes | Field


@dataclass(frozen=True, slots=True)
class Fragment:
    """Bytes for one slot of a page, with the fields that are still open."""

    slot: Slot
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says of itself, decoded; absent things are empty strings."""

    title: str = ""
    """The text of ``<title>``, white space folded."""
    description: str = ""
    lang: str = ""
    canonical: str = ""
    """The page's own ``<link rel=canonical>`` if it is absolute, else empty."""
    image: str = ""
    """The card picture the page names (og:image, twitter:image), else the first picture of the article."""
    image_alt: str = ""
    metas: Mapping[str, str] = field(default_factory=dict)
    """``name`` or ``property`` (lower case) of the head's meta elements about cards and description → its content."""
    origin: str = ""
    """The site's public origin from the settings, e.g. ``https://news.example``; empty when not configured."""
    path: str = "/"
    """The path of the request, percent-encoded as in a URL, without the query."""
    queried: bool = False
    """Whether the request has a query that may say which page is meant, so that the path may be several pages'."""
    routes: str = "/.contentguard"
    """Where the guard's own routes are reachable, without a trailing slash."""
    article: str = ""
    """The CSS selector that found the article."""
    embeddable: bool = False
    """Whether the page names an oEmbed address itself."""
    scripts_allowed: bool = True
    """Whether the response's own CSP lets our external script run."""
    styles_allowed: bool = True

    @property
    def url(self) -> str:
        """The absolute URL of this page as far as it is known without the reader's Host header, else empty."""
        return self.canonical or (self.origin + self.path if self.origin else "")

    @property
    def name(self) -> str:
        """What names this page among the site's: its canonical URL, or its path and what it is called.

        Where a page does not say what it is, its path does not either: sites tell pages apart by a query as well. The
        query itself is no help, for others add to it what follows a reader about.
        """
        if self.canonical:
            return self.canonical
        called = "\0".join((self.title, self.metas.get("og:title", ""), self.metas.get("og:url", "")))
        return f"{self.url or self.path}#{blake2b(called.encode('utf-8', 'surrogatepass'), digest_size=6).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a page was delivered by the app: what its plan depends on besides its bytes."""

    path: str
    """Percent-encoded, with the mount's prefix, without the query."""
    routes: str
    """Where the guard's own routes are, e.g. ``/.contentguard``."""
    content_type: str
    policies: tuple[str, ...] = ()
    """The response's Content-Security-Policy header values."""
    forced: bool = False
    """The app says that this is an article, however short."""
    queried: bool = False
    """See ``Page.queried``."""


def ascii_html(text: str) -> bytes:
    """``text`` escaped for HTML text or a quoted attribute, as pure ASCII with numeric references."""
    for character, reference in _ESCAPES:
        if character in text:
            text = text.replace(character, reference)
    return text.encode("ascii", "xmlcharrefreplace")


_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;"))
