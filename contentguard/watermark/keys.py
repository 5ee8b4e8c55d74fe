"""Keys of the marks: one set for each month, all derived from one secret.

Strategy: a set is named by its epoch, the number of its month; a frame carries the last five bits of it, so what was
marked within the last 32 months finds its keys by itself. Each key serves one purpose.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

EPOCHS = 32
"""Epochs that a frame can tell apart."""
_MONTH = 30 * 86_400
_START = 1_735_689_600
"""2025-01-01: epoch 0."""


class Keys(NamedTuple):
    """The keys of one epoch, 32 secret bytes each."""

    epoch: int
    token: bytes
    """Hides what a frame says."""
    tag: bytes
    """Binds it to its article."""
    code: bytes
    """Chooses gaps and variants."""


def epoch_at(now: float) -> int:
    """The epoch of a moment in seconds since the Unix epoch; the first one before 2025."""
    return max(0, int(now - _START) // _MONTH)


def epoch_start(epoch: int) -> float:
    """When an epoch begins, in seconds since the Unix epoch."""
    return float(_START + epoch * _MONTH)


def latest(short: int, epoch: int) -> int:
    """The last epoch up to ``epoch`` that ends in the five bits ``short``; may be negative, and then never was."""
    return epoch - (epoch - short) % EPOCHS


@lru_cache(maxsize=128)
def keys_of(secret: bytes, epoch: int) -> Keys:
    """The keys of an epoch. ``secret``: at least 16 bytes, for marks alone. ValueError where it is shorter."""
    if len(secret) < 16:
        raise ValueError(f"the secret of the marks needs at least 16 bytes, not {len(secret)}")
    root = blake2b(epoch.to_bytes(8, "big"), digest_size=32, key=blake2b(secret, person=b"cg-marks").digest()).digest()
    return Keys(
        epoch, *(blake2b(purpose, digest_size=32, key=root).digest() for purpose in (b"token", b"tag", b"code"))
    )
