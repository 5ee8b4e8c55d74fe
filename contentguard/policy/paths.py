"""Paths and the patterns that name them.

The pattern language is that of robots.txt (RFC 9309, 2.2.2 and 2.2.3): a pattern matches from the start of the path,
``*`` stands for any run of characters, a ``$`` at the end for the path's end, and ``%24``, ``%2A`` for these two
characters themselves. So a rule can be published exactly as it is enforced, and no pattern can backtrack.

A path can be spelled in many ways that an application may take for the same (CVE-2019-9901, CVE-2021-29492,
CVE-2026-73551 and others): ``spellings`` gives the plain forms of a path, so that a rule can be held against all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize
from urllib.parse import quote, unquote

_LITERAL = "/?&=:;,+@!~()'[]|"
"""Characters that stand for themselves in a published pattern, besides letters, digits and ``_.-``."""

_ANYTHING = "\uffff"
"""Stands for "any text at all" where one pattern is read as a path by another; no pattern may hold it."""

_WORD = r"[a-z0-9_~!$&'()+,=:@*-]++"
_PLAIN = re.compile(rf"(?:/{_WORD}(?:\.{_WORD})*+)*+/?+")
_CONTROLS = dict.fromkeys([*range(32), 127])
_PARAMETERS = re.compile(r";[^/]*+")
_ENDS = "\0#?"
LONGEST = 4096
"""Characters of a path; what is longer and not plain takes too long to be read, and nobody honest sends it."""

_ROUNDS = 4
"""How often a path is decoded before it is taken as it is."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path pattern: the literal texts between its ``*``, and whether the last one must end the path."""

    parts: tuple[str, ...]
    anchored: bool

    @property
    def prefix(self) -> str:
        """What every path that matches begins with."""
        return self.parts[0]

    @property
    def suffix(self) -> str:
        """What every path that matches ends with; empty where that is open."""
        return self.parts[-1] if self.anchored else ""

    @property
    def is_prefix(self) -> bool:
        """Whether it matches all that begins with ``prefix`` and nothing else."""
        return len(self.parts) == 1 and not self.anchored

    @property
    def is_exact(self) -> bool:
        """Whether it matches one path only."""
        return len(self.parts) == 1 and self.anchored

    def matches(self, path: str) -> bool:
        """Whether it matches ``path``; letter case counts."""
        first, last = self.parts[0], self.parts[-1]
        if len(self.parts) == 1:
            return path == first if self.anchored else path.startswith(first)
        if not path.startswith(first):
            return False
        at = len(first)
        for part in self.parts[1:-1]:
            found = path.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return path.endswith(last) and len(path) - len(last) >= at if self.anchored else path.find(last, at) >= 0

    def covers(self, other: Pattern) -> bool:
        """Whether it surely matches everything that ``other`` does; False where that cannot be told."""
        return self.matches(_ANYTHING.join(other.parts) + ("" if other.anchored else _ANYTHING))

    def may_meet(self, other: Pattern) -> bool:
        """Whether some path may match both; True where that cannot be told."""
        if self.is_exact:
            return other.matches(self.prefix)
        if other.is_exact:
            return self.matches(other.prefix)
        heads = self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        return heads and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))

    def loosened(self) -> Pattern:
        """The same pattern for paths in the form that ``spellings`` gives."""
        return Pattern(tuple(map(_folded, self.parts)), self.anchored)

    def __str__(self) -> str:
        return "*".join(quote(part, safe=_LITERAL) for part in self.parts) + ("$" if self.anchored else "")


def parse_pattern(text: str) -> Pattern:
    """The pattern that ``text`` writes; ValueError when it is none."""
    if not text.startswith(("/", "*")):
        raise ValueError("a path pattern that starts with / or *, like /archive/, /*.pdf$ or /about$")
    if len(text) > 2048 or not all(char.isprintable() for char in text) or _ANYTHING in text:
        raise ValueError("a path pattern of up to 2048 printable characters")
    anchored = text.endswith("$")
    parts = re.sub(r"\*++", "*", ("/" if text[0] == "*" else "") + text[: len(text) - anchored]).split("*")
    if len(parts) > 1 and not parts[-1]:
        # What ends with "*" is open at its end, with or without a "$" behind.
        parts, anchored = parts[:-1], False
    return Pattern(tuple(unquote(part) for part in parts), anchored)


def is_readable(path: str) -> bool:
    """Whether it is short enough, or plain enough, for its spellings to be found within a millisecond."""
    return len(path) <= LONGEST or _PLAIN.fullmatch(path.lower()) is not None


def spellings(path: str) -> tuple[str, ...]:
    """The plain forms of ``path``, at least one: what applications may take it for, in lower case.

    Decoded again until nothing is left to decode, ``\\`` taken for ``/``, parameters (``;x``), control characters,
    empty and dot segments taken out; and where there is a NUL, ``#`` or ``?`` in it, also cut there.
    """
    lowered = path.lower()
    return (lowered,) if _PLAIN.fullmatch(lowered) else _forms(path)


@lru_cache(maxsize=64)
def _forms(path: str) -> tuple[str, ...]:
    """The forms of a path that is not plain; one request may ask for them several times."""
    folded = _folded(_decoded(path)).replace("\\", "/")
    # Each end by itself: what cuts at one of them may take another out.
    forms = [folded, *(folded[:at] for end in _ENDS if (at := folded.find(end)) >= 0)]
    return tuple(dict.fromkeys(_resolved(form.translate(_CONTROLS)) for form in forms))


def _decoded(path: str) -> str:
    for _ in range(_ROUNDS):
        once = unquote(path)
        if once == path:
            break
        path = once
    return path


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else normalize("NFKC", text).casefold()


def _resolved(path: str) -> str:
    """``path`` without parameters, empty and dot segments (RFC 3986, 5.2.4); dots and spaces that end one count not."""
    kept: list[str] = []
    segments = _PARAMETERS.sub("", path).split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif bare := segment.rstrip(". "):
            kept.append(bare)
    return "/" + "/".join(kept) + ("/" if kept and segments[-1].rstrip(". ") == "" else "")
