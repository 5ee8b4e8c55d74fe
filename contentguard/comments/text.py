"""Text from strangers: made safe to keep, and made safe to show.

Strategy: what nobody types by hand and no reader can see (NUL and other controls, characters that turn the direction
of what follows, tags, stacks of accents) goes at the door, and whatever is left is shown escaped. Everything is one
pass over the text; no expression here can go back over what it has read.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape
from typing import NamedTuple

MOST_TEXT, MOST_NAME, MOST_EMAIL, MOST_URL = 65_525, 245, 100, 200
"""Characters of a comment and of its author's name, e-mail address and site: what WordPress' tables hold."""

_GONE = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)]),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)]),  # bidirectional overrides, embeddings, isolates
    **dict.fromkeys([0xAD, 0x200B, 0x2060, 0xFEFF, *range(0x2061, 0x2066), *range(0x206A, 0x2070)]),  # nothing to see
    **dict.fromkeys([*range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)]),
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),  # halves of a character: no text can be encoded with one
    **dict.fromkeys([0x09, 0x2028, 0x2029, 0x85, 0x0B, 0x0C], 0x20),
}
_IN_LINES: dict[int, int | str | None] = {**_GONE, 0x0A: 0x0A, 0x09: 0x20, 0x2028: 0x0A, 0x2029: 0x0A, 0x85: 0x0A}
_IN_LINE: dict[int, int | str | None] = {**_GONE, 0x0A: 0x20, 0x0D: 0x20}
_HIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
_STACK = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}+")
_SELECTORS = "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
_MARKS = re.compile(
    f"(?<=[A-Za-z\u00c0-\u0fff\u10a0-\u17ff\u1e00-\u1fff.,:;!?…\"'”’)»\\]]){_SELECTORS}++[\u200c-\u200e]?+|{_SELECTORS}{{2,}}+"
)
"""Variation selectors where they select nothing: marks of a copy that somebody quotes, which would name its reader in
every copy of the page. Those of emoji and of Chinese characters stay."""
_GAP = re.compile(r"\n{3,}+")
_URL = re.compile(r"https?://[^\s<>\"'\\`{}|^\x00-\x1f]{1,2048}+", re.IGNORECASE)
"""No longer, because what ends one is looked for from its end."""
_AFTER = ".,;:!?'\")]}»”’…*_~"
_OPENING = {")": "(", "]": "["}
_BREAK = re.compile(r"\n\n+")
_SENTENCES = (("\ufdfa", "صلعم"), ("\ufdfb", "جل"))
"""Characters that stand for sentences of 18 and 8 letters, and what is usually written for them: a comment of nothing
else would become a million letters."""


class Cleaned(NamedTuple):
    """Text that may be kept."""

    text: str
    hidden: int
    """How many characters it held that only hide something: controls, changes of direction, invisible tags."""


def lines(text: str) -> Cleaned:
    """A comment's text: lines end with ``\\n``, no more than one of them is empty in a row."""
    hidden = len(_HIDDEN.findall(text))
    kept = text.replace("\r\n", "\n").replace("\r", "\n").translate(_IN_LINES)
    return Cleaned(_GAP.sub("\n\n", _stacked(kept)).strip(), hidden)


def line(text: str) -> Cleaned:
    """A name, an address: one line, its spaces single."""
    hidden = len(_HIDDEN.findall(text))
    return Cleaned(" ".join(_stacked(text.translate(_IN_LINE)).split()), hidden)


def _stacked(text: str) -> str:
    """At most three accents on one letter: more of them cover the lines around; and no marks of a copy."""
    return _STACK.sub(lambda found: found[0][:3], _MARKS.sub("", text))


def folded(text: str) -> str:
    """Text for comparison: compatibility forms as one, without case."""
    for sentence, short in _SENTENCES:
        text = text.replace(sentence, short)
    return unicodedata.normalize("NFKC", text).casefold()


def as_html(text: str) -> str:
    """A comment as HTML: paragraphs, line breaks, and links that give nothing to where they lead.

    Nothing else of what was typed is markup, and ``dir="auto"`` keeps right-to-left text within its own paragraph.
    """
    blocks = [block.strip("\n") for block in _BREAK.split(lines(text).text)]
    return "\n".join(f'<p dir="auto">{_linked(block)}</p>' for block in blocks if block)


def _linked(block: str) -> str:
    made, at = [], 0
    for found in _URL.finditer(block):
        url = _trimmed(found[0])
        if not _is_host(url):
            continue
        made += [_escaped(block[at : found.start()]), f'<a href="{escape(url)}" rel="nofollow ugc">{escape(url)}</a>']
        at = found.start() + len(url)
    return "".join([*made, _escaped(block[at:])])


def _escaped(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")


def _trimmed(url: str) -> str:
    """An address without the punctuation of the sentence that it stands in."""
    end = len(url)
    while end and url[end - 1] in _AFTER:
        last = url[end - 1]
        if last in _OPENING and url.count(_OPENING[last], 0, end) >= url.count(last, 0, end):
            break
        end -= 1
    return url[:end]


def _is_host(url: str) -> bool:
    """Whether an address leads to where it seems to: to a host, without a name and a password before it."""
    host = url.partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0]
    return "." in host.strip(".") and "@" not in host
