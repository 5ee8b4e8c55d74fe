"""Frames: a reader's token after a sentence, readable without knowing the article.

Strategy: 16 variation selectors in a run, one for each byte of a Reed-Solomon word: a header (version and epoch) and a
token. They are of Unicode's category Mn, which every extractor keeps that does not reduce text to ASCII; they have no
width and no line may break at them. All frames of one copy are the same, so damaged ones are put together by a vote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from contentguard.watermark.keys import EPOCHS
from contentguard.watermark.reedsolomon import DATA, LENGTH, decode, encode

VERSION = 1
MARKS = tuple(chr(0xFE00 + byte) if byte < 16 else chr(0xE0100 + byte - 16) for byte in range(256))
"""A byte as a variation selector: VS1 to VS256."""
BYTES = {mark: byte for byte, mark in enumerate(MARKS)}


def written(marks: str) -> tuple[bytes, bytes]:
    """Marks as numeric references, which stand in every charset, and as UTF-8."""
    return marks.encode("ascii", "xmlcharrefreplace"), marks.encode()


_ENCODED = tuple(map(written, MARKS))
_RUN = re.compile(f"[{MARKS[0]}-{MARKS[15]}{MARKS[16]}-{MARKS[255]}]{{2,}}")
_MOST_RUNS = 2048
"""Different runs of one text that are looked at."""
_MANIFEST = re.compile(f"\ufeff[{MARKS[0]}-{MARKS[15]}{MARKS[16]}-{MARKS[255]}]")


def frame(epoch: int, token: bytes) -> str:
    """The run that stands in the text."""
    return "".join(map(MARKS.__getitem__, word(epoch, token)))


def encoded(epoch: int, token: bytes, *, wide: bool = True) -> bytes:
    """The same, as UTF-8, or as numeric references where the page is not ``wide``."""
    return b"".join([_ENCODED[byte][wide] for byte in word(epoch, token)])


def payloads(text: str) -> Iterator[tuple[int, bytes]]:
    """Last five bits of the epoch, and token, of the frames in a text: the likeliest first. No key is needed for this,
    and no more than that is said by it: whether they are genuine, ``token.belongs`` tells."""
    runs = Counter(found[0] for found in _RUN.finditer(text)).most_common(_MOST_RUNS)
    seen: set[bytes] = set()
    for marks in (*_alone(runs), *_together(runs)):
        data = decode(marks)
        if data is not None and data not in seen and data[0] >> 5 == VERSION:
            seen.add(data)
            yield data[0] % EPOCHS, data[1:]


def symbols(text: str) -> tuple[tuple[int, int], ...]:
    """Place and byte of what the runs of full length have in most of their copies, less the header, which is the same
    in all: at most nine, since of a Reed-Solomon word with a known header no more are independent (it is MDS)."""
    runs = Counter(found[0] for found in _RUN.finditer(text) if len(found[0]) == LENGTH).most_common(_MOST_RUNS)
    votes = _votes(runs)
    return tuple((place, vote.most_common(1)[0][0]) for place, vote in enumerate(votes) if place and vote)[: DATA - 1]


def word(epoch: int, token: bytes) -> bytes:
    """The 16 bytes of a frame."""
    return encode(bytes((VERSION << 5 | epoch % EPOCHS,)) + token)


def carries_manifest(text: str) -> bool:
    """Whether a text carries a C2PA manifest in its own variation selectors, which ours would destroy (C2PA 2.3,
    A.8)."""
    return "\ufeff" in text and _MANIFEST.search(text) is not None


Word = list[int | None]


def _alone(runs: Iterable[tuple[str, int]]) -> Iterator[Word]:
    """Runs that can be read by themselves: whole, or cut off at the copy's beginning or end."""
    for run, _ in runs:
        marks: Word = [BYTES[mark] for mark in run[: 2 * LENGTH]]
        if len(marks) == LENGTH:
            yield marks
        elif DATA <= len(marks) < LENGTH:
            lost: Word = [None] * (LENGTH - len(marks))
            yield marks + lost
            yield lost + marks
        elif len(marks) > LENGTH:
            # Something else of the kind stood beside it.
            yield marks[:LENGTH]
            yield marks[-LENGTH:]


def _together(runs: Iterable[tuple[str, int]]) -> Iterator[Word]:
    """What damaged runs of full length say when each place is put to the vote."""
    votes = _votes(runs)
    if all(votes):
        yield [vote.most_common(1)[0][0] for vote in votes]


def _votes(runs: Iterable[tuple[str, int]]) -> list[Counter[int]]:
    """For each place the bytes that runs of full length have there."""
    votes: list[Counter[int]] = [Counter() for _ in range(LENGTH)]
    for run, times in runs:
        if len(run) == LENGTH:
            for vote, mark in zip(votes, run, strict=True):
                vote[BYTES[mark]] += times
    return votes
