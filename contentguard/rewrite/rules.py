"""What the scanner looks for, compiled once: which elements may be the article, and which must be left alone.

Strategy: a start tag is looked at closely only if its name, or one of a few words in it, says that a selector might
choose it; one dictionary and one regular expression decide that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from contentguard.rewrite.selector import Selector
from contentguard.rewrite.tokenizer import RAW_TEXT
from contentguard.rewrite.tree import CLOSES_P, HEADINGS, VOID

# What the scanner's loop does with a tag of a name. Everything else (spans, unknown names) is just opened and closed.
PLAIN, NOTHING, IMAGE, BLOCK, PARAGRAPH, LINK, RAW, ITEM, HEADING, CAREFUL, LOOK = range(11)

_CAREFUL = frozenset(
    b"dd dt hr button form option optgroup select svg math template table tbody thead tfoot tr td th "
    b"caption colgroup col html head body frameset plaintext xmp nobr input mglyph malignmark".split()
)
KINDS: Mapping[bytes, int] = {
    **dict.fromkeys(CLOSES_P, BLOCK),
    **dict.fromkeys(VOID, NOTHING),
    **dict.fromkeys(RAW_TEXT, RAW),
    **dict.fromkeys(_CAREFUL, CAREFUL),
    **dict.fromkeys(HEADINGS, HEADING),
    b"p": PARAGRAPH,
    b"a": LINK,
    b"img": IMAGE,
    b"li": ITEM,
}
"""How each element of HTML is to be handled by its name alone."""

MAX_PREFERENCE = 1 << 30
Hint = Callable[[bytes, int, int], object]


@dataclass(frozen=True, slots=True)
class Rules:
    """Selectors of the article with their preference, in its order (lowest first), and of what is left alone."""

    selectors: Sequence[tuple[int, Selector]]
    exclude: Sequence[Selector] = ()
    enough: int = 50
    """Words outside links that make an element an article."""
    sure: int = 200
    """With so many an element is taken for the article at once, whatever may follow it."""
    texts: bool = False
    """Whether the text runs of the article's paragraphs are wanted."""
    kinds: dict[bytes, int] = field(init=False)
    hint: Hint = field(init=False)
    """A search that a start tag must pass before selectors without a type are tried on it."""
    short: int = field(init=False)
    """A start tag of so many bytes has no room for what ``hint`` looks for."""
    ancestry: bool = field(init=False)
    """Whether a selector asks for an element's ancestors."""

    def __post_init__(self) -> None:
        every = (*(selector for _, selector in self.selectors), *self.exclude)
        types = {s.compounds[-1].type for s in every if s.compounds[-1].type}
        object.__setattr__(self, "kinds", {**KINDS, **{name: LOOK for name in types if KINDS.get(name) != RAW}})
        hint, short = _hint(every)
        object.__setattr__(self, "hint", hint)
        object.__setattr__(self, "short", short)
        object.__setattr__(self, "ancestry", any(len(s.compounds) > 1 for s in every))

    def preference(self, name: bytes, tag: bytes, ancestors: Sequence[tuple[bytes, bytes]]) -> int:
        """The number of the first selector that chooses this element; ``MAX_PREFERENCE`` when none does."""
        for index, selector in self.selectors:
            if selector.matches(name, tag, ancestors):
                return index
        return MAX_PREFERENCE

    def left_alone(self, name: bytes, tag: bytes, ancestors: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether nothing may be put into this element."""
        return any(selector.matches(name, tag, ancestors) for selector in self.exclude)


_COMMON = b"eatsoinr=lchd/pum-w.1g2fyb0:3"
"""Bytes of start tags, the commonest first."""
_SHORTEST = 4


def _hint(selectors: Sequence[Selector]) -> tuple[Hint, int]:
    last = [s.compounds[-1] for s in selectors if not s.compounds[-1].type]
    if any(not compound.hints for compound in last):
        return lambda data, start, end: data, 0
    words = sorted({word for compound in last for word in compound.hints})
    if not words:
        return lambda data, start, end: None, 1 << 30
    ends = sorted({_rare_end(word) for word in words})
    return re.compile(b"|".join(map(re.escape, ends))).search, min(map(len, words)) + len("<a ")


@lru_cache(maxsize=256)
def _rare_end(word: bytes) -> bytes:
    """The end of ``word`` that begins with the rarest byte: a search stops the less often."""
    starts = range(max(len(word) - _SHORTEST, 0) + 1)
    return word[max(starts, key=lambda at: _COMMON.find(word[at]) % 99) :]
