"""Forgeries: tickets, passes, links and proofs changed in every way that needs no key, none of which may be accepted.

A forgery is a text that nobody signed. Some of what comes out of a mutation is no forgery but the genuine text again,
and of proofs, another right answer found by luck: who is to tell them apart shares nothing with the code under test.
Forgeries are made in blocks, each of which follows from the seed and its number alone.
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from random import Random
from typing import NamedTuple

from contentguard.admission import links, passes, proof, tickets
from contentguard.admission.difficulty import NO_WORK, STEPS, Algorithm, Difficulty
from contentguard.admission.grants import Tickets, offer

KEYS = (b"a" * 32, b"b" * 32)
STRANGE = b"c" * 32
NOW = 1_800_000_000.0
ARTICLE, ELSEWHERE = "/news/tide", "/news/ebb"
BLOCK = 1000
WORK = Difficulty(Algorithm.SHA256, 1, 16, 10)

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_STRAY = (b"=", b"==", b"\n", b" ", b"\0", b"+", b"/", b"%3D", b".", b",", b"\xc3\xa9", b"A", b"-", b"0", b"9", b"\xb2")
_COUNTER = (b"0", b"00", b"1", b"-1", b"122.5", b"1e3", b"4294967295", b"4294967296", b"99999999999", b"", b"+1", b" 1")


class Target(NamedTuple):
    """Something that is signed or worked for, and who reads it."""

    genuine: tuple[bytes, ...]
    """What is accepted."""
    strange: tuple[bytes, ...]
    """What was signed by another key, for another purpose or about another article, or solved for another ticket."""
    accepts: Callable[[bytes], bool]
    excused: Callable[[bytes], bool]
    """Whether a text that is not ``genuine`` is right all the same."""


class Finding(NamedTuple):
    """A forgery that was accepted, or one that broke its reader."""

    target: str
    text: bytes
    block: int
    error: str = ""


def hunt(seed: int, blocks: range, found: Mapping[str, Target], tally: Counter[str]) -> Iterator[Finding]:
    """Try ``BLOCK`` forgeries of each target for every number of a block; ``tally`` counts them, and what was right."""
    for block in blocks:
        dice = Random(f"{seed}:{block}")
        for name, target in found.items():
            for _ in range(BLOCK):
                text = forged(target, dice)
                finding = _tried(name, target, text, tally)
                if finding:
                    yield finding._replace(block=block)


def _tried(name: str, target: Target, text: bytes, tally: Counter[str]) -> Finding | None:
    tally[name] += 1
    try:
        accepted = target.accepts(text)
    except Exception as error:
        return Finding(name, text, 0, repr(error))
    if accepted and (text in target.genuine or target.excused(text)):
        tally[f"{name}, right"] += 1
        return None
    return Finding(name, text, 0) if accepted else None


def forged(target: Target, dice: Random) -> bytes:
    """One text, made of a genuine one in a few steps."""
    text = dice.choice(target.genuine)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        text = dice.choice(_MUTATIONS)(text, target, dice)
    return text


# -- what is forged --------------------------------------------------------------------------------------------


def targets(seed: int) -> dict[str, Target]:
    """All that can be forged."""
    dice = Random(f"tokens {seed}")
    rows = _tickets(dice), _passes(dice), _shared(dice), _gifts(dice)
    every = [text for genuine, strange, _ in rows for text in (*genuine, *strange)]
    found = {
        name: Target(
            genuine, (*strange, *(text for text in every if text not in genuine)), partial(_read, reader), _never
        )
        for name, (genuine, strange, reader) in zip(("ticket", "pass", "shared", "gift"), rows, strict=True)
    }
    return {**found, "proof": _proofs(found["ticket"].genuine)}


Row = tuple[tuple[bytes, ...], tuple[bytes, ...], Callable[[bytes], object]]
"""Genuine texts, texts by another key or about another article, and what reads them."""


def _never(_text: bytes) -> bool:
    return False


def _read(reader: Callable[[bytes], object], text: bytes) -> bool:
    return reader(text) is not None


def _ticket(dice: Random, key: bytes) -> bytes:
    asked = dice.choice((NO_WORK, *STEPS[Algorithm.PBKDF2], *STEPS[Algorithm.SCRYPT]))
    made = offer(
        NOW + dice.randrange(1000),
        dice.randbytes(8).hex(),
        asked,
        article=tickets.article_tag(key, ARTICLE),
        agent=dice.randbytes(4),
        prefix=dice.randbytes(4),
        path="/" + "news/" * dice.randrange(4) + "a" * dice.randrange(4),
        options=Tickets(),
    )
    return tickets.write(key, made).encode()


def _tickets(dice: Random) -> Row:
    genuine = tuple(_ticket(dice, key) for key in KEYS * 8)
    return genuine, tuple(_ticket(dice, STRANGE) for _ in range(8)), lambda text: tickets.read(KEYS, text)


def _passes(dice: Random) -> Row:
    def made(key: bytes) -> bytes:
        given = passes.Pass(dice.randbytes(8).hex(), dice.randrange(4), int(NOW), int(NOW), dice.randbytes(4))
        return passes.write(key, given).encode()

    genuine = tuple(made(key) for key in KEYS * 8)
    return genuine, tuple(made(STRANGE) for _ in range(8)), lambda text: passes.read(KEYS, text)


def _shared(dice: Random) -> Row:
    def made(key: bytes, article: str) -> bytes:
        net = dice.choice(("", "x", "mastodon", "facebook"))
        return links.share(key, links.Shared(dice.getrandbits(40), net, dice.getrandbits(16)), article).encode()

    genuine = tuple(made(key, ARTICLE) for key in KEYS * 8)
    strange = tuple(made(key, about) for key in (*KEYS, STRANGE) for about in (ELSEWHERE, ARTICLE[:-1]))
    return genuine, strange, lambda text: links.read_shared(KEYS, text, ARTICLE)


def _gifts(dice: Random) -> Row:
    def made(key: bytes, article: str) -> bytes:
        gift = links.Gift(dice.randbytes(8), dice.randbytes(8), int(NOW), 14, 10)
        return links.give(key, gift, article).encode()

    genuine = tuple(made(key, ARTICLE) for key in KEYS * 8)
    strange = tuple(made(key, about) for key in (*KEYS, STRANGE) for about in (ELSEWHERE, ARTICLE[:-1]))
    return genuine, strange, lambda text: links.read_gift(KEYS, text, ARTICLE)


def _proofs(of: Sequence[bytes]) -> Target:
    ticket, *others = of[:4]
    solved = [proof.solve(text, WORK).encode() for text in (ticket, *others)]
    return Target(
        (solved[0],), tuple(solved[1:]), lambda text: proof.verify(ticket, WORK, text, 0), partial(_solves, ticket)
    )


def _solves(ticket: bytes, text: bytes) -> bool:
    """Whether a proof is right, by the book."""
    parts = text.split(b".")
    numbers = [int(part) for part in parts if re.fullmatch(rb"[0-9]+", part)]
    if len(numbers) != WORK.puzzles or [str(n).encode() for n in numbers] != parts or max(numbers) >= 2**32:
        return False
    found = (
        sha256(ticket[:24] + b"cg-proof" + i.to_bytes(4, "big") + n.to_bytes(4, "big")).digest()
        for i, n in enumerate(numbers)
    )
    return all(int.from_bytes(one, "big") < 2 ** (256 - WORK.bits) for one in found)


# -- how -------------------------------------------------------------------------------------------------------


def _on_bytes(change: Callable[[bytes, Target, Random], bytes], text: bytes, target: Target, dice: Random) -> bytes:
    """The same change to what base64 stands for, written as base64 again."""
    return urlsafe_b64encode(change(_decoded(text), target, dice)).rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    kept = bytes(letter for letter in text if letter in _LETTERS)
    return urlsafe_b64decode(kept[: len(kept) - (len(kept) % 4 == 1)] + b"=" * (-len(kept) % 4 % 3))


def _flip(text: bytes, _target: Target, dice: Random) -> bytes:
    if not text:
        return text
    changed = bytearray(text)
    for _ in range(dice.choice((1, 1, 2, 5))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _letter(text: bytes, _target: Target, dice: Random) -> bytes:
    at = dice.randint(0, len(text))
    return text[:at] + bytes((dice.choice(_LETTERS),)) + text[at + 1 :]


def _truncate(text: bytes, _target: Target, dice: Random) -> bytes:
    at = dice.randint(0, len(text))
    return text[:at] if dice.random() < 0.5 else text[at:]


def _insert(text: bytes, _target: Target, dice: Random) -> bytes:
    at = dice.choice((0, len(text), dice.randint(0, len(text))))
    return text[:at] + dice.choice(_STRAY) + text[at:]


def _delete(text: bytes, _target: Target, dice: Random) -> bytes:
    at = dice.randint(0, len(text))
    return text[:at] + text[at + dice.choice((1, 1, 2, 4, 8)) :]


def _splice(text: bytes, target: Target, dice: Random) -> bytes:
    """The beginning of one and the end of another, mostly at the same place, so that whole fields change hands."""
    other = _other(target, dice)
    at = dice.choice((18, 24, dice.randint(0, len(text))))
    return text[:at] + other[at if dice.random() < 0.8 else dice.randint(0, len(other)) :]


def _field(text: bytes, target: Target, dice: Random) -> bytes:
    """Some bytes of another text, at their place."""
    other = _other(target, dice)
    at, width = dice.randint(0, len(text)), dice.choice((1, 2, 4, 8, 16))
    return text[:at] + other[at : at + width] + text[at + width :]


def _swap(text: bytes, target: Target, dice: Random) -> bytes:
    """Another text as a whole: of another key, purpose, article or ticket."""
    return dice.choice(target.strange)


def _respell(text: bytes, _target: Target, dice: Random) -> bytes:
    """Other spellings of the same bytes: padding, the other alphabet, spare bits, percent signs, case."""
    way = dice.randrange(5)
    if way == 0:
        return urlsafe_b64encode(_decoded(text))
    if way == 1:
        return b64encode(_decoded(text)).rstrip(b"=")
    if way == 2:
        return text[:-1] + bytes((dice.choice(_LETTERS),))
    if way == 3:
        at = dice.randint(0, len(text))
        return text[:at] + b"".join(b"%%%02X" % letter for letter in text[at : at + 1]) + text[at + 1 :]
    return text.swapcase()


def _counter(text: bytes, _target: Target, dice: Random) -> bytes:
    """A counter exchanged, moved or counted up."""
    parts = text.split(b".")
    at, other = dice.randrange(len(parts)), dice.randrange(len(parts))
    way = dice.randrange(3)
    if way == 0:
        parts[at] = dice.choice(_COUNTER)
    elif way == 1:
        parts[at], parts[other] = parts[other], parts[at]
    else:
        parts[at] = b"%d" % dice.getrandbits(dice.choice((4, 10, 31, 33)))
    return b".".join(parts)


def _other(target: Target, dice: Random) -> bytes:
    return dice.choice(target.genuine if dice.random() < 0.5 else target.strange)


def _spliced_bytes(raw: bytes, target: Target, dice: Random) -> bytes:
    other = _decoded(_other(target, dice))
    at = dice.choice((18, 19, 20, dice.randint(0, len(raw))))
    return raw[:at] + other[at:]


Mutation = Callable[[bytes, Target, Random], bytes]
_MUTATIONS: Sequence[Mutation] = (
    *(_flip, _letter, _truncate, _insert, _delete, _splice, _field, _swap, _respell, _counter),
    *(partial(_on_bytes, change) for change in (_flip, _flip, _truncate, _insert, _delete, _spliced_bytes)),
)
