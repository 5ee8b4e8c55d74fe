"""Robots no catalogue lists: what gives a program away in its own User-Agent.

A last step, by form and not by name: a word that says what the program is (``…bot``, ``crawler``,
``monitor``), an address to complain to, or a header that names neither an engine nor a device, as every
browser does. The purpose is a guess and never a privilege: FEED, LINK_PREVIEW or MONITORING where the
word says so, otherwise TOOL. A name alone must not earn what a search engine gets.
"""

from __future__ import annotations

import re

from contentguard.crawlers.words import DEVICES, PLAIN, words
from contentguard.model import Crawler, Purpose

# Over the header's unusual words, joined by spaces. No nested repetition: linear.
_TELLING = re.compile(
    rb"bots?\b|robot|crawl|spider|scrap|(?<!ok)https?|\bwww\b|fetch|archiv|headless|monitor|uptime|validator|indexer"
    rb"|[a-z]preview|(?:link|url|page|web) ?preview|feed(?:s|er|parser|reader)?\b|\brss[a-z]"
    rb"|rss reader|checker|link ?check|[a-z]parser\b|synthetic|webhook|scann(?:ing|er)|sniffer|screenshot"
    rb"|seo\b|\bseo(?!ul)|analy[sz]er|harvest|extract(?:or|er)|grabber|healthcheck|curl\b|wget"
    rb"|\bpython|\bperl\b|\bphp\b|\bruby\b|\bgolang|\bnodejs|research(?! in motion)|inspector|[a-z]agents?\b"
    rb"|survey"
)
_COMPLAINTS = re.compile(rb"@[a-z][a-z0-9-]*\.[a-z]|[a-z0-9-]\.(?:com|org)(?![a-z0-9.])")
_COMPATIBLE = re.compile(rb"\(compatible; ?([a-z][\w.!-]*+) ?+[\w -]{0,40}+/v?[0-9][0-9a-z.]*+[;) ]")
_BROWSERS_TOO = frozenset(
    {b"msie", b"konqueror", b"abrowse", b"netfront", b"netpositive", b"webpositive", b"u", b"ms-office"}
)
_ADDRESS_WORDS = frozenset({b"http", b"https", b"www"})
_NO_NAMES = PLAIN | _ADDRESS_WORDS
_PRODUCT = re.compile(rb"[a-z0-9][a-z0-9_.!-]*", re.IGNORECASE)

_GUESSES = (
    (re.compile(rb"feed|rss"), Purpose.FEED),
    (re.compile(rb"preview"), Purpose.LINK_PREVIEW),
    (re.compile(rb"monitor|uptime|synthetic|healthcheck"), Purpose.MONITORING),
)


def unlisted(user_agent: bytes, lowered: bytes, found: list[bytes]) -> Crawler | None:
    """A robot that only the form of ``user_agent`` declares (``lowered``: its text, ``found``: its words)."""
    unusual = b" ".join([word for word in found if len(word) > 2 and word not in PLAIN])
    telling = _TELLING.search(unusual) if unusual else None
    if telling is not None:
        return _crawler(_around(user_agent, lowered, telling.group().split()[0]), unusual)
    if _complains_to(lowered) or _says_compatible(lowered) or _is_no_browser(lowered, found):
        return _crawler(_first_product(user_agent), unusual)
    return None


def _complains_to(lowered: bytes) -> bool:
    return (b"@" in lowered or b".com" in lowered or b".org" in lowered) and bool(_COMPLAINTS.search(lowered))


def _says_compatible(lowered: bytes) -> bool:
    """``(compatible; Name/1.0)``: the form in which robots introduce themselves."""
    if b"compatible;" not in lowered:
        return False
    if b"like gecko; compatible;" in lowered:
        return True
    said = _COMPATIBLE.search(lowered)
    return said is not None and said[1] not in _BROWSERS_TOO


def _wraps_a_browser(lowered: bytes) -> bool:
    """``Foo/1.0 Mozilla/5.0 (…)``: a program that put its name before the browser it plays."""
    at = lowered.find(b"mozilla/")
    return at > 0 and DEVICES.isdisjoint(words(lowered[:at]))


def _is_no_browser(lowered: bytes, found: list[bytes]) -> bool:
    """No engine and no device named; or neither version nor comment; or another name before the browser's."""
    if not lowered.strip() or lowered.startswith(b"w3m/"):
        return False
    bare = b"/" not in lowered and b"(" not in lowered
    return bare or DEVICES.isdisjoint(found) or (not lowered.startswith(b"mozilla/") and _wraps_a_browser(lowered))


def _around(user_agent: bytes, lowered: bytes, word: bytes) -> bytes:
    """The product whose name holds ``word``; for an address, the product that gives it."""
    if word in _ADDRESS_WORDS:
        return _first_product(user_agent)
    at = lowered.find(word)
    return next((m.group() for m in _PRODUCT.finditer(user_agent) if m.start() <= at < m.end()), word)


def _first_product(user_agent: bytes) -> bytes:
    """The first name that is not a browser's: ``Foo`` of ``Mozilla/5.0 (compatible; Foo/1.0)``."""
    names = (m.group() for m in _PRODUCT.finditer(user_agent))
    return next((name for name in names if not _NO_NAMES.issuperset(words(name.lower()))), b"unnamed")


def _crawler(name: bytes, unusual: bytes) -> Crawler:
    purpose = next((purpose for sign, purpose in _GUESSES if sign.search(unusual)), Purpose.TOOL)
    text = name[:64].decode("latin-1")
    return Crawler(name=text, token=text, operator="", purpose=purpose)
