"""A text beside an article: what it has of its marks and of its words, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from contentguard.cli.suspects import Suspect
from contentguard.watermark import html
from contentguard.watermark.compiled import Compiled
from contentguard.watermark.frames import symbols
from contentguard.watermark.observed import Observed, observe
from contentguard.watermark.winnow import Overlap
from contentguard.watermark.words import Word, visible

_SELECTOR = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]|&#")
"""A mark, or what may be one as a numeric reference."""
_WORD = re.compile(r"\S+")


def observed(article: Compiled, suspect: Suspect, found: bool) -> Observed:
    """What a text has of an article's marks. ``found``: whether it has words of it; else only frames tell."""
    if not found:
        return Observed((), (), (), symbols(suspect.text), ())
    return observe(article, suspect.text)._replace(orders=html.seen(suspect.starts, article.tags))


def less_published(suspect: Suspect, states: Iterable[Compiled]) -> tuple[Suspect, int]:
    """A text without the marks that articles have as they were published (somebody pasted a copy into them), for every
    reader's copy has those; and how many words had some."""
    published = {
        word.raw
        for state in states
        if any(map(_SELECTOR.search, state.texts))
        for word in state.words
        if visible(word.raw) != word.raw
    }
    if not published:
        return suspect, 0
    found = 0

    def bare(word: re.Match[str]) -> str:
        nonlocal found
        if word[0] not in published:
            return word[0]
        found += 1
        return visible(word[0])

    text = _WORD.sub(bare, suspect.text)
    return suspect._replace(text=text), found


def within(tail: Sequence[str], state: Compiled) -> bool:
    """Whether these words stand together in an article."""
    own = [word.plain for word in state.words]
    return any(own[at : at + len(tail)] == tail for at in range(len(own) - len(tail) + 1))


def quoted(
    text: str, words: Sequence[Word], state: Compiled | None, found: Overlap | None
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[int, int], ...]]:
    """Passages as they stand in a text and in the article, and where they stand in the text."""
    if state is None or found is None:
        return (), ()
    spans = tuple(_span(words, one.suspect, one.length) for one in found.passages)
    own = [state.words[one.article : one.article + one.length] for one in found.passages]
    theirs = [" ".join(f"{word.lead} {word.raw}".strip() for word in passage) for passage in own]
    return tuple((text[start:end], passage) for (start, end), passage in zip(spans, theirs, strict=True)), spans


def _span(words: Sequence[Word], first: int, length: int) -> tuple[int, int]:
    last = words[first + length - 1]
    return words[first].start, last.start + len(last.raw)
