"""What a page says of itself: its encoding, and its head read into a ``Page``.

Strategy: only the slices that the scanner pointed out are decoded. Text is read as a browser would (declared
encoding, else UTF-8, else windows-1252); white space is folded; references are resolved.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from functools import lru_cache
from html import unescape
from urllib.parse import urljoin

from contentguard.rewrite.article import Found
from contentguard.rewrite.page import Page
from contentguard.rewrite.scan import Scan
from contentguard.rewrite.tokenizer import attributes

_META_CHARSET = re.compile(rb"(?i)<meta(?=[\t\n\f\r /])[^>]*+>")
_CHARSET = re.compile(rb"(?i)charset[\t\n\f\r ]*+=[\t\n\f\r ]*+[\"']?+([a-z0-9_:.-]++)")
_REFERENCE = re.compile(r"&(?:#[xX]?+[0-9a-fA-F]++|[A-Za-z0-9]++);")
_SAID = ("og:", "twitter:", "article:", "description", "robots", "tdm-")
"""What is read of a page's meta elements: a CSRF token or a build number makes no other page of it."""
_LONG = 512
"""Bytes of a tag up to which what it says is remembered."""
PRESCAN = 1024
"""How far a browser looks for the charset (HTML Standard, 13.2.3.2)."""
# Not supersets of ASCII: bytes below 0x80 do not mean what they say there.
_FOREIGN = re.compile(r"(?i)^(utf[-_]?(7|16|32)|ucs|unicode|iso-2022|csiso2022|hz|cp037|ibm037|ebcdic)")


@lru_cache(256)
def ascii_superset(content_type: str) -> bool:
    """Whether a Content-Type leaves it possible that the page is written in a superset of ASCII."""
    match = _CHARSET.search(content_type.encode("latin-1", "replace"))
    return match is None or not _FOREIGN.match(match[1].decode())


def is_wide(body: bytes) -> bool:
    """Whether a byte order mark says UTF-16 or UTF-32."""
    return body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def encoding_of(body: bytes, content_type: str) -> str:
    """The codec to read ``body`` with: BOM, then header, then the first 1,024 bytes, then UTF-8 or windows-1252."""
    if body.startswith(codecs.BOM_UTF8):
        return "utf-8"
    declared = _CHARSET.search(content_type.encode("latin-1", "replace")) or _meta_charset(body)
    name = declared[1].decode() if declared else ""
    try:
        codec = codecs.lookup(name).name if name else ""
    except LookupError:
        codec = ""
    # As browsers do: a page that calls itself ASCII or Latin-1 is read as windows-1252.
    if codec in ("ascii", "iso8859-1"):
        return "cp1252"
    if codec and not _FOREIGN.match(codec):
        return codec
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def late_charset(body: bytes, head_end: int) -> bool:
    """Whether the page's charset declaration stands behind ``head_end`` and would be pushed out of the prescan."""
    match = _meta_charset(body)
    return match is not None and match.start() >= head_end


def _meta_charset(body: bytes) -> re.Match[bytes] | None:
    start = body[:PRESCAN]
    for meta in _META_CHARSET.finditer(start):
        match = _CHARSET.search(start, meta.start(), meta.end())
        if match is not None:
            return match
    return None


def read_page(found: Found, encoding: str, *, origin: str, path: str, routes: str) -> Page:
    """The ``Page`` of a scanned body; whether scripts may run is for the caller to say."""
    scan = found.scan
    metas, links = _metadata(scan, encoding)
    html = _tag(scan.html_tag, encoding)
    picture = _tag(found.article.image, encoding) if found.article else {}
    card = metas.get("og:image") or metas.get("twitter:image") or ""
    return Page(
        title=" ".join(unescape((scan.title or b"").decode(encoding, "replace")).split()),
        description=metas.get("description", ""),
        lang=html.get("lang", ""),
        canonical=_absolute(links.get("canonical", ""), origin + path),
        image=card or picture.get("src", ""),
        image_alt=metas.get("og:image:alt", "") if card else picture.get("alt", ""),
        metas=metas,
        origin=origin,
        path=path,
        routes=routes,
        article=found.selector,
        embeddable=any(b"+oembed" in tag for tag in scan.metadata),
    )


def meta_policies(scan: Scan, encoding: str) -> list[str]:
    """The Content-Security-Policy values that the page itself sets by ``<meta http-equiv>``."""
    said = [tag for tag in scan.metadata if b"olicy" in tag or b"OLICY" in tag]
    tags = [_tag(tag, encoding) for tag in said]
    return [t.get("content", "") for t in tags if t.get("http-equiv", "").lower() == "content-security-policy"]


def _tag(tag: bytes, encoding: str) -> Mapping[str, str]:
    """A tag's attributes, decoded. Most tags of a head are those of every other page of the site."""
    return _read_tag(tag, encoding) if len(tag) > _LONG else _remembered_tag(tag, encoding)


def _read_tag(tag: bytes, encoding: str) -> Mapping[str, str]:
    """Only references that end in ";" count: ``?a=1&copy=2`` is an URL."""
    decoded = {k.decode("ascii", "replace"): v.decode(encoding, "replace") for k, v in attributes(tag).items()}
    return {k: " ".join((_REFERENCE.sub(_resolved, v) if "&" in v else v).split()) for k, v in decoded.items()}


_remembered_tag = lru_cache(1024)(_read_tag)


def _resolved(reference: re.Match[str]) -> str:
    return unescape(reference[0])


def _metadata(scan: Scan, encoding: str) -> tuple[dict[str, str], dict[str, str]]:
    metas: dict[str, str] = {}
    links: dict[str, str] = {}
    for span in scan.metadata:
        tag = _tag(span, encoding)
        key = (tag.get("property") or tag.get("name") or "").lower()
        if key.startswith(_SAID) and "content" in tag:
            metas.setdefault(key, tag["content"])
        for rel in tag.get("rel", "").lower().split():
            links.setdefault(rel, tag.get("href", ""))
    return metas, links


def _absolute(url: str, base: str) -> str:
    """``url`` resolved against ``base``; empty where that gives no http(s) URL, as without a configured origin."""
    try:
        whole = urljoin(base, url) if url else ""
    except ValueError:
        return ""
    return whole if whole.lower().startswith(("https://", "http://")) else ""
