"""``Copy as cURL``: the command that browsers write for a request, and that people type, as the request that it makes.

Read are both forms that browsers copy, for POSIX shells (``'…'``, ``$'…'``) and for Windows (``^"…^"``). A command says
nothing of the order on the wire (Chromium sorts the headers), and Chromium leaves out Host and Accept-Encoding, which
every browser sends: these are put back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from contentguard.cli.headers import Saved

_COMMAND = re.compile(r"\s*+(?:\$ )?curl(?:\.exe)?\s")
_PIECE = re.compile(
    r"(?P<gap>(?:\s|\\\r?\n)++)|'(?P<plain>[^']*+)'|\$'(?P<ansi>(?:[^'\\]|\\.)*+)'"
    r'|"(?P<double>(?:[^"\\]|\\.)*+)"|\\(?P<one>.)|(?P<bare>[^\s\'"\\$]++|\$)',
    re.DOTALL,
)
_ANSI = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|([0-7]{1,3})|(.))", re.DOTALL)
_ANSI_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}

_SHORT = {
    "H": "header",
    "A": "user-agent",
    "e": "referer",
    "b": "cookie",
    "X": "request",
    "d": "data",
    "F": "form",
    "I": "head",
    "G": "get",
}
_NEED_VALUE = frozenset("HAebXdFomuxcwTKEyYCrtzDPQU")
"""Short options behind which something must stand (curl(1))."""
_VALUES = """
header user-agent referer cookie request url data data-raw data-binary data-urlencode data-ascii json form output
max-time connect-timeout user proxy cookie-jar write-out resolve cacert cert key retry interface range
"""
_LONG_VALUE = frozenset(_VALUES.split())
_BODIES = ("data", "form", "json")
_ALWAYS = "gzip, deflate, br, zstd"


def is_command(text: str) -> bool:
    """Whether this is a command for curl."""
    return _COMMAND.match(text) is not None


def read_command(text: str) -> Saved:
    """The request that a command makes; ValueError where it names no address."""
    start = _COMMAND.match(text)
    given = list(_options(list(_words(_posix(text[start.end() if start else 0 :])))))
    address = next((value for name, value in given if name == "url"), "")
    if not address:
        raise ValueError("this curl command names no URL")
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if not parts.netloc:
        raise ValueError(f"this curl command wants {address[:80]!r}, which names no host; want https://host/path")
    headers = list(_headers(given))
    names = [name for name, _ in headers]
    if "user-agent" not in names:  # typed, not copied
        headers += [("user-agent", "curl"), *([] if "accept" in names else [("accept", "*/*")])]
    elif "accept-encoding" not in names:
        headers.append(("accept-encoding", _ALWAYS))
    if "host" not in names:
        headers.insert(0, ("host", parts.netloc.rpartition("@")[2]))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Saved(_method(given), target, "1.1", parts.scheme, tuple(headers), as_sent=False)


def _posix(text: str) -> str:
    """A command for Windows as one for a POSIX shell: there ``^`` takes away a character's meaning."""
    return re.sub(r"\^(\r?\n|.)", lambda m: " " if m[1][-1] == "\n" else m[1], text) if '^"' in text else text


def _words(text: str) -> Iterator[str]:
    word: list[str] = []
    at, text = 0, text.strip()
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise ValueError(f"a quote that does not end: {text[at : at + 40]!r}")
        at = found.end()
        if found["gap"] is None:
            word.append(_unquoted(found))
        elif word:
            yield "".join(word)
            word = []
    yield "".join(word)


def _unquoted(found: re.Match[str]) -> str:
    kind = str(found.lastgroup)
    if kind == "ansi":
        return _ANSI.sub(_ansi, found[kind])
    return re.sub(r'\\(["\\$`])', r"\1", found[kind]) if kind == "double" else found[kind]


def _ansi(found: re.Match[str]) -> str:
    code, point, octal, letter = found.groups()
    if letter:
        return _ANSI_LETTERS.get(letter, letter)
    return chr(int(code or point, 16)) if octal is None else chr(int(octal, 8))


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Names and values of a command's options, in order; an address without one is the option ``url``."""
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            name = word[2:]
            yield name, next(rest, "") if name in _LONG_VALUE else ""
        elif len(word) > 1 and word[0] == "-":
            yield from _short(word[1:], rest)
        elif word:
            yield "url", word


def _short(cluster: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """``-sSL``, ``-XPOST``, ``-H value``."""
    for at, letter in enumerate(cluster):
        name = _SHORT.get(letter, letter)
        if letter in _NEED_VALUE:
            yield name, cluster[at + 1 :] or next(rest, "")
            return
        yield name, ""


def _headers(given: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in given:
        if name == "header":
            key, colon, text = value.partition(":")
            if colon and text.strip():
                yield key.strip().lower(), text.strip()
            elif value.endswith(";"):
                yield value[:-1].lower(), ""
        elif name in ("user-agent", "referer") or (name == "cookie" and "=" in value):
            yield name, value


def _method(given: list[tuple[str, str]]) -> str:
    options = dict(given)
    if options.get("request"):
        return options["request"].upper()
    if "head" in options:
        return "HEAD"
    return "POST" if any(n.startswith(_BODIES) for n in options) and "get" not in options else "GET"
