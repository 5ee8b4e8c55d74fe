"""What a frame says, hidden: whose copy of which article this is, in nine bytes that look like chance.

Strategy: a serial of 40 bits stands before a tag of 32 bits that binds it to the article, and both go through a keyed
permutation (a Feistel network of four rounds over two halves of 36 bits; Luby and Rackoff 1988). Nobody without the key
can tell two pages of one reader from those of two, and a frame that is moved to another article, or made up, has the
right tag once in four thousand million times.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from contentguard.watermark.keys import Keys

SERIALS = 1 << 40
RESERVED = 0xFF
"""The first byte of serials that are no pass's (see ``buckets``)."""
SIZE = 9
"""Bytes of a token."""
_TAGS = 1 << 32
_HALF = 36
_MASK = (1 << _HALF) - 1
_ROUNDS = 4


def serial_of(secret: bytes, name: str) -> int:
    """The serial of a pass or a visit, by its id: 40 bits that say nothing of it without the ``secret``."""
    told = int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5, key=secret).digest(), "big")
    return told ^ SERIALS >> 1 if told >> 32 == RESERVED else told


def write(keys: Keys, serial: int, article: bytes) -> bytes:
    """The token of a serial in ``article`` (what names it). ValueError for a serial of more than 40 bits."""
    if not 0 <= serial < SERIALS:
        raise ValueError(f"a serial has 40 bits, not {serial}")
    number = serial << 32 | _tag(keys, serial, article)
    left, right = number >> _HALF, number & _MASK
    for turn in range(_ROUNDS):
        left, right = right, left ^ _round(keys, turn, right)
    return (left << _HALF | right).to_bytes(SIZE, "big")


def read(keys: Keys, token: bytes) -> tuple[int, int]:
    """The serial and the tag in a token; whether they belong together ``belongs`` tells."""
    number = int.from_bytes(token, "big")
    left, right = number >> _HALF, number & _MASK
    for turn in reversed(range(_ROUNDS)):
        left, right = right ^ _round(keys, turn, left), left
    whole = left << _HALF | right
    return whole >> 32, whole & (_TAGS - 1)


def belongs(keys: Keys, serial: int, tag: int, article: bytes) -> bool:
    """Whether this is the tag of a serial in ``article``."""
    return _tag(keys, serial, article) == tag


def _tag(keys: Keys, serial: int, article: bytes) -> int:
    told = blake2b(serial.to_bytes(5, "big") + article, digest_size=4, key=keys.tag)
    return int.from_bytes(told.digest(), "big")


def _round(keys: Keys, turn: int, half: int) -> int:
    mixing = _keyed(keys.token, turn).copy()
    mixing.update(half.to_bytes(5, "big"))
    return int.from_bytes(mixing.digest(), "big") & _MASK


@lru_cache(maxsize=4 * 128)
def _keyed(key: bytes, turn: int) -> blake2b:
    """A round's hash before what is hashed: half of the work."""
    return blake2b(bytes((turn,)), digest_size=5, key=key)
