"""oEmbed 1.0 (oembed.com): an article as a card on somebody else's page, instead of a copy.

Strategy: only what the page's head says of it anyway goes into a card: title, author, picture, and of the description
so few words that nobody need take more. Everything is escaped for where it lands, and there is no script and no frame.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar
from urllib.parse import quote, urljoin

from contentguard.rewrite.page import Fragment, Page, Slot, ascii_html

WIDTH, HEIGHT = 600, 200
"""Pixels that a card takes."""
_NARROWEST, _LOWEST = 200, 120
"""With less room it is a plain link."""
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PIXELS = re.compile(r"[0-9]{1,5}")
Value = str | int


@dataclass(frozen=True, slots=True)
class OEmbed:
    """Options of the cards on other sites' pages."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    enabled: bool = True
    """Answer ``/.contentguard/oembed``, and name it in articles' heads where their addresses are known."""
    words: int = 40
    """Of the description so many words stand in a card; 0 for none."""
    cache_age: int = 3600
    """For how many seconds a card may be kept."""

    def __post_init__(self) -> None:
        """Refuse what would be a copy after all."""
        if not 0 <= self.words <= 40:
            raise ValueError(f"want 0 to 40 words, not {self.words}")
        if self.cache_age < 0:
            raise ValueError(f"want seconds from 0 on, not {self.cache_age}")


class Room:
    """How large a card may be."""

    def __init__(self, width: str, height: str) -> None:
        """``width``, ``height``: ``maxwidth`` and ``maxheight`` as they were asked for; what is no number is none."""
        self.width = int(width) if _PIXELS.fullmatch(width) else None
        self.height = int(height) if _PIXELS.fullmatch(height) else None

    def holds(self, width: int, height: int) -> bool:
        """Whether something of that size fits."""
        return (self.width is None or width <= self.width) and (self.height is None or height <= self.height)


def discovery(page: Page, options: OEmbed) -> Iterator[Fragment]:
    """The link by which others find the card of a page, unless it names one itself or is not known by an address."""
    if not options.enabled or page.embeddable or not page.origin or not page.url.startswith(page.origin + "/"):
        return
    address = f"{page.origin}{page.routes}/oembed?format=json&url={quote(page.url, safe='')}"
    link = b'<link rel="alternate" type="application/json+oembed" href="%s" title="%s">'
    yield Fragment(Slot.HEAD, (link % (ascii_html(address), ascii_html(page.title)),))


def excerpt(page: Page, most: int) -> str:
    """Of what a page says of itself, the first ``most`` words."""
    said = (page.description or page.metas.get("og:description", "")).split()
    return " ".join(said[:most]) + ("…" if said[most:] and most else "")


def card(page: Page, options: OEmbed, *, provider: str, said: str, room: Room) -> Mapping[str, Value]:
    """The card of a page, by the names of oEmbed 1.0 §2.3.4. ``said``: its excerpt."""
    title = page.metas.get("og:title") or page.title
    made: dict[str, Value] = {"version": "1.0", "type": "link", "title": title, "url": page.url}
    author = page.metas.get("article:author", "")
    if author:
        made["author_url" if author.startswith(("https://", "http://")) else "author_name"] = author
    made |= {"provider_name": provider, "provider_url": page.origin + "/", "cache_age": options.cache_age}
    made |= _thumbnail(page, room)
    if room.holds(_NARROWEST, _LOWEST):
        width = min(WIDTH, room.width or WIDTH)
        made |= {"type": "rich", "width": width, "height": min(HEIGHT, room.height or HEIGHT)}
        made["html"] = _html(page.url, title, said, provider)
    return {name: value for name, value in made.items() if value != ""}


def _html(url: str, title: str, said: str, provider: str) -> str:
    link = f'<a href="{escape(url)}">{escape(title or url)}</a>'
    about = f"<p>{escape(said)}</p>" if said else ""
    end = f"<footer>{escape(provider)}</footer>" if provider else ""
    return f'<blockquote class="contentguard-card" cite="{escape(url)}"><p>{link}</p>{about}{end}</blockquote>'


def _thumbnail(page: Page, room: Room) -> Mapping[str, Value]:
    """The picture on the page's card, where its size is known and fits (§2.3.4: all three or none)."""
    image = page.metas.get("og:image", "")
    sizes = [page.metas.get(f"og:image:{side}", "") for side in ("width", "height")]
    if not image or not all(map(_PIXELS.fullmatch, sizes)):
        return {}
    width, height = map(int, sizes)
    try:
        url = urljoin(page.url, image)
    except ValueError:
        return {}
    if not url.startswith(("https://", "http://")) or not room.holds(width, height):
        return {}
    return {"thumbnail_url": url, "thumbnail_width": width, "thumbnail_height": height}


def as_json(made: Mapping[str, Value]) -> bytes:
    """A card as JSON, in ASCII."""
    # Nothing in it ends a script in which somebody writes it down.
    return json.dumps(made).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode("ascii")


def as_xml(made: Mapping[str, Value]) -> bytes:
    """A card as XML (§2.3.4.2); what XML cannot hold is left out."""
    elements = "".join(f"<{name}>{escape(_NOT_XML.sub('', str(value)))}</{name}>" for name, value in made.items())
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{elements}</oembed>\n'.encode()
