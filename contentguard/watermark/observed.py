"""What a suspect text has where an article has its slots.

Strategy: the words of both are laid side by side; a mark is looked for at the word it belongs to, a variant between
two words that both texts have. What is not there says nothing. This never looks at any reader's code, so what is
observed cannot depend on who is to be found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from html import unescape
from typing import NamedTuple

from contentguard.watermark import gaps
from contentguard.watermark.compiled import Compiled, Place, Slot
from contentguard.watermark.frames import symbols
from contentguard.watermark.html import Order
from contentguard.watermark.variants import Kind
from contentguard.watermark.words import Word, plain_words, split, visible

_SAME = 3
"""As often as this, typography that is all of one form says nothing: somebody has made it so."""


_NEAR = 6
"""Words between two passages of which one is short."""


class Passage(NamedTuple):
    """Consecutive words that a text and an article have in common."""

    suspect: int
    """The first one's number in the text."""
    article: int
    """The same in the article."""
    length: int


class Observed(NamedTuple):
    """What a text has in the slots of one article."""

    bytes_at: tuple[tuple[int, int], ...]
    """Gap and byte, for each variation selector found."""
    bits_at: tuple[tuple[int, int], ...]
    """Gap and two bits, for each format character found."""
    chosen: tuple[tuple[int, int], ...]
    """Variant and which of its texts."""
    symbols: tuple[tuple[int, int], ...]
    """Place and byte of the frames' word."""
    passages: tuple[Passage, ...]
    orders: tuple[Order, ...] = ()
    """Of attributes; see ``html.seen``."""


def observe(article: Compiled, text: str, least: int = 3) -> Observed:
    """Lay ``text`` beside an article. ``least``: words that a passage has at least."""
    suspect = split(text)
    found = passages([word.plain for word in article.words], [word.plain for word in suspect], least)
    where = {p.article + n: p.suspect + n for p in found for n in range(p.length)}
    bytes_at, bits_at, chosen = [], [], []
    for slot, word in zip(article.slots, article.at_word, strict=True):
        if slot.place is Place.GAP and (at := where.get(word)) is not None:
            byte, bits = gaps.seen(suspect[at].raw)
            if byte >= 0:
                bytes_at.append((slot.number, byte))
            # Words of some languages have such characters of their own; no mark of ours has one there.
            if bits >= 0 and slot.number % 2 == 0 and slot.number not in article.bare:
                bits_at.append((slot.number, bits))
        elif slot.variant is not None and (which := _which(slot, word, article.words, suspect, where)) >= 0:
            chosen.append((slot.number, which))
    return Observed(tuple(bytes_at), tuple(bits_at), _told(article, chosen), symbols(text), tuple(found))


def passages(article: Sequence[str], suspect: Sequence[str], least: int) -> list[Passage]:
    """The stretches of words that both have, in order (Ratcliff and Obershelp 1988)."""
    matcher = SequenceMatcher(None, suspect, article, autojunk=False)
    blocks = [Passage(block.a, block.b, block.size) for block in matcher.get_matching_blocks() if block.size]
    sure = [block.length >= least for block in blocks]
    # What is short is chance, unless it stands close to what is not: between two slots of wording there may be a word.
    for numbers in (range(1, len(blocks)), range(len(blocks) - 2, -1, -1)):
        step = -1 if numbers.step > 0 else 1
        for number in numbers:
            sure[number] = sure[number] or (
                sure[number + step] and _close(*sorted((blocks[number], blocks[number + step])))
            )
    return [block for block, one in zip(blocks, sure, strict=True) if one]


def _close(one: Passage, other: Passage) -> bool:
    return other.suspect - one.suspect - one.length <= _NEAR and other.article - one.article - one.length <= _NEAR


def _which(slot: Slot, word: int, original: Sequence[Word], suspect: Sequence[Word], where: dict[int, int]) -> int:
    """Which text of a variant stands there; -1 where that cannot be told."""
    assert slot.variant is not None
    kind, texts = slot.variant.kind, slot.variant.texts
    if kind in (Kind.WORDING, Kind.CONTRACTION):
        return _worded(slot, word, original, suspect, where)
    at = where.get(word)
    if at is None:
        return -1
    if kind is Kind.COMMA:
        comma = visible(suspect[at].raw).endswith(",")
        return -1 if where.get(word + 1) != at + 1 else texts.index("," if comma else "")
    if kind is Kind.DASH:
        if where.get(word + 1) != at + 1:
            return -1
        return _either(_LOOKS[kind], texts, suspect[at + 1].lead)
    return _either(_LOOKS[kind], texts, suspect[at].raw)


_LOOKS = {Kind.APOSTROPHE: "’'", Kind.DASH: "–—", Kind.RANGE: "–-", Kind.ELLIPSIS: "…."}
"""By what the two forms of typography are told apart."""


def _either(looks: str, texts: tuple[str, str], zone: str) -> int:
    """Which of two characters stands in a zone; -1 for neither or both."""
    one, other = (looks[0] in zone, looks[1] in zone)
    if one is other:
        return -1
    wanted = looks[0] if one else looks[1]
    # The second text is always the bare character; the first may be written as a reference.
    return int(wanted == texts[1][:1])


def _worded(slot: Slot, word: int, original: Sequence[Word], suspect: Sequence[Word], where: dict[int, int]) -> int:
    assert slot.variant is not None
    forms = [plain_words(text.replace("’", "").split()) for text in slot.variant.texts]
    first = word + 1
    last = first + len(forms[0])
    before = where.get(first - 1, -1 if first == 0 else None)
    after = where.get(last, len(suspect) if last == len(original) else None)
    if before is None or after is None:
        return -1
    there = [word.plain for word in suspect[before + 1 : after]]
    found = [number for number, form in enumerate(forms) if form == there]
    return found[0] if len(found) == 1 else -1


def _told(article: Compiled, chosen: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The variants that say something: typography of one form throughout says only that somebody cleaned it."""
    kinds = [article.variants[number].kind for number, _ in chosen]
    times = Counter(kinds)
    forms: dict[Kind, set[str]] = {kind: set() for kind in kinds}
    for (number, which), kind in zip(chosen, kinds, strict=True):
        forms[kind].add(unescape(article.variants[number].texts[which]))
    return tuple(
        one
        for one, kind in zip(chosen, kinds, strict=True)
        if not (kind.typographic and times[kind] >= _SAME and len(forms[kind]) == 1)
    )
