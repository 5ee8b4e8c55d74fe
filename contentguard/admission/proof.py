"""The proof: answers to the small puzzles of a ticket, found by a browser while its reader reads.

Wire format. A ticket's *seal* is its first 24 characters, as ASCII. Puzzle ``i`` (from 0) is answered by the smallest
counter ``n`` ≥ 0 for which ``f(seal, salt)`` begins with ``bits`` zero bits (the first bit is the highest of the first
byte)::

    salt     = "cg-proof"(8, ASCII) i(4, big-endian) n(4, big-endian)
    pbkdf2   f = PBKDF2-HMAC-SHA256(password=seal, salt, iterations=cost), 32 bytes
    sha256   f = SHA-256(seal ‖ salt), one block
    scrypt   f = scrypt(password=seal, salt, N=cost, r=8, p=1), 32 bytes

The password stays the same, so a browser imports one key and each try is one ``deriveBits`` of 256 bits; ``bits`` ≤ 24,
so ``view.getUint32(0) >>> (32 - bits) === 0`` tells. The seal covers all of the ticket: work on one is worth nothing
for another, and none can be done before it is given out.

The proof is the counters of all puzzles in their order, each below 2^32 and in decimal digits without sign or leading
zero (``0|[1-9][0-9]{0,9}``), joined by ".". A counter that works but is not the smallest is as good: it costs more to
find.

Hashes are verified all. Of key derivations, which cost us as much per puzzle as a try costs the client, a few are
picked by fresh chance. Who has solved the share s of the puzzles and guesses the others has done p = s + (1 - s) /
2^bits, and passes with a chance of at most p^k where k are picked. With three, half the work passes one time in seven,
and since the ticket is spent by then, a pass got so costs more than three times the honest work. That holds only if
the chance is drawn after the answers came, and if the ticket is spent before they are verified.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import pbkdf2_hmac, scrypt, sha256
from itertools import count
from struct import Struct
from types import MappingProxyType

from contentguard.admission.difficulty import MOST_PUZZLES, Algorithm, Difficulty, sound
from contentguard.sealed import SEAL

_SALT = Struct(">8sII")
_LABEL = b"cg-proof"
_COUNTERS = 2**32
LENGTH = MOST_PUZZLES * 11
"""No proof has as many bytes."""
_TEXT = re.compile(rb"(?:0|[1-9][0-9]{0,9}+)(?:\.(?:0|[1-9][0-9]{0,9}+))*+")
_SCRYPT_MEMORY = 2 * 2**20
"""What OpenSSL may take: the 1 MiB and a little."""

Function = Callable[[bytes, bytes, int], bytes]
"""(seal, salt, cost) → at least four bytes."""

_FUNCTIONS: Mapping[Algorithm, Function] = MappingProxyType(
    {
        Algorithm.PBKDF2: lambda seal, salt, cost: pbkdf2_hmac("sha256", seal, salt, cost, 32),
        Algorithm.SHA256: lambda seal, salt, _cost: sha256(seal + salt).digest(),
        Algorithm.SCRYPT: lambda seal, salt, cost: scrypt(
            seal, salt=salt, n=cost, r=8, p=1, maxmem=_SCRYPT_MEMORY, dklen=32
        ),
    }
)
CHECKED: Mapping[Algorithm, int] = MappingProxyType(
    {Algorithm.PBKDF2: 3, Algorithm.SHA256: MOST_PUZZLES, Algorithm.SCRYPT: 4}
)
"""How many answers are verified, where there are that many."""


def verify(ticket: bytes, asked: Difficulty, answers: bytes, chance: int) -> bool:
    """Whether ``answers`` are a proof for a ticket that was read and checked, and whose id has just been spent.

    ``asked``: what the ticket itself says, never what a client does. ``chance``: at least 64 random bits drawn for
    this call. Costs at most ``CHECKED`` derivations, one for most forgeries: 0.1 to 0.2 ms each by default, 3 ms
    with scrypt, which belongs in a thread (the derivations let others run).
    """
    counters = read(answers, asked)
    if counters is None:
        return False
    return all(solves(ticket, asked, index, counters[index]) for index in picked(asked, chance))


def read(answers: bytes, asked: Difficulty) -> tuple[int, ...] | None:
    """The counters of a proof; None when its text is not that of one for this work."""
    if len(answers) >= LENGTH or asked.algorithm is Algorithm.NONE or not sound(asked):
        return None
    # Anubis' scripts sent fractions to its parser (#1248). Here a point parts two counters, and the count decides.
    if answers.count(b".") != asked.puzzles - 1 or _TEXT.fullmatch(answers) is None:
        return None
    counters = tuple(map(int, answers.split(b".")))
    return counters if max(counters) < _COUNTERS else None


def picked(asked: Difficulty, chance: int) -> Iterator[int]:
    """The puzzles that ``chance`` picks to be verified: each choice is as likely as any other."""
    left = [*range(asked.puzzles)]
    for _ in range(min(asked.puzzles, CHECKED[asked.algorithm])):
        chance, at = divmod(chance, len(left))
        yield left.pop(at)


def solves(ticket: bytes, asked: Difficulty, index: int, counter: int) -> bool:
    """Whether ``counter`` answers puzzle ``index`` of a ticket: one try. KeyError for ``Algorithm.NONE``."""
    found = _FUNCTIONS[asked.algorithm](ticket[:SEAL], _SALT.pack(_LABEL, index, counter), asked.cost)
    return int.from_bytes(found[:4], "big") >> (32 - asked.bits) == 0


def solve(ticket: bytes, asked: Difficulty) -> str:
    """The proof that a browser finds, slowly: for tests and benchmarks. KeyError for ``Algorithm.NONE``."""
    return ".".join(str(_smallest(ticket, asked, index)) for index in range(asked.puzzles))


def _smallest(ticket: bytes, asked: Difficulty, index: int) -> int:
    return next(counter for counter in count() if solves(ticket, asked, index, counter))
