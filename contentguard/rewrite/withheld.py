"""Whether a text repeats another, in whatever spelling: what was taken out of a page must not stand elsewhere in it.

Strategy: a text is a sequence of words without case, accents, punctuation and invisible characters; eight in a row that
are eight in a row of what was withheld give it away. Before a text is looked through, everything by which HTML, JSON,
scripts and addresses spell characters is undone, several times over, for a page may hold JSON in JSON in an attribute;
base64 that is text is read as well. Scripts that write no spaces count by the character. All of it is linear, and goes
by pieces that end where neither a word nor a tag nor anything that is spelt differently goes on.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterator, Sequence
from html import unescape

from contentguard.turns import Turns, finished

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
_SPACE = re.compile(r"(?<!\\)[ \n]|(?<=[。！？])")
"""Where nothing goes on: what spells characters holds no white space, but for a backslash before it."""
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|([\s\S]))")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})++")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ADDRESS = re.compile(r"(?i)(?<!\w)(?:https?://|www\.)\S++")
_BREAK = " zcgbreakz "
"""A word that stands in no text."""
_BLANKS = frozenset("nrtfv")
_PIECE, _RUNS = 8192, 2048
"""Characters, and runs of words, that are looked at in one turn: about a millisecond."""
_TRIES = 8
"""How many tags are looked behind for the end of a piece; then it goes on."""


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


def pieces(text: str) -> Iterator[str]:
    """``text``, cut where a word ends, and so whatever spells a character."""
    start = 0
    while len(text) - start > _PIECE:
        space = _SPACE.search(text, start + _PIECE)
        if space is None:
            break
        yield text[start : space.start()]
        start = space.start()
    yield text[start:]


def placed(text: str) -> Turns[tuple[list[str], list[int]]]:
    """The words of a text, and where in it each begins."""
    found: list[str] = []
    places: list[int] = []
    start = 0
    for piece in pieces(text):
        if start:
            yield
        own, at = words_with_places(piece)
        found += own
        places += [start + place for place in at]
        start += len(piece)
    return found, places


def readings(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """``text`` as it may be meant, by pieces: with its markup taken for markup, with only the barest tags (empty where
    that is the same), and what base64 says, each a text by itself."""
    read, held = 0, ""
    for piece in pieces(text):
        read += len(piece)
        held += plain(piece)
        coded = [inner for match in _BASE64.finditer(piece) if (inner := _from_base64(match[0]))]
        at = len(held) if read == len(text) else _outside_tags(held)
        yield *_meant(held[:at]), [untagged(plain(inner)) for inner in coded]
        held = held[at:]


def _meant(said: str) -> tuple[str, str]:
    if "<" not in said and ">" not in said:
        return said, ""
    # What a tag says and what follows it are two things: no word of any text stands where they meet.
    return untagged(said), _BARE.sub(" ", said).replace("<", _BREAK).replace(">", _BREAK)


def _outside_tags(text: str) -> int:
    """The last place between two words that stands in no tag; 0 where that is not soon found."""
    end = len(text)
    for _ in range(_TRIES):
        at = max(text.rfind(" ", 0, end), text.rfind("\n", 0, end), text.rfind("。", 0, end) + 1)
        if at <= 0:
            break
        opened = text.rfind("<", 0, at)
        if opened <= text.rfind(">", 0, at):
            return at
        end = opened
    return 0


class Withheld:
    """A text that must not be told."""

    def __init__(self, text: str, *, told: Sequence[str] = ()) -> None:
        """``told``: texts that may be told all the same, though they repeat it."""
        finished(self._read(text, told))

    @classmethod
    def in_turns(cls, text: str, told: Sequence[str]) -> Turns[Withheld]:
        """The same, made in turns."""
        made = cls.__new__(cls)
        yield from made._read(text, told)
        return made

    def _read(self, text: str, told: Sequence[str]) -> Turns[None]:
        found: list[str] = []
        meant: list[str] = []
        unspaced = 0
        for piece in pieces(text):
            yield
            piece = _ADDRESS.sub(" ", piece)
            said, own = plain(piece), words(piece)
            found += own
            meant += own if said == piece else words(said)
            unspaced += sum(len(word) == 1 and not word.isascii() for word in own)
        self._size = _CHARACTERS if 2 * unspaced > len(found) else WORDS
        self._runs: set[int] = set()
        for some in self._stretches(found):
            self._runs.update(self._hashes(some))
            yield
        if meant != found:
            for some in self._stretches(meant):
                self._runs.update(self._hashes(some))
                yield
        for other in told:
            if len(other) >= _SHORTEST:
                told_words = [word for piece in pieces(other) for word in words(piece)]
                for some in self._stretches(told_words):
                    self._runs.difference_update(self._hashes(some))
                    yield

    def _stretches(self, found: Sequence[str]) -> Iterator[Sequence[str]]:
        """These words by stretches that have every run of them between them."""
        for start in range(0, len(found), _RUNS):
            yield found[start : start + _RUNS + self._size - 1]

    def _hashes(self, found: Sequence[str]) -> Iterator[int]:
        """All runs of words. Their hashes will do: a false alarm costs one page a few words, once in a lifetime."""
        return map(hash, zip(*(found[start:] for start in range(self._size)), strict=False))

    def stands_in(self, text: str) -> bool:
        """Whether ``text`` gives some of it away, in any of its readings."""
        return finished(self.standing_in(text))

    def standing_in(self, text: str) -> Turns[bool]:
        """The same, found out in turns."""
        if len(text) < _SHORTEST:
            return False
        runs, before = self._runs, 1 - self._size
        read: list[str] = []
        barely: list[str] = []
        for marked_up, bare, coded in readings(text):
            own = words(marked_up)
            other = words(bare) if bare else own[: self._size - 1]
            every = (read + own, barely + other, *map(words, coded))
            if any(not runs.isdisjoint(self._hashes(some)) for some in every):
                return True
            read = (read + own)[before:]
            barely = (barely + (other if bare else own))[before:]
            yield
        return False

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
