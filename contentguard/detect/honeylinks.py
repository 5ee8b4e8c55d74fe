"""Links that no person sees: unique for each reader and page, so that whoever follows one tells where it was read.

A token is ``time(4) tag(4) mac(8)`` in URL-safe base64: when and for whom it was made. The MAC covers both and the
page, with a key of its own, so a token can be neither made up nor moved to another page. To follow one is evidence,
not proof: a prefetcher may, and somebody whose software reads out what is hidden. So it never refuses anybody by
itself, and a request that a browser marks as a prefetch, as a part of another page or as coming from another site is
not counted at all: a stranger's page could embed the link as a picture and make its visitors look guilty.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from hashlib import blake2b
from hmac import compare_digest
from struct import Struct
from typing import NamedTuple

from contentguard.detect.shape import is_prefetch
from contentguard.model import Facts, Session

_HEAD = Struct(">I4s")
_MAC = 8
LENGTH = 22
"""Characters of a token."""

Derive = Callable[[str], bytes]
"""Purpose → 32 secret bytes (``tokens.Signer.derive``)."""


class Planted(NamedTuple):
    """What a genuine token says."""

    made: int
    """Seconds since the epoch."""
    own: bool
    """Whether it was planted for the reader who follows it."""


def make(key: bytes, reader: str, page: str, now: float) -> str:
    """A token for one reader (the session's key) and one page, 22 characters of ``[A-Za-z0-9_-]``."""
    head = _HEAD.pack(int(now) & 0xFFFFFFFF, _tag(key, reader))
    return urlsafe_b64encode(head + _mac(key, head, page)).rstrip(b"=").decode("ascii")


def read(key: bytes, token: str, reader: str, page: str, now: float, max_age: float = 86400.0) -> Planted | None:
    """What a token says; None when it is not ours, not of this page, or older than ``max_age`` seconds."""
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token + "==")
    except ValueError:
        return None
    head, mac = raw[: _HEAD.size], raw[_HEAD.size :]
    # Before anything is read, and the text itself again: base64 has several spellings of one value.
    if not compare_digest(mac, _mac(key, head, page)) or urlsafe_b64encode(raw).rstrip(b"=") != token.encode():
        return None
    made, tag = _HEAD.unpack(head)
    if not -60.0 <= now - made <= max_age:
        return None
    return Planted(made, compare_digest(tag, _tag(key, reader)))


def counts(facts: Facts) -> bool:
    """Whether a request for a honeylink is one its client made on purpose, as far as its headers say."""
    values = dict(facts.headers)
    if facts.method not in ("GET", "HEAD") or is_prefetch(values):
        return False
    dest, site = values.get(b"sec-fetch-dest", b"document"), values.get(b"sec-fetch-site", b"none")
    return dest == b"document" and site != b"cross-site"


def detect(session: Session) -> Iterator[str]:
    """The names of signals in the honeylinks a session followed."""
    if session.traps >= 2:
        yield "honeylinks"
    elif session.traps:
        yield "honeylink"


def _tag(key: bytes, reader: str) -> bytes:
    return blake2b(
        reader.encode("utf-8", "surrogatepass"), digest_size=4, key=key[:64], person=b"cg-trap-reader"
    ).digest()


def _mac(key: bytes, head: bytes, page: str) -> bytes:
    text = head + page.encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=_MAC, key=key[:64], person=b"cg-trap").digest()
