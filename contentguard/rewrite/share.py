"""The share box: plain links that work without JavaScript and ask nobody anything before they are
followed.

Networks are data: a ``ShareTarget`` is a name, a URL with holes and a line drawing. A hole whose value the
page cannot give is closed so that the URL stays sensible. What needs a script (the system's own share
sheet, copying the link, printing) stands in the page hidden, and the script shows what the browser can do.

The module is long because the table of targets, with its drawings, stands here where its readers look for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import quote, urljoin

from contentguard.rewrite.page import Field, Fragment, Page, Part, Slot, ascii_html

_HOLES = frozenset({"{url}", "{title}", "{image}", "{qr}"})
_HOLE = re.compile(r"(\{[^{}]*\})")
_DRAWING = re.compile(r"[MLHVCSQTAZmlhvcsqtaz0-9 .,-]*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_CODE_SCHEMES = frozenset({"javascript:", "data:", "vbscript:"})
_UNRESERVED = "!'()*-._~"
"""What encodeURIComponent leaves as it is, besides letters and digits."""


def refuse_unknown(what: str, names: Collection[str], known: Collection[str]) -> None:
    """ValueError for the first of ``names`` that is not ``known``, with the nearest name that is."""
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.0)
            raise ValueError(
                f"unknown {what} {name!r}; did you mean {near[0]!r}?" if near else f"unknown {what} {name!r}"
            )


@dataclass(frozen=True, slots=True)
class ShareTarget:
    """Somewhere to share to."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    id: str
    label: str
    """The name readers see."""
    url: str
    """The address, with holes ``{url}``, ``{title}``, ``{image}``, ``{qr}``; empty for a button of the
    script's."""
    icon: str = ""
    """Path data (SVG ``d``) of a line drawing on a 24 × 24 grid."""

    def __post_init__(self) -> None:
        """Refuse what would break the page or run as code."""
        refuse_unknown("hole", _HOLE.findall(self.url), _HOLES)
        scheme = _SCHEME.match(self.url.strip())
        if scheme and scheme.group().lower() in _CODE_SCHEMES:
            raise ValueError(f"share target {self.id!r}: a {scheme.group()} URL would run as code")
        if not _DRAWING.fullmatch(self.icon):
            raise ValueError(f"share target {self.id!r}: the icon must be SVG path data (letters, numbers, spaces)")


_TARGETS = (
    ShareTarget(
        "facebook",
        "Facebook",
        "https://www.facebook.com/sharer/sharer.php?u={url}",
        "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20v-1.5a5 5 0 0 1 5-5h3a5 5 0 0 1 5 5V20"
        "M16 4.4a3.5 3.5 0 0 1 0 6.2M18.5 14a5 5 0 0 1 3 4.5V20",
    ),
    ShareTarget(
        "twitter",
        "Twitter",
        "https://x.com/intent/post?text={title}&url={url}",
        "M4 10v4h3l9 5V5l-9 5zM7.5 14l1.5 6h2.5l-1-4.5M19 9.5a3.5 3.5 0 0 1 0 5",
    ),
    ShareTarget(
        "linkedin",
        "LinkedIn",
        "https://www.linkedin.com/sharing/share-offsite/?url={url}",
        "M4.5 8h15A1.5 1.5 0 0 1 21 9.5v9a1.5 1.5 0 0 1-1.5 1.5h-15"
        "A1.5 1.5 0 0 1 3 18.5v-9A1.5 1.5 0 0 1 4.5 8zM8.5 8V5.5"
        "A1.5 1.5 0 0 1 10 4h4a1.5 1.5 0 0 1 1.5 1.5V8M3 13h18M12 12v2.5",
    ),
    ShareTarget(
        "whatsapp",
        "WhatsApp",
        "https://wa.me/?text={title}%20{url}",
        "M12 4c5 0 9 3.4 9 7.5S17 19 12 19a11 11 0 0 1-3-.4L4 20.5l1.3-3.6A7 7 0 0 1 3 11.5C3 7.4 7 4 12 4z"
        "M8 10h8M8 13h5",
    ),
    ShareTarget(
        "telegram",
        "Telegram",
        "https://t.me/share/url?url={url}&text={title}",
        "M21 4L3 11l6 3zM21 4l-5 16-7-6zM9 14v6l3.5-3.5",
    ),
    ShareTarget(
        "reddit",
        "Reddit",
        "https://www.reddit.com/submit?url={url}&title={title}",
        "M8 20V5M3.5 9.5L8 5l4.5 4.5M16 4v15M11.5 14.5L16 19l4.5-4.5",
    ),
    ShareTarget(
        "bluesky",
        "Bluesky",
        "https://bsky.app/intent/compose?text={title}%0A{url}",
        "M7 19a4.5 4.5 0 0 1-.5-9 6 6 0 0 1 11.5-1 5 5 0 0 1-.5 10z",
    ),
    ShareTarget(
        "threads",
        "Threads",
        "https://www.threads.net/intent/post?text={title}&url={url}",
        "M3 8c3-3 6-3 9 0s6 3 9 0M3 13c3-3 6-3 9 0s6 3 9 0M3 18c3-3 6-3 9 0s6 3 9 0",
    ),
    ShareTarget(
        "mastodon",
        "Mastodon",
        "https://share.joinmastodon.org/?text={title}%20{url}",
        "M12 8.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM5.5 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"
        "M18.5 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM10.7 8.2l-4 7M13.3 8.2l4 7M8 17.5h8",
    ),
    ShareTarget(
        "pinterest",
        "Pinterest",
        "https://www.pinterest.com/pin/create/button/?url={url}&media={image}&description={title}",
        "M8 3.5h8M9 3.5v6L6 13v1.5h12V13l-3-3.5v-6M12 14.5V21",
    ),
    ShareTarget(
        "hackernews",
        "Hacker News",
        "https://news.ycombinator.com/submitlink?u={url}&t={title}",
        "M3 5h18v14H3zM7 9.5l3 2.5-3 2.5M12.5 15H17",
    ),
    ShareTarget("email", "Email", "mailto:?subject={title}&body={url}", "M3 5.5h18v13H3zM3.5 6l8.5 7 8.5-7"),
    ShareTarget("sms", "SMS", "sms:?&body={title}%20{url}", "M3 5h18v12H11l-4.5 4v-4H3zM8 11h.01M12 11h.01M16 11h.01"),
    ShareTarget("print", "Print", "", "M7 8V3.5h10V8M7 17H3.5V8h17v9H17M7 13.5h10v7H7z"),
    ShareTarget("qr", "QR code", "{qr}", "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5M20 14v3M14 20h2M19 20h1"),
)

TARGETS: Mapping[str, ShareTarget] = MappingProxyType({target.id: target for target in _TARGETS})
"""Every target we know, by id. A site adds its own through ``Share.extra``."""

_NATIVE = ShareTarget("native", "Share…", "", "M12 15V3.5M7.5 7.5L12 3l4.5 4.5M6 11.5H5V21h14v-9.5h-1")
_COPY = ShareTarget(
    "copy",
    "Copy link",
    "",
    "M10 14a4 4 0 0 0 6 .4l3-3a4.2 4.2 0 0 0-6-6l-1.5 1.5M14 10a4 4 0 0 0-6-.4l-3 3a4.2 4.2 0 0 0 6 6l1.5-1.5",
)

_PHRASES = MappingProxyType({"share_on": "Share on {name}", "new_tab": "{name} (opens in a new tab)"})
"""What is said besides the targets' names; ``{name}`` is a target's."""

_TEXT_KEYS = frozenset({*TARGETS, _NATIVE.id, _COPY.id, *_PHRASES})

_BOX = (
    b'<section class="cg-share" aria-labelledby="cg-share-title" data-nosnippet%s>'
    b'<h2 class="cg-share-title" id="cg-share-title">%s</h2><ul class="cg-share-list">'
)
_ICON = (
    b'<svg viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.75" '
    b'stroke-linecap="round" stroke-linejoin="round" '
    b'aria-hidden="true" focusable="false"><path d="%s"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Share:
    """Options of the share box."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    enabled: bool = True
    heading: str = "Share your love"
    targets: tuple[str, ...] = ("facebook", "twitter", "linkedin", "whatsapp")
    """Ids of ``TARGETS`` or of ``extra``, in the order in which they are shown."""
    native: bool = True
    """The system's own share sheet, shown where the browser has one."""
    copy_link: bool = True
    signed: bool = False
    """Whether who follows one of the box's links gets the article whole: see ``SharedLinks``."""
    extra: tuple[ShareTarget, ...] = ()
    """Targets of the site's own; name them in ``targets`` to show them."""
    texts: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Other words for a target's name (by id), ``native``, ``copy``, ``share_on`` and ``new_tab``."""

    def __post_init__(self) -> None:
        """Refuse names that mean nothing, with the nearest that does."""
        own = {target.id for target in self.extra}
        refuse_unknown("share target", self.targets, [*TARGETS, *sorted(own)])
        refuse_unknown("share text", self.texts, sorted(_TEXT_KEYS | own))

    @property
    def scripted(self) -> bool:
        """Whether the box holds a button that only the script can show."""
        return self.enabled and (self.native or self.copy_link or any(not t.url for t in self.chosen))

    @property
    def chosen(self) -> Iterator[ShareTarget]:
        """The targets to show; the site's own win over ours of the same id."""
        known = {**TARGETS, **{target.id: target for target in self.extra}}
        return (known[id_] for id_ in self.targets)

    def name(self, target: ShareTarget) -> str:
        """What ``target`` is called."""
        return self.texts.get(target.id, target.label)

    def phrase(self, key: str, name: str) -> str:
        """One of the phrases about ``name``."""
        return self.texts.get(key, _PHRASES[key]).replace("{name}", name)


def share(page: Page, *, options: Share, qr: str = "") -> Iterator[Fragment]:
    """The share box at the article's end; ``qr`` is the address of the page's QR code, if it has one."""
    if not options.enabled:
        return
    values = _values(page, qr, signed=options.signed)
    links = [item for template, tail in _links(options) if (item := _link(template, tail, values))]
    buttons = _buttons(options) if page.scripts_allowed else ()
    if not links and not buttons:
        yield Fragment(Slot.ARTICLE_END, (b'<span class="cg-mark" hidden></span>',))
        return
    parts: list[Part] = [_opening(options.heading, hidden=not links)]
    for item in links:
        parts += item
    parts += buttons
    yield Fragment(Slot.ARTICLE_END, joined([*parts, b"</ul></section>"]))


def joined(parts: list[Part]) -> tuple[Part, ...]:
    """``parts`` with neighbouring bytes made one."""
    out: list[Part] = []
    for part in parts:
        if isinstance(part, bytes) and out and isinstance(last := out[-1], bytes):
            out[-1] = last + part
        else:
            out.append(part)
    return tuple(out)


def _opening(heading: str, *, hidden: bool) -> bytes:
    # With nothing but buttons the box stays hidden too, until the script shows one of them.
    return _BOX % (b" hidden" if hidden else b"", ascii_html(heading))


def _scripted(options: Share) -> Iterator[ShareTarget]:
    yield from (target for target in options.chosen if not target.url)
    if options.native:
        yield _NATIVE
    if options.copy_link:
        yield _COPY


@lru_cache(64)
def _buttons(options: Share) -> tuple[bytes, ...]:
    """What only the script can show: the same on every page of a site."""
    return tuple(
        b'<li hidden><button type="button" hidden class="cg-share-link" data-cg-share="%s">%s</button></li>'
        % (ascii_html(target.id), _face(target, options.name(target)))
        for target in _scripted(options)
    )


@lru_cache(64)
def _links(options: Share) -> tuple[tuple[str, bytes], ...]:
    """Each link's address as a template, and what follows it: the same on every page of a site."""
    return tuple((target.url, _tail(target, options)) for target in options.chosen if target.url)


def _tail(target: ShareTarget, options: Share) -> bytes:
    name = options.name(target)
    attributes = b""
    if not _SCHEME.match(target.url) or target.url.startswith("http"):
        spoken = name if target.url == "{qr}" else options.phrase("share_on", name)
        attributes = b' target="_blank" rel="nofollow noopener noreferrer" aria-label="%s"' % ascii_html(
            options.phrase("new_tab", spoken)
        )
    return b'"%s>%s</a></li>' % (attributes, _face(target, name))


def _link(template: str, tail: bytes, values: Mapping[str, _Value]) -> list[Part]:
    address = _address(template, values)
    return [b'<li><a class="cg-share-link" href="', *address, tail] if address else []


def _face(target: ShareTarget, name: str) -> bytes:
    icon = _ICON % target.icon.encode("ascii") if target.icon else b""
    return icon + b"<span>%s</span>" % ascii_html(name)


_Value = str | tuple[str | Field, ...]


def _values(page: Page, qr: str, *, signed: bool) -> Mapping[str, _Value]:
    """What fills the holes of addresses, escaped once for all of them."""
    url = _encoded(page.url) or Field.URL_QUERY
    return {
        "{title}": _encoded(page.title),
        "{image}": _encoded(_image(page)),
        "{url}": (url, Field.SHARED) if signed else (url,),
        "{qr}": qr,
    }


def _address(template: str, values: Mapping[str, _Value]) -> list[Part]:
    """``template`` with its holes filled, ready for an attribute; empty when the page lacks what it cannot
    do without."""
    if ("{image}" in template and not values["{image}"]) or ("{qr}" in template and not values["{qr}"]):
        return []
    if not values["{title}"]:
        template = _untitled(template)
    filled = [values.get(piece, piece) for piece in _HOLE.split(template)]
    flat = [part for value in filled for part in ((value,) if isinstance(value, str) else value)]
    return [part if isinstance(part, Field) else ascii_html(part) for part in flat]


def _untitled(template: str) -> str:
    """``template`` without the parameters, or the beginnings of parameters, that hold the title."""
    base, mark, query = template.replace("{title}%20", "").replace("{title}%0A", "").partition("?")
    return base + mark + "&".join(pair for pair in query.split("&") if not pair.endswith("={title}"))


def _image(page: Page) -> str:
    image = urljoin(page.url, page.image) if page.image else ""
    return image if image.startswith(("https://", "http://")) else ""


def _encoded(text: str) -> str:
    return quote(text, safe=_UNRESERVED, errors="replace")
