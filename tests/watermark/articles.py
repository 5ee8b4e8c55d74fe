"""Articles made of words that mean nothing, with all that marks go by: for tests and benchmarks of the watermark."""

from __future__ import annotations

import random
from html import unescape

_SYLLABLES = (
    "ba",
    "cor",
    "den",
    "fil",
    "gan",
    "har",
    "jun",
    "kel",
    "lom",
    "mar",
    "nor",
    "pel",
    "quo",
    "ras",
    "sten",
    "tur",
)
_SHORT = ("the", "of", "to", "and", "in", "for", "it", "was", "at", "by", "on", "a", "with", "that", "his", "her")


def article(seed: int, sentences: int = 24, wording: int = 0) -> list[list[str]]:
    """Paragraphs as their texts in HTML: some 15 words a sentence, with commas, apostrophes, dashes and quotations.

    ``wording``: slots of an editor's own, spread evenly.
    """
    drawn = random.Random(seed)
    known = ["".join(drawn.choices(_SYLLABLES, k=drawn.choice((2, 2, 3)))) for _ in range(400)]
    paragraphs: list[list[str]] = []
    left = wording
    for number in range(sentences):
        words = [drawn.choice(_SHORT if drawn.random() < 0.45 else known) for _ in range(drawn.randint(11, 19))]
        words[0] = words[0].capitalize()
        words[4] += ","
        if number % 5 == 1:
            words[7] = "don’t"
        if number % 7 == 2:
            words[9:9] = ["–"]
        place = 2
        while left > wording * (sentences - number - 1) // sentences:
            left -= 1
            place += 4
            words.insert(place - 4, f"[[{drawn.choice(known)}|{drawn.choice(known)} {drawn.choice(known)}]]")
        text = " ".join(words) + "."
        if number % 3 == 0:
            paragraphs.append([text])
        else:
            paragraphs[-1][-1] += " " + text
    return paragraphs


def read(texts: list[str], paragraphs: list[list[str]]) -> str:
    """What a reader sees of a copy's texts: one paragraph below the other."""
    rest = iter(texts)
    return "\n\n".join(unescape("".join(next(rest) for _ in paragraph)) for paragraph in paragraphs)
