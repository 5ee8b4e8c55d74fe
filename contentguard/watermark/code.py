"""Each reader's code for an article: what is drawn for gaps and variants.

Strategy: a stream of bytes that nobody can foretell without the key (SHAKE-256, FIPS 202). Innocent readers' codes are
as good as drawn anew for every copy, which is what the bound on a false accusation rests on.
"""

from __future__ import annotations

from hashlib import shake_256

from contentguard.watermark.keys import Keys


def seed(keys: Keys, article: bytes, revision: bytes) -> bytes:
    """What all codes of one article in one revision begin with."""
    return b"".join((keys.code, len(article).to_bytes(4, "big"), article, len(revision).to_bytes(4, "big"), revision))


def stream(start: bytes, serial: int, size: int) -> bytes:
    """The first ``size`` bytes of a reader's code. ``start``: see ``seed``."""
    return shake_256(start + serial.to_bytes(5, "big")).digest(size)
