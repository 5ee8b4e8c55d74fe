"""What a governor has learned, as a small file: for the one that comes after it.

Strategy: only what was dearly learned is kept, as JSON that a person can read: what is normal, for all processes
together, what the well-read articles are called, and what share of strangers' views usual fingerprints have (numbers
that only the site's key makes). The file is the owner's, so it is believed; what it says is checked all the same, and
one that makes no sense is as none. Views count less the older the file is.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from contentguard.admission.treasury import Learned

_VERSION = 1
MOST = 1 << 20
"""Bytes of a file that is read."""
_MOST_HOT = 1024
_MOST_COUNT = 2**31
_MOST_SHARES = 64


def write(learned: Learned, share: float, now: float) -> bytes:
    """The file. ``share``: the process's part of all, from which its numbers are."""
    return json.dumps(
        {
            "version": _VERSION,
            "saved": now,
            "cold": None if learned.cold is None else learned.cold / share,
            "passes": None if learned.passes is None else learned.passes / share,
            "hot": learned.hot[:_MOST_HOT],
            "shares": learned.shares[:_MOST_SHARES],
        },
        indent=0,
    ).encode("ascii")


def read(data: bytes, share: float, now: float, half_life: float) -> Learned | None:
    """What a process with this ``share`` can start from; None where a file makes no sense."""
    try:
        said = json.loads(data[:MOST])
        if said["version"] != _VERSION:
            return None
        age = max(now - _number(said["saved"]), 0.0)
        left = 0.5 ** (age / half_life)
        hot = tuple((_name(name), int(_count(count) * left)) for name, count in said["hot"][:_MOST_HOT])
        shares = tuple((_count(tag, 2**64), _part(part)) for tag, part in said["shares"][:_MOST_SHARES])
        if sum(part for _, part in shares) > 1.0 + 1e-6:
            return None
        return Learned(_rate(said["cold"], share), _rate(said["passes"], share), hot, shares)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _rate(value: Any, share: float) -> float | None:
    return None if value is None else _positive(value) * share


def _positive(value: Any) -> float:
    number = _number(value)
    if not 0.0 < number < 1e9:
        raise ValueError(f"expected a rate, found {number}")
    return number


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"expected a number, found {value!r:.40}")
    return float(value)


def _part(value: Any) -> float:
    number = _number(value)
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"expected a part of one, found {number}")
    return number


def _count(value: Any, most: int = _MOST_COUNT) -> int:
    if type(value) is not int or not 0 <= value < most:
        raise ValueError(f"expected a count, found {value!r:.40}")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MOST_COUNT:
        raise ValueError(f"expected a name, found {value!r:.40}")
    return value
