"""``python -m tests.benchmarks.innocents``: the bits of readers who never had the copy, a thousand million times.

Strategy: each reader's marks are drawn once and held against many suspect texts, each of them another reader's copy,
whole or in part, cleaned or mixed from two. What a score depends on is how many slots of each kind agree, and that is
counted for thousands of readers at once by numpy, which only this needs: ``pip install numpy``. The work comes in
numbered pieces that are the same on every machine; what is done is kept in a file after each, so that a run can be
ended at any time and goes on there.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import shake_256
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from contentguard.watermark.code import seed
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.gaps import BYTES_EACH
from contentguard.watermark.keys import keys_of
from contentguard.watermark.observed import Observed, observe
from contentguard.watermark.score import COMPONENTS, FORMAT, SELECTOR, averaged, form_bits
from contentguard.watermark.token import SIZE, write
from tests.benchmarks.measure import progress
from tests.watermark.articles import article, read

READERS = 8192
"""Of one piece; each is held against every suspect text of its article."""
ARTICLES = 20
KEYS = keys_of(b"a secret of the marks", 23)
ENOUGH = 39.87
"""Bits by which one reader among a million is named."""


def _cut(text: str, words: int, drawn: random.Random) -> str:
    every = text.split()
    first = drawn.randrange(max(1, len(every) - words))
    return " ".join(every[first : first + words])


def _without(*categories: str) -> Callable[[str], str]:
    return lambda text: "".join(one for one in text if unicodedata.category(one) not in categories)


LENGTHS = (10_000, 150, 60, 20, 8)
"""Words of a suspect text: all, and some."""
CLEANED: Sequence[Callable[[str], str]] = (
    str,
    _without("Cf"),
    _without("Mn"),
    lambda text: text.encode("ascii", "ignore").decode().lower(),
)


class Kind(NamedTuple):
    """Slots that say equally much."""

    table: Sequence[tuple[float, float]]
    wanted: list[tuple[int, int, int, int]]
    """Byte of the code, mask, and from where to where it agrees."""


class Suspect:
    """A text beside its article, ready to have readers counted against it."""

    def __init__(self, made: Compiled, seen: Observed, odds: bytes) -> None:
        first = BYTES_EACH * made.gaps
        # Of a frame nothing is looked at behind its token, which stands behind the code.
        framed = [(made.size + place - 1, 255, byte, byte) for place, byte in seen.symbols]
        kinds = {
            "selector": Kind(
                SELECTOR, framed + [(BYTES_EACH * place, 255, byte, byte) for place, byte in seen.bytes_at]
            ),
            "format": Kind(FORMAT, [(BYTES_EACH * place + 1, 3, two, two) for place, two in seen.bits_at]),
        }
        for number, which in seen.chosen:
            odd = odds[number]
            agrees = (0, odd - 1) if which else (odd, 255)
            kind = kinds.setdefault(f"{odd} {which}", Kind(form_bits(odd, which), []))
            kind.wanted.append((first + number, 255, *agrees))
        self.kinds = [kind for kind in kinds.values() if kind.wanted]
        self._known: dict[int, float] = {}

    def bits(self, key: int) -> float:
        """What so many agreements say. ``key``: the numbers of them, one kind after the other."""
        if key not in self._known:
            sums, rest = [0.0] * len(COMPONENTS), key
            for kind in reversed(self.kinds):
                slots = len(kind.wanted)
                rest, agree = divmod(rest, slots + 1)
                for number, (same, other) in enumerate(kind.table):
                    sums[number] += agree * same + (slots - agree) * other
            self._known[key] = averaged(sums)
        return self._known[key]

    def scored(self, numpy: Any, codes: Any) -> Iterator[tuple[float, int]]:
        """Bits, and how many readers have them. ``codes``: a row for each byte, a column for each reader."""
        keys = numpy.zeros(codes.shape[1], numpy.int64)
        for kind in self.kinds:
            agree = numpy.zeros(codes.shape[1], numpy.int64)
            for at, mask, least, most in kind.wanted:
                row = codes[at] if mask == 255 else codes[at] & mask
                agree += (row == least) if least == most else (row >= least) & (row <= most)
            keys *= len(kind.wanted) + 1
            keys += agree
        found, times = numpy.unique(keys, return_counts=True)
        for key, number in zip(found.tolist(), times.tolist(), strict=True):
            yield self.bits(key), number


class Subject:
    """One article and suspect texts of it."""

    def __init__(self, number: int, chosen: int) -> None:
        """``chosen``: another number, another set of suspects."""
        collusion = 4 if number % 2 else 2
        paragraphs = article(number, wording=(0, 20, 60)[number % 3])
        self.name = f"/news/{number}".encode()
        self.made = Compiled(paragraphs, Channels(collusion=collusion))
        self.start = seed(KEYS, self.name, self.made.revision)
        self.odds = self.made.odds(self.start)
        drawn = random.Random(f"{chosen} {number}")
        self.texts = [cleaned(_cut(self._copied(drawn, mixed), words, drawn)) for words, cleaned, mixed in _KINDS]
        self.suspects = [Suspect(self.made, observe(self.made, text), self.odds) for text in self.texts]

    def _copied(self, drawn: random.Random, mixed: bool) -> str:
        # No innocent has so high a number.
        copies = [self.made.marks(KEYS, self.name, drawn.randrange(2**39, 2**40)) for _ in range(1 + mixed)]
        marks = [drawn.choice(both).decode() for both in zip(*copies, strict=True)]
        return read(self.made.filled(marks), [list(one) for one in self.made.paragraphs])

    def codes(self, serials: range) -> bytes:
        """The codes of some readers with their tokens, one after the other."""
        drawn = shake_256(self.start)
        made: list[bytes] = []
        for serial in serials:
            state = drawn.copy()
            state.update(serial.to_bytes(5, "big"))
            made += (state.digest(self.made.size), write(KEYS, serial, self.name))
        return b"".join(made)


_KINDS = list(product(LENGTHS, CLEANED, (False, True)))


@dataclass
class Done:
    """What is done, and what came of it."""

    seed: int
    pieces: int = 0
    scores: int = 0
    most: float = 0.0
    reached: dict[str, int] = field(default_factory=dict)
    """Bits → scores with as many or more."""

    @classmethod
    def loaded(cls, file: Path, chosen: int) -> Done:
        """From a file. ValueError where that is of another seed."""
        if not file.exists():
            return cls(chosen)
        done = cls(**json.loads(file.read_text()))
        if done.seed != chosen:
            raise ValueError(f"{file} holds a run with the seed {done.seed}, not {chosen}")
        return done

    def save(self, file: Path) -> None:
        """To a file, which is never half written."""
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(self)))
        new.replace(file)

    def piece(self, numpy: Any, subject: Subject) -> None:
        """The next piece: readers that no other piece has."""
        serials = range(self.pieces * READERS, (self.pieces + 1) * READERS)
        codes = numpy.frombuffer(subject.codes(serials), numpy.uint8).reshape(READERS, subject.made.size + SIZE)
        codes = numpy.ascontiguousarray(codes.T)
        reached: Counter[int] = Counter()
        for suspect in subject.suspects:
            for bits, number in suspect.scored(numpy, codes):
                self.scores += number
                self.most = max(self.most, bits)
                reached.update(dict.fromkeys(range(5, int(bits) + 1), number))
        for k, number in reached.items():
            self.reached[str(k)] = self.reached.get(str(k), 0) + number
        self.pieces += 1


def told(done: Done) -> str:
    """A table, and whether the bound holds."""
    lines = [f"{done.scores:,} innocent scores in {done.pieces:,} pieces, seed {done.seed}; most: {done.most:.2f} bits"]
    for k in range(5, 41):
        reached, most = done.reached.get(str(k), 0), 2.0**-k * done.scores
        if reached or k <= 25:
            lines.append(f"bits >= {k:2}: {reached:12,}  bound {most:16,.1f}  {'' if reached <= most else 'BROKEN'}")
    return "\n".join(line.rstrip() for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit status 1 where the bound does not hold, 2 without numpy or for a file of another seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.innocents", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=float, default=1e9, help="scores in all, with those of earlier runs (1e9)")
    parser.add_argument("--file", type=Path, default=Path("innocents.json"), help="where it goes on")
    chosen = parser.parse_args(arguments)
    try:
        numpy = import_module("numpy")
        done = Done.loaded(chosen.file, chosen.seed)
    except (ImportError, ValueError) as error:
        print(f"{error}; numpy is needed: pip install numpy" if isinstance(error, ImportError) else error)
        return 2
    subjects: dict[int, Subject] = {}
    while done.scores < chosen.count:
        number = done.pieces % ARTICLES
        subject = subjects.get(number) or subjects.setdefault(number, Subject(number, chosen.seed))
        done.piece(numpy, subject)
        done.save(chosen.file)
        if done.pieces % 100 == 0:
            progress(f"{done.scores:,} scores; most: {done.most:.2f} bits")
    print(told(done))
    return int(any(number > 2.0 ** -int(k) * done.scores for k, number in done.reached.items() if int(k) <= 25))


if __name__ == "__main__":
    sys.exit(main())
