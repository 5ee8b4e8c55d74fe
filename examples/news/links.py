"""Every absolute address of the site, built from the configured origin alone.

The Host header is the client's word; a canonical link, a feed or a share picture built from it could be made
to point anywhere, and a cache would keep it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from .content import Article, section_slug

SITE: Final = "The Harbour Gazette"
TAGLINE: Final = "News of the quays, the town and the sea"
LANGUAGE: Final = "en"
DEFAULT_PICTURE: Final = "/static/default.png"
DEFAULT_ALT: Final = f"{SITE}: {TAGLINE}"
_IMG: Final = re.compile(r'<img(?: [a-z]+="[^"]*")*>')
_SHOWN: Final = re.compile(r'(?<= src=")/images/[^"]+|(?<= srcset=")/images/[^" ]+|(?<=x, )/images/[^" ]+')


class OriginError(ValueError):
    """The origin is not of the form https://host[:port]."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture that a link preview shows."""

    url: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses under one origin."""

    origin: str

    def to(self, path: str) -> str:
        """Return the absolute address of a path of this site."""
        return self.origin + path

    def article(self, article: Article) -> str:
        """Return the canonical address of an article."""
        return self.to(article_path(article))

    def picture(self, article: Article | None) -> Picture:
        """Return an article's picture, or the paper's own where it has none."""
        if article is None or article.image is None:
            return Picture(self.to(DEFAULT_PICTURE), 1200, 630, DEFAULT_ALT)
        url = self.to(image_path(article.image))
        return Picture(url, article.image_width, article.image_height, article.image_alt)


def article_path(article: Article) -> str:
    """Return the path of an article."""
    return f"/news/{article.slug}"


def image_path(name: str) -> str:
    """Return the path of a picture."""
    return f"/images/{quote(name)}"


def section_path(section: str) -> str:
    """Return the path of a section, by its name or its slug."""
    return f"/section/{quote(section_slug(section))}"


def page_path(path: str, number: int) -> str:
    """Return the path of one page of a list; the first page has no number."""
    return path if number == 1 else f"{path}?page={number}"


def clean_origin(origin: str) -> str:
    """Return an origin without its last slash, or raise OriginError."""
    try:
        parts = urlsplit(origin.strip())
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        port_is_fine = False
    if not port_is_fine or parts.scheme not in ("http", "https") or not parts.hostname:
        raise OriginError(f"expected an origin such as https://news.example, found {origin!r}")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise OriginError(f"expected no more than scheme, host and port, found {origin!r}")
    return f"{parts.scheme}://{parts.netloc}"


def placed(html: str, address: Callable[[str], str]) -> str:
    """Return an article's HTML with the addresses of its pictures as they hold elsewhere.

    `address`: the path of a picture, decoded → its whole address. The HTML is `markdown.render`'s, which writes every
    attribute in double quotes, and no quote or bracket within one.
    """
    return _IMG.sub(lambda tag: _SHOWN.sub(lambda path: address(unquote(path[0])), tag[0]), html)
