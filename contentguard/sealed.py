"""What we sign and read back ourselves: a body of bytes behind its MAC, as text with one spelling.

Strategy: the MAC is verified before anything is parsed, and covers the body with its length, so that what a text is
about (an article that the text itself does not hold) can stand behind it in the MAC alone. The purpose is part of the
MAC too: what was sealed for one is void for every other, even under the same key.

Format, as URL-safe base64 without ``=`` (RFC 4648 §5)::

    MAC(18) version(1) key id(1) ...

MAC: keyed BLAKE2b (RFC 7693), the purpose as its ``person``, of length(2, big-endian), what follows the MAC, and what
it is about. The first 24 characters, the *seal*, are the MAC alone: they name the text, and nobody can choose them.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from hmac import compare_digest

_MAC = 18
SEAL = 24
"""Characters of the MAC at the beginning."""
LONGEST = 1468
"""Characters of the longest text that is read."""
_TEXT = re.compile(rb"[A-Za-z0-9_-]{28,1468}")


def seal(key: bytes, purpose: bytes, version: int, body: bytes, about: bytes = b"") -> str:
    """The text of a body. ``key``: 32 secret bytes; ``purpose``: at most 16 bytes."""
    signed = bytes((version, _key_id(key))) + body
    return urlsafe_b64encode(_mac(key, purpose, signed, about) + signed).rstrip(b"=").decode("ascii")


def unseal(keys: Sequence[bytes], purpose: bytes, version: int, text: bytes, about: bytes = b"") -> bytes | None:
    """The body of a text that one of ``keys`` sealed for this purpose, as this version and about this; else None."""
    if _TEXT.fullmatch(text) is None or len(text) % 4 == 1:
        return None
    raw = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    mac, signed = raw[:_MAC], raw[_MAC:]
    if not any(compare_digest(mac, _mac(key, purpose, signed, about)) for key in keys if _key_id(key) == signed[1]):
        return None
    # base64 has several spellings of one value: the last character may hold bits that stand for nothing.
    if urlsafe_b64encode(raw).rstrip(b"=") != text or signed[0] != version:
        return None
    return signed[2:]


def _key_id(key: bytes) -> int:
    return blake2b(key, digest_size=1, person=b"cg-sealed-key").digest()[0]


def _mac(key: bytes, purpose: bytes, signed: bytes, about: bytes) -> bytes:
    text = len(signed).to_bytes(2, "big") + signed + about
    return blake2b(text, digest_size=_MAC, key=key, person=purpose).digest()
