"""Buckets: a few copies of an article that shared caches may keep, and which of them a reader gets.

Strategy: which of some dozens of copies is a reader's is drawn anew for every article, by a keyed hash of both, so one
leaked copy says of a reader only that he is among one in so many, and each further article says as much again. A
bucket's copy is marked like a reader's, with a serial that no pass has.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

from contentguard.watermark.keys import Keys
from contentguard.watermark.score import COMPONENTS, uniform
from contentguard.watermark.token import RESERVED

LEAST, MOST = 16, 256
"""How many buckets an article may have."""


def bucket(keys: Keys, article: bytes, serial: int, number: int) -> int:
    """Which of ``number`` copies of an article a reader gets."""
    told = blake2b(serial.to_bytes(5, "big") + article, digest_size=8, key=keys.code, person=b"cg-buckets").digest()
    return int.from_bytes(told, "big") % number


def serial_of_bucket(article: bytes, which: int) -> int:
    """What the marks of a bucket's copy say. Two articles' buckets hardly ever have the same."""
    told = int.from_bytes(blake2b(article, digest_size=3, person=b"cg-buckets").digest(), "big")
    return RESERVED << 32 | told << 8 | which


def bucket_of(serial: int) -> int:
    """Which bucket a serial stands for; -1 where it is a pass's."""
    return serial & 255 if serial >> 32 == RESERVED else -1


def sums(number: int, same: bool) -> Sequence[float]:
    """What it says of a reader that a copy is of his bucket or of another, in bits, for each of the score's
    components."""
    return _tables(number)[not same]


@cache
def _tables(number: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    table = uniform(number)
    assert len(table) == len(COMPONENTS)
    return tuple(same for same, _ in table), tuple(other for _, other in table)
