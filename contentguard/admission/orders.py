"""What the site's operator tells a running server to do: signed by the site's own secret key, for a minute.

Strategy: whoever has the key is the operator, so there is no other password to keep. What is ordered stands in the MAC
with the time, so an order that somebody overhears is worth nothing for any other, nor for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from struct import Struct

from contentguard.sealed import seal, unseal

_BODY, _PURPOSE, _VERSION = Struct(">Q8s"), b"cg-order", 1
BELOW = "/.contentguard"
STATUS, REVOKE = "/status", "/revoke"
"""Where orders are taken, below that."""
SCHEME = "ContentGuard "
"""What an order begins with in the header Authorization (RFC 9110 §11.6.2)."""
LIFE = 60.0
"""Seconds for which an order holds, by clocks that may differ as much."""


def write(key: bytes, route: str, body: bytes, now: float, nonce: bytes) -> str:
    """An order for what is at ``route``, with ``body``. ``key``: 32 secret bytes for orders alone; ``nonce``: 8."""
    return seal(key, _PURPOSE, _VERSION, _BODY.pack(int(now * 1000), nonce), _about(route, body))


def holds(keys: Sequence[bytes], text: bytes, route: str, body: bytes, now: float) -> bool:
    """Whether one of ``keys`` wrote this order, for this, and not long ago."""
    found = unseal(keys, _PURPOSE, _VERSION, text, _about(route, body))
    if found is None or len(found) != _BODY.size:
        return False
    written, _ = _BODY.unpack(found)
    return bool(abs(now * 1000 - written) <= LIFE * 1000)


def _about(route: str, body: bytes) -> bytes:
    return sha256(body).digest() + route.encode("utf-8", "surrogatepass")
