"""The pass: a signed cookie that says which visit this is, and what its browser has earned so far.

A visit begins as a pass of level 0, which grants nothing and only lets one client be recognised; whatever is earned
later stands in the same cookie. All fields have a fixed width and stand inside the MAC, so no two readings of one text
exist and nothing is believed that was not written here. A pass names no person: its id is drawn by chance.

Format, 45 bytes as 60 characters of URL-safe base64: version(1) key id(1) level(1) issued(4) seen(4) id(8) agent(4)
prefix(4) MAC(18), all numbers big-endian. MAC: keyed BLAKE2b (RFC 7693) of everything before it.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from hmac import compare_digest
from struct import Struct
from typing import NamedTuple

_FIELDS = Struct(">BBBII8s4s4s")
_VERSION = 1
_MAC = 18
LENGTH = 60
"""Characters of a pass."""
_TEXT = re.compile(rb"[A-Za-z0-9_-]{60}")
_SKEW = 60.0
"""Seconds by which another machine's clock may be ahead of ours."""
_MOST = 4
"""Cookies of one name that are tried; a browser sends several when they were set for different paths or domains."""
_MOST_BYTES = 8192


class Pass(NamedTuple):
    """What a genuine pass says."""

    id: str
    """16 hex digits, drawn by chance."""
    level: int = 0
    """What was earned: 0 nothing but to be recognised."""
    issued: int = 0
    """Seconds since the epoch."""
    seen: int = 0
    """When its browser last fetched the parts of a page; 0 never."""
    agent: bytes = bytes(4)
    """``short`` of the kind of browser it was given to. Another kind may not use it."""
    prefix: bytes = bytes(4)
    """``short`` of the address prefix it was given to. Readers move, so another prefix only costs it trust."""


def write(key: bytes, given: Pass) -> str:
    """The cookie's value, 60 characters of ``[A-Za-z0-9_-]``. ``key``: 32 secret bytes for this purpose alone."""
    head = _FIELDS.pack(
        _VERSION,
        _key_id(key),
        given.level,
        given.issued,
        given.seen,
        bytes.fromhex(given.id),
        given.agent,
        given.prefix,
    )
    return urlsafe_b64encode(head + _mac(key, head)).decode("ascii")


def read(keys: Sequence[bytes], text: bytes) -> Pass | None:
    """The pass in a cookie's value; None when none of ``keys`` wrote it. Whether it is still good ``fresh`` tells."""
    if _TEXT.fullmatch(text) is None:
        return None
    raw = urlsafe_b64decode(text)
    head, mac = raw[: _FIELDS.size], raw[_FIELDS.size :]
    if not any(compare_digest(mac, _mac(key, head)) for key in keys if _key_id(key) == head[1]):
        return None
    version, _, level, issued, seen, name, agent, prefix = _FIELDS.unpack(head)
    return Pass(name.hex(), level, issued, seen, agent, prefix) if version == _VERSION else None


def fresh(given: Pass, now: float, life: float) -> bool:
    """Whether a pass was given out within the last ``life`` seconds, and not in a future that no clock explains."""
    return -_SKEW <= now - given.issued <= life


def short(text: str) -> bytes:
    """Four bytes that stand for a kind of browser or an address prefix inside a pass."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4, person=b"cg-pass-short").digest()


def named(name: bytes, cookies: bytes) -> list[bytes]:
    """The first few values of cookies ``name`` in a Cookie header (RFC 6265 §5.4) that could be passes."""
    if len(cookies) > _MOST_BYTES or name not in cookies:
        return []
    found = []
    for pair in cookies.split(b";"):
        key, equals, value = pair.partition(b"=")
        if equals and key.strip() == name and len(value := value.strip()) == LENGTH:
            found.append(value)
    return found[:_MOST]


def _key_id(key: bytes) -> int:
    return blake2b(key, digest_size=1, person=b"cg-pass-key").digest()[0]


def _mac(key: bytes, head: bytes) -> bytes:
    return blake2b(head, digest_size=_MAC, key=key, person=b"cg-pass").digest()
