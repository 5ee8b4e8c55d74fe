"""Whether a text repeats another, in whatever spelling: what was taken out of a page must not stand elsewhere in it.

Strategy: a text is a sequence of words without case, accents, punctuation and invisible characters; eight in a row that
are eight in a row of what was withheld give it away. Before a text is looked through, everything by which HTML, JSON,
scripts and addresses spell characters is undone, several times over, for a page may hold JSON in JSON in an attribute;
base64 that is text is read as well. Scripts that write no spaces count by the character. All of it is linear.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterator, Sequence
from html import unescape

WORDS = 8
"""So many words in a row are no coincidence."""
_CHARACTERS = 16
"""Nor are so many characters of a script without spaces."""
_ROUNDS = 4
"""How often one spelling may stand in another."""
_SHORTEST = 2 * WORDS - 1
"""A text of fewer characters cannot hold as many words."""

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]++")
_UNSEEN = (
    "\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u180b-\u180e\u200b-\u200f\u2060-\u2064"
    "\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0100-\U000e01ef"
)
"""What is seen of no word: accents set free, soft hyphens, joiners, variation selectors."""
_INVISIBLE = re.compile(f"[{_UNSEEN}]++")
_WRITTEN = re.compile(rf"[{UNSPACED}]|(?:[^\W_{UNSPACED}]|[{_UNSEEN}])++")
"""A word with what is not seen of it."""
INLINE = frozenset(
    b"a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong sub sup "
    b"time tt u var wbr".split()
)
"""Elements that stand within words; all others stand between them."""
_INLINE = re.compile(rf"(?i)</?+(?:{'|'.join(sorted(name.decode() for name in INLINE))})(?:[\s/][^<>]*+)?+>")
_BARE = re.compile(r"</?+[a-zA-Z][a-zA-Z0-9-]*+\s*+/?+>")
_TAG = re.compile(r"<[^<>]*+>")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|([\s\S]))")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})++")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ADDRESS = re.compile(r"(?i)(?<!\w)(?:https?://|www\.)\S++")
_BREAK = " zcgbreakz "
"""A word that stands in no text."""
_BLANKS = frozenset("nrtfv")


def fold(text: str) -> str:
    """``text`` as far as it is compared."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKD", text))
    return text.casefold()


def words(text: str) -> list[str]:
    """The words of a text, as they are compared."""
    found: list[str] = _WORD.findall(fold(text))
    return found


def words_with_places(text: str) -> tuple[list[str], list[int]]:
    """The words of a text, and where in it each begins."""
    found = [(fold(match[0]), match.start()) for match in _WRITTEN.finditer(text)]
    return [word for word, _ in found if word], [place for word, place in found if word]


def untagged(text: str) -> str:
    """Markup without its tags."""
    return _TAG.sub(" ", _INLINE.sub("", text)) if "<" in text else text


def plain(text: str) -> str:
    """``text`` with all that spells characters in HTML, JSON, scripts and addresses undone."""
    for _ in range(_ROUNDS):
        before = text
        if "&" in text:
            text = unescape(text)
        if "\\" in text:
            text = _whole(_ESCAPE.sub(_unescaped, text))
        if "%" in text:
            text = _PERCENT.sub(_unquoted, text)
        if text == before:
            break
    return text


def readings(text: str) -> Iterator[str]:
    """``text`` as it may be meant: with its markup taken for markup, or only the barest tags; and what base64 says."""
    said = plain(text)
    yield untagged(said)
    if "<" in said:
        # What a tag says and what follows it are two things: no word of any text stands where they meet.
        yield _BARE.sub(" ", said).replace("<", _BREAK).replace(">", _BREAK)
    for match in _BASE64.finditer(text):
        inner = _from_base64(match[0])
        if inner:
            yield untagged(plain(inner))


class Withheld:
    """A text that must not be told."""

    def __init__(self, text: str, *, told: Sequence[str] = ()) -> None:
        """``told``: texts that may be told all the same, though they repeat it."""
        text = _ADDRESS.sub(" ", text)
        found = words(text)
        unspaced = sum(len(word) == 1 and not word.isascii() for word in found)
        self._size = _CHARACTERS if 2 * unspaced > len(found) else WORDS
        self._runs = set(self._hashes(found))
        said = plain(text)
        if said != text:
            self._runs.update(self._hashes(words(said)))
        for other in told:
            if len(other) < _SHORTEST:
                continue
            self._runs.difference_update(self._hashes(words(other)))

    def _hashes(self, found: Sequence[str]) -> Iterator[int]:
        """All runs of words. Their hashes will do: a false alarm costs one page a few words, once in a lifetime."""
        return map(hash, zip(*(found[start:] for start in range(self._size)), strict=False))

    def stands_in(self, text: str) -> bool:
        """Whether ``text`` gives some of it away, in any of its readings."""
        if len(text) < _SHORTEST:
            return False
        return any(not self._runs.isdisjoint(self._hashes(words(reading))) for reading in readings(text))

    def hits(self, found: Sequence[str]) -> list[int]:
        """Where in these words runs of it begin."""
        runs = self._runs
        return [number for number, run in enumerate(self._hashes(found)) if run in runs]

    @property
    def size(self) -> int:
        """How many words make a run."""
        return self._size

    def cut(self, text: str) -> str:
        """``text`` up to where it begins to give something away; empty where that cannot be told."""
        if not self.stands_in(text):
            return text
        found, places = words_with_places(text)
        hits = self.hits(found)
        kept = text[: places[hits[0]]].rstrip() if hits else ""
        return kept + "…" if kept and not self.stands_in(kept) else ""


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else " "
    return " " if match[4] in _BLANKS else match[4]


def _whole(text: str) -> str:
    """``text`` with its pairs of surrogates put together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _SURROGATE.search(text) else text


def _unquoted(match: re.Match[str]) -> str:
    raw = bytes.fromhex(match[0].replace("%", ""))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _from_base64(text: str) -> str:
    text = text.replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(text[: len(text) // 4 * 4]).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
