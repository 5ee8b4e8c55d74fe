"""The ticket: a signed offer of a pass, to whoever does the work or waits the time that it names.

Everything that decides stands in the ticket, inside the MAC, so no record is kept of those who never come back and
nothing of what a client sends is believed: not the difficulty (Anubis CVE-2025-24369), not where to go afterwards
(GHSA-cf57-c578-7jvv). Widths are fixed and the one field that has none is led by its length, so there are no two ways
to read one ticket (ALTCHA CVE-2025-68113), and it has one spelling. It is good for one article, one kind of browser, a
short time, and once: its id is to be spent in a store, atomically, *before* a proof is verified. Otherwise wrong
answers could be tried again until only right ones are looked at.

Format: what ``sealed`` makes of these fields, 104 to 1,468 characters; numbers are big-endian::

    MAC(18) version(1)=1 key id(1)
    kind(1) level(1) algorithm(1) puzzles(1) bits(1) cost(2)
    id(8) not before(8) expires(8)                 times in milliseconds since the epoch
    article(16) agent(4) prefix(4)                 keyed hash of the article's name; ``passes.short`` of the others
    length(2) path(length)                         UTF-8, at most 1,024 bytes

The MAC's purpose is "cg-ticket". The first 24 characters of a ticket, its *seal*, are the challenge of its proof
(``proof``), so a script has no base64 to read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum, StrEnum
from hashlib import blake2b
from hmac import compare_digest
from struct import Struct
from typing import NamedTuple

from contentguard.admission.difficulty import NO_WORK, Algorithm, Difficulty, sound
from contentguard.sealed import seal, unseal

_FIELDS = Struct(">BBBBBH8sQQ16s4s4sH")
_PURPOSE, _VERSION = b"cg-ticket", 1
MOST_PATH = 1024
"""Bytes of a return path."""
_PATH = re.compile(r"/(?!/)[^\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*")
"""A path of this site: browsers read a backslash as a slash, and tabs and line ends not at all."""
_ID = re.compile(r"[0-9a-f]{16}")
WAITER = 1
"""The level of who only waited, and the lowest that a ticket grants."""


class Kind(IntEnum):
    """How a ticket is earned; the number stands in it."""

    PROOF = 1
    WAIT = 2


class Ticket(NamedTuple):
    """What a genuine ticket says."""

    kind: Kind
    level: int
    """The level of the pass that it grants, from 1."""
    difficulty: Difficulty
    """``NO_WORK`` for one that asks to wait."""
    id: str
    """16 hex digits, drawn by chance; what the store spends."""
    not_before: int
    """Milliseconds since the epoch."""
    expires: int
    """Milliseconds since the epoch."""
    article: bytes
    """``article_tag`` of what names the article."""
    agent: bytes
    """``passes.short`` of the kind of browser. Another kind may not use it."""
    prefix: bytes
    """``passes.short`` of the address prefix. Another one costs a level."""
    path: str
    """Where the reader goes on: path and query, as they are written in a URL of this site."""


class Trouble(StrEnum):
    """Why a genuine ticket is not good here and now."""

    LATE = "late"
    BROWSER = "other-browser"
    ARTICLE = "other-article"
    EARLY = "early"
    """The only one that passes by itself: all else is right."""


def write(key: bytes, ticket: Ticket) -> str:
    """A ticket as text. ``key``: 32 secret bytes for this purpose alone. ValueError when a field makes no sense."""
    fault = _fault(ticket)
    if fault:
        raise ValueError(f"a ticket with {fault}")
    asked, path = ticket.difficulty, ticket.path.encode("utf-8")
    fields = _FIELDS.pack(
        *(ticket.kind, ticket.level, asked.algorithm, asked.puzzles, asked.bits, asked.cost),
        *(bytes.fromhex(ticket.id), ticket.not_before, ticket.expires, ticket.article, ticket.agent, ticket.prefix),
        len(path),
    )
    return seal(key, _PURPOSE, _VERSION, fields + path)


def read(keys: Sequence[bytes], text: bytes) -> Ticket | None:
    """What a ticket says; None when none of ``keys`` wrote it. Whether it is good here and now ``check`` tells."""
    body = unseal(keys, _PURPOSE, _VERSION, text)
    return None if body is None or len(body) < _FIELDS.size else _parsed(body)


def _parsed(body: bytes) -> Ticket | None:
    """A ticket whose MAC is right, unless a fault of ours wrote what makes no sense."""
    fields = _FIELDS.unpack_from(body)
    kind, level, algorithm, puzzles, bits, cost, name, start, end, article, agent, prefix, length = fields
    try:
        asked, path = Difficulty(Algorithm(algorithm), cost, puzzles, bits), body[_FIELDS.size :].decode("utf-8")
        ticket = Ticket(Kind(kind), level, asked, name.hex(), start, end, article, agent, prefix, path)
    except ValueError:
        return None
    return ticket if length == len(body) - _FIELDS.size and not _fault(ticket) else None


def check(keys: Sequence[bytes], ticket: Ticket, now: float, agent: bytes, article: str | None) -> Trouble | None:
    """Why a ticket is not good at ``now`` (seconds since the epoch), for this browser and this article; None if it is.

    ``agent``: ``passes.short`` of the kind of browser; ``article``: None where it is for the caller to compare. No
    leeway: whoever comes early waits, and the store has to remember a spent id until ``expires`` and no longer.
    """
    if now * 1000.0 > ticket.expires:
        return Trouble.LATE
    if not compare_digest(agent, ticket.agent):
        return Trouble.BROWSER
    if article is not None and not any(compare_digest(article_tag(key, article), ticket.article) for key in keys):
        return Trouble.ARTICLE
    return Trouble.EARLY if now * 1000.0 < ticket.not_before else None


def moved(ticket: Ticket, prefix: bytes) -> bool:
    """Whether the ticket was given to another address prefix: readers move, and so do tickets that are passed on."""
    return not compare_digest(prefix, ticket.prefix)


def worth(ticket: Ticket, prefix: bytes) -> int:
    """The level that a ticket grants at this prefix: one less where it has ``moved``, but what a waiter gets."""
    return max(WAITER, ticket.level - 1) if moved(ticket, prefix) else ticket.level


def article_tag(key: bytes, name: str) -> bytes:
    """16 bytes that stand for an article inside a ticket. ``key``: the one that the ticket is written with."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16, key=key, person=b"cg-ticket-about").digest()


def is_own_path(path: str) -> bool:
    """Whether a browser sent to ``path`` stays on this site, and a ticket can hold it.

    As text of a URL, so it is not to be decoded any more (WHATWG URL §4.4: what the state machine of a browser makes
    of a backslash, of tabs and of a second slash).
    """
    return _PATH.fullmatch(path) is not None and len(path.encode("utf-8")) <= MOST_PATH


def _fault(ticket: Ticket) -> str:
    """What makes no sense about a ticket; empty where all does."""
    if not is_own_path(ticket.path):
        return f"a return path that is not one of this site: {ticket.path[:80]!r}"
    if not sound(ticket.difficulty) or (ticket.kind is Kind.WAIT) != (ticket.difficulty == NO_WORK):
        return f"work that makes no sense: {ticket.difficulty}"
    if not 0 <= ticket.not_before < ticket.expires < 2**64:
        return f"times that make no sense: {ticket.not_before} to {ticket.expires}"
    if not WAITER <= ticket.level <= 255:
        return f"a level of {ticket.level}"
    if _ID.fullmatch(ticket.id) is None:
        return f"an id that is not 16 hex digits: {ticket.id[:80]!r}"
    widths = len(ticket.article), len(ticket.agent), len(ticket.prefix)
    return "" if widths == (16, 4, 4) else f"fields of the wrong widths: {widths}"
