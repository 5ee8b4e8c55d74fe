"""How much work a proof asks for: by suspicion and load, within what a slow phone does while its reader waits.

A proof is so many small puzzles, each of which takes 2^bits tries on average, every try one derivation of ``cost``
rounds. Many small puzzles instead of one big one keep the longest waits near the mean, and let a bar show progress.

=========  ====  =====  ====  ==========  ========  =====================  ========================
algorithm  cost  puzz.  bits  tries mean  p95/mean  desktop thread, mean   phone 7 times as slow, p95
=========  ====  =====  ====  ==========  ========  =====================  ========================
pbkdf2      500  16-64     5    512-2048  1.44-1.2  0.12-0.47 s            1.2-4.0 s
sha256        1  16-64    14   2^18-2^20  1.44-1.2  0.10-0.41 s            1.0-3.5 s
scrypt     1024    4-8     3       32-64  1.88-1.6  0.17-0.35 s            2.3-3.9 s
=========  ====  =====  ====  ==========  ========  =====================  ========================

Per try: 0.23 ms (WebCrypto in Chromium on a busy machine; 0.09 to 0.17 ms on an idle one), 0.39 µs (a tight loop in
JavaScript), 5.4 ms (WebAssembly, 1 MiB). That a slow phone takes 7 times as long is an estimate. A native solver is 9,
15 and 1.7 times as fast, so work alone prices nobody out: the right end of each row is the most that is ever asked,
whatever the suspicion, and load adds two steps at most. A crowd that makes us slow must not make readers slow.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple


class Algorithm(IntEnum):
    """What one try computes; the number stands in tickets."""

    NONE = 0
    """Nothing: the ticket asks to wait."""
    PBKDF2 = 1
    """PBKDF2-HMAC-SHA256 (RFC 8018 §5.2), which every browser has natively in a secure context."""
    SHA256 = 2
    """Plain SHA-256, for pages without WebCrypto (http)."""
    SCRYPT = 3
    """scrypt (RFC 7914) with 1 MiB, for times of attack: dear to verify as well."""


class Difficulty(NamedTuple):
    """The work that a ticket asks for."""

    algorithm: Algorithm = Algorithm.NONE
    cost: int = 0
    """PBKDF2: iterations. scrypt: N, with r = 8 and p = 1. SHA-256: 1."""
    puzzles: int = 0
    """How many; each has an answer of its own."""
    bits: int = 0
    """Leading zero bits asked of each."""


NO_WORK = Difficulty()
MOST_PUZZLES = 64
MOST_BITS = 24
"""Counters have 32 bits, so even then a puzzle has no answer only once in e^256."""
_COSTS: Mapping[Algorithm, tuple[int, int]] = MappingProxyType(
    {Algorithm.PBKDF2: (1, 5000), Algorithm.SHA256: (1, 1), Algorithm.SCRYPT: (1024, 1024)}
)


def sound(asked: Difficulty) -> bool:
    """Whether these numbers make sense together and are cheap enough to be verified."""
    if asked.algorithm not in _COSTS:
        return asked == NO_WORK
    least, most = _COSTS[asked.algorithm]
    return least <= asked.cost <= most and 1 <= asked.puzzles <= MOST_PUZZLES and 1 <= asked.bits <= MOST_BITS


def _steps(algorithm: Algorithm, cost: int, bits: int, counts: Sequence[int]) -> tuple[Difficulty, ...]:
    return tuple(Difficulty(algorithm, cost, count, bits) for count in counts)


STEPS: Mapping[Algorithm, tuple[Difficulty, ...]] = MappingProxyType(
    {
        Algorithm.PBKDF2: _steps(Algorithm.PBKDF2, 500, 5, (16, 24, 32, 48, 64)),
        Algorithm.SHA256: _steps(Algorithm.SHA256, 1, 14, (16, 24, 32, 48, 64)),
        Algorithm.SCRYPT: _steps(Algorithm.SCRYPT, 1024, 3, (4, 5, 6, 7, 8)),
    }
)
"""The easiest first; the last is the phone's budget."""
_SUSPICION = (1.0, 3.0, 5.0)
"""Scores in nats from which on one step more is asked: the thresholds "suspicious", "lead-only" and "wait"."""


def difficulty(suspicion: float, pressure: int = 0, algorithm: Algorithm = Algorithm.PBKDF2) -> Difficulty:
    """What to ask of a client with this score (nats) while the site is under ``pressure`` (``Pressure.step``).

    KeyError for ``Algorithm.NONE``.
    """
    steps = STEPS[algorithm]
    step = bisect_right(_SUSPICION, suspicion) + max(0, min(pressure, _MOST_PRESSURE))
    return steps[min(step, len(steps) - 1)]


class Pressure(NamedTuple):
    """How hard-pressed the site has been of late; what ``pressed`` makes of one it makes the next of."""

    step: int = 0
    """0 to 2."""
    since: float = 0.0
    """When the step last changed; seconds on the caller's clock."""


_MOST_PRESSURE = 2
_HIGH, _LOW = 0.9, 0.6
_RISE, _FALL = 10.0, 60.0
"""Seconds between two changes: up quickly, down slowly."""


def pressed(before: Pressure, load: float, now: float) -> Pressure:
    """The pressure after another look at the load (1: all that the site can do), at ``now`` seconds.

    Hysteresis: between the two marks nothing changes, and no step is left right after it was taken, so a load that
    swings, or is swung by somebody, does not carry the difficulty along.
    """
    stayed = now - before.since
    if stayed < 0.0:
        return before._replace(since=now)  # the clock jumped back
    if load >= _HIGH and before.step < _MOST_PRESSURE and stayed >= _RISE:
        return Pressure(before.step + 1, now)
    if load <= _LOW and before.step > 0 and stayed >= _FALL:
        return Pressure(before.step - 1, now)
    return before
