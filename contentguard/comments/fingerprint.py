"""When two comments say the same: to the letter, and nearly.

Strategy: a comment that was sent before is found by looking keys up in a store, so whatever makes two texts alike must
make one of their keys equal. For the same text that is a hash of its words; for nearly the same one, MinHash (Broder
1997): twelve smallest hashes of its runs of three words, in four bands of three, so that texts which share nine tenths
of their runs meet in a band with a probability of 0.995, and those which share a fifth with one of 0.03. (SimHash would
need every near value to be asked for: two texts of fifty words that differ in one are some fifteen of 128 bits apart.)
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

from contentguard.comments.text import folded

SHORT = 6
"""Comments of fewer words say the same by chance."""
_BANDS, _ROWS, _RUN = 4, 3, 3
_MOST_WORDS = 1000
_WORD = re.compile(r"\w++")
_MASK = 2**64 - 1
_FACTORS = tuple(
    int.from_bytes(blake2b(bytes((n,)), digest_size=8, person=b"cg-comment-hash").digest(), "big") | 1
    for n in range(_BANDS * _ROWS)
)


@lru_cache(maxsize=1)
def words(text: str) -> tuple[str, ...]:
    """The words of a text, without case and punctuation. Kept, because a comment is asked for both its keys."""
    return tuple(_WORD.findall(folded(text)))


def exact(text: str) -> str:
    """A key that is the same for the same words in the same order; of a text without words, for the same text."""
    found = words(text)
    return _short(" ".join(found) if found else text.strip())


def near(text: str) -> tuple[str, ...]:
    """Keys of which one is most likely the same for nearly the same text; none for a short one."""
    found = words(text)[:_MOST_WORDS]
    if len(found) < SHORT:
        return ()
    runs = {" ".join(found[at : at + _RUN]) for at in range(len(found) - _RUN + 1)}
    hashes = [int.from_bytes(blake2b(run.encode("utf-8"), digest_size=8).digest(), "big") for run in runs]
    # The upper half only: a product's lower bits hardly depend on the factor.
    least = [min((one * factor & _MASK) >> 24 for one in hashes) for factor in _FACTORS]
    bands = (least[at : at + _ROWS] for at in range(0, len(least), _ROWS))
    return tuple(_short(f"{number} {band}") for number, band in enumerate(bands))


def _short(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=12, person=b"cg-comment-same").hexdigest()
