"""Generated articles that, like real ones, share stock phrases with each other."""

from __future__ import annotations

import random


def _vocabulary() -> tuple[list[str], list[float], list[list[str]]]:
    rng = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(rng.choice(letters) for _ in range(rng.randint(2, 9))) for _ in range(8000)]
    weights = [1.0 / (rank + 3) for rank in range(len(words))]
    phrases = [rng.choices(words, weights, k=rng.randint(3, 6)) for _ in range(400)]
    return words, weights, phrases


_WORDS, _WEIGHTS, _PHRASES = _vocabulary()


def documents(number: int, rng: random.Random) -> list[list[str]]:
    """So many articles of 200 to 500 words, a tenth of them in phrases that all share."""
    return [_document(rng) for _ in range(number)]


def _document(rng: random.Random) -> list[str]:
    words = rng.choices(_WORDS, _WEIGHTS, k=rng.randint(200, 500))
    for _ in range(len(words) // 55):
        at = rng.randrange(len(words))
        phrase = rng.choice(_PHRASES)
        words[at : at + len(phrase)] = phrase
    return words


def edited(words: list[str], share: float, rng: random.Random) -> list[str]:
    """With a share of the words replaced."""
    return [rng.choice(_WORDS) if rng.random() < share else word for word in words]
