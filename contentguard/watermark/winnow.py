"""Copies without a mark: which article a text was taken from, and which passages.

Strategy: winnowing (Schleimer, Wilkerson and Aiken 2003). Of the hashes of every five consecutive words the least one
in each window of four is kept, so any eight words that two texts share give them a fingerprint in common; the hash is
keyed, so nobody can aim at one. Fingerprints that few articles have name candidates, and laying the words side by side
decides: stock phrases are common to many texts, eight words in a row or a twentieth of all are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from contentguard.watermark.observed import Passage

SHINGLE = 5
"""Words that are hashed together."""
WINDOW = 4
"""Shingles of which one is kept."""
RARE = 3
"""A fingerprint that more articles have is a stock phrase and says nothing."""
_HITS = 2
_RUN = 8
_SHARE = 0.05
_LEAST = 12
"""Words that a share is counted from: a phrase alone is much of a short text."""


class Overlap(NamedTuple):
    """What a text has of an article."""

    passages: tuple[Passage, ...]
    """Stretches of ``SHINGLE`` words or more, in the order of the text."""
    words: int
    """Words of the text that are in them."""
    of_article: float
    """Share of the article's words that are in them."""
    of_text: float
    """Share of the text's words."""

    @property
    def copied(self) -> bool:
        """Whether this is a copy, in the sense of this file's strategy."""
        longest = max((passage.length for passage in self.passages), default=0)
        much = self.words >= _LEAST and max(self.of_article, self.of_text) >= _SHARE
        return longest >= _RUN or much


def fingerprints(words: Sequence[str], key: bytes) -> set[int]:
    """The fingerprints of a text, 64 bits each and signed as databases want them. ``words``: see ``Word.plain``;
    ``key``: 16 to 64 secret bytes."""
    hashes = _hashes(words, key)
    return {min(hashes[start : start + WINDOW]) for start in range(max(1, len(hashes) - WINDOW + 1)) if hashes}


def _hashes(words: Sequence[str], key: bytes) -> list[int]:
    empty = blake2b(digest_size=8, key=key)
    found = []
    for start in range(len(words) - SHINGLE + 1):
        state = empty.copy()
        state.update(" ".join(words[start : start + SHINGLE]).encode("utf-8", "surrogatepass"))
        found.append(int.from_bytes(state.digest(), "big", signed=True))
    return found


def candidates(owners: Mapping[int, Iterable[str]], prints: int, most: int = 20) -> list[str]:
    """The articles a text may come from, the likeliest first. ``owners``: for each of its fingerprints that is known
    the articles that have it; ``prints``: how many fingerprints the text has."""
    hits: Counter[str] = Counter()
    for known in owners.values():
        articles = set(known)
        if len(articles) <= RARE:
            hits.update(articles)
    # Nine words have only one or two fingerprints.
    least = min(_HITS, max(1, prints - 1))
    return [article for article, count in hits.most_common(most) if count >= least]


def overlap(article: Sequence[str], text: Sequence[str]) -> Overlap:
    """Lay the words of a text beside those of an article: linear in both, whatever order they come in."""
    found = tuple(_runs(article, text))
    covered = {place for run in found for place in range(run.article, run.article + run.length)}
    copied = sum(run.length for run in found)
    return Overlap(found, copied, len(covered) / max(1, len(article)), copied / max(1, len(text)))


def _runs(article: Sequence[str], text: Sequence[str]) -> Iterator[Passage]:
    """Runs of words that both have, none of which overlaps another in the text."""
    places: dict[tuple[str, ...], int] = {}
    for start in range(len(article) - SHINGLE + 1):
        places.setdefault(tuple(article[start : start + SHINGLE]), start)
    at = 0
    while at <= len(text) - SHINGLE:
        start = places.get(tuple(text[at : at + SHINGLE]), -1)
        if start < 0:
            at += 1
            continue
        length = SHINGLE
        while (
            at + length < len(text) and start + length < len(article) and text[at + length] == article[start + length]
        ):
            length += 1
        yield Passage(at, start, length)
        at += length
