"""The text of a document, with every invisible character that it came with.

Strategy: only what a reader would see is text, and nothing of it is tidied up: marks are what is looked for. HTML by
the tokens of ``rewrite``, in one pass whatever stands in it: the standard library's parser takes 20 s for 40 kB of
tags that do not end, and who copies chooses what is read here. Word's files by pandoc where it is installed, else
straight from the XML in them.
"""

from __future__ import annotations

import codecs
import re
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Mapping
from html import unescape
from io import BytesIO
from types import MappingProxyType
from typing import NamedTuple
from xml.parsers import expat

from contentguard.cli.others import other
from contentguard.rewrite.tokenizer import RAW_TEXT, TOKEN, RawText, attributes, other_end
from contentguard.watermark.html import Start, run

MOST = 16 * 2**20
"""Bytes of a document, and of what is packed in it."""
_MOST_STARTS = 20_000
_UNSEEN = frozenset(("script", "style", "template", "noscript", "title", "svg", "math", "iframe"))
_FOREIGN = frozenset(("svg", "math"))
"""Of these "/>" ends the element as well."""
_RAW = RAW_TEXT - {b"noscript"}
"""As in a browser without scripts: start tags in it are known by their spelling, too."""
_END = 3
"""The group of a token that is an end tag's name."""
_INLINE = re.compile(
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|q|rb|rp|rt|ruby|s|samp|small|span"
    "|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_NO_CHARSETS = frozenset(("punycode", "idna", "utf-7", "unicode-escape", "unicode_escape", "raw-unicode-escape"))
"""What Python can decode and no browser does; of punycode 200 kB take half a minute."""
_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\([^()\n]{0,2000}\)")
_CHUNK = 2**20
_NO_ZIP = (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, zlib.error, OSError)
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class TextError(ValueError):
    """A document whose text is not to be had; the message says why."""


class Document(NamedTuple):
    """What is read of one."""

    text: str
    """With a frame where a class of ours stood that says the same."""
    starts: tuple[Start, ...] = ()
    """Start tags with two attributes or more, where it was HTML."""


def text_of(data: bytes, kind: str, charset: str = "") -> str:
    """The text of a document; see ``document``."""
    return document(data, kind, charset).text


def document(data: bytes, kind: str, charset: str = "") -> Document:
    """What a document holds. ``kind``: ``html``, ``markdown``, ``docx`` or ``text``. Raises ``TextError``."""
    if len(data) > MOST:
        raise TextError(f"more than {MOST // 2**20} MB")
    if what := other(data):
        raise TextError(f"expected text, HTML, Markdown or Word, found {what}")
    if kind == "docx":
        _measured(data)
        return Document(_by_pandoc(data) or _word(data))
    if b"\0" in data[:8192] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TextError("no text, but what only programs read")
    return _READERS[kind](_decoded(data, charset or (_declared(data) if kind == "html" else "")))


def kind_of(name: str, data: bytes, media: str = "") -> str:
    """What a document is, by its media type, its name and how it begins."""
    if data.startswith(b"PK\x03\x04") or name.lower().endswith(".docx"):
        return "docx"
    if media in ("text/html", "application/xhtml+xml") or name.lower().endswith((".html", ".htm", ".xhtml")):
        return "html"
    if media == "text/markdown" or name.lower().endswith((".md", ".markdown")):
        return "markdown"
    start = data[:512].lstrip().lower()
    return "html" if start.startswith((b"<!doctype html", b"<html")) else "text"


def _declared(data: bytes) -> str:
    found = _CHARSET.search(data[:4096])
    return found[1].decode("ascii") if found else ""


def _decoded(data: bytes, charset: str) -> str:
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(name, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        known = codecs.lookup(charset or "cp1252").name
        return data.decode("cp1252" if known in _NO_CHARSETS else known, "replace")
    except (LookupError, ValueError):
        return data.decode("cp1252", "replace")


# -- HTML and Markdown -----------------------------------------------------------------------------------------


class _Reader:
    """Collects what is seen; blocks become paragraphs."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.starts: list[Start] = []
        self._depth = 0
        """How many elements are open of which nothing is seen."""
        self._first: dict[str, int] = {}
        """Such an element's name → how many were open before the first of that name."""

    def start(self, name: bytes, tag: bytes) -> None:
        """A start tag."""
        kind = name.lower().decode("utf-8", "replace")
        if kind in _UNSEEN and not (kind in _FOREIGN and tag.endswith(b"/>")):
            self._first.setdefault(kind, self._depth)
            self._depth += 1
        elif kind == "body":
            # Whatever was left open before it is over.
            self._depth = 0
            self._first.clear()
        has_any = len(tag) > len(name) + 2
        given = [(_shown(key), _shown(value)) for key, value in attributes(tag).items()] if has_any else []
        if len(given) > 1 and len(self.starts) < _MOST_STARTS:
            self.starts.append((kind, given))
        if frame := run(next((value for key, value in given if key == "class"), "")):
            self.parts.append(frame)
        if not _INLINE.fullmatch(kind):
            self.parts.append("\n" if kind == "br" else "\n\n")

    def end(self, name: bytes) -> None:
        """An end tag."""
        kind = name.lower().decode("utf-8", "replace")
        if kind in self._first:
            self._depth = depth = self._first[kind]
            self._first = {open_: before for open_, before in self._first.items() if before < depth}
        if not _INLINE.fullmatch(kind):
            self.parts.append("\n\n")

    def text(self, data: bytes) -> None:
        """What stands between tags."""
        if data and not self._depth:
            self.parts.append(_shown(data))


def _shown(data: bytes) -> str:
    return unescape(data.decode("utf-8", "surrogatepass"))


def _html(text: str) -> Document:
    reader, data, at = _Reader(), text.encode("utf-8", "surrogatepass"), 0
    while (match := TOKEN.search(data, at)) is not None:
        begin, which = match.start(), match.lastindex
        reader.text(data[at:begin])
        at = match.end()
        if which is None:
            at, _ = other_end(data, begin, 0, foreign=False)
            if at < 0:
                # Never finished: a browser shows nothing of it.
                at = len(data)
        elif which == _END:
            reader.end(match[_END])
        else:
            name = match[1]
            reader.start(name, data[begin : at if which == 1 else match.start(2)])
            if which == 2:
                reader.text(match[2])
                reader.end(name)
            elif (raw := name.lower()) in _RAW:
                content, found = RawText(raw).end(data, at)
                content = content if found else len(data)
                reader.text(data[at:content])
                at = content
    reader.text(data[at:])
    return Document("".join(reader.parts), tuple(reader.starts))


def _markdown(text: str) -> Document:
    return Document(_LINK.sub(r"\1", text))


_READERS: Mapping[str, Callable[[str], Document]] = MappingProxyType(
    {"html": _html, "markdown": _markdown, "text": Document}
)


# -- Word ------------------------------------------------------------------------------------------------------


def _measured(data: bytes) -> None:
    """Raise ``TextError`` for a file that unpacks to more than any document: pandoc would unpack all of it."""
    left = 4 * MOST
    try:
        with zipfile.ZipFile(BytesIO(data)) as file:
            for one in file.infolist():
                if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise TextError("no document of Word (packed as none is)")
                with file.open(one) as part:
                    while chunk := part.read(min(left + 1, _CHUNK)):
                        left -= len(chunk)
                        if left < 0:
                            raise TextError(f"more than {4 * MOST // 2**20} MB unpacked")
    except _NO_ZIP as error:
        raise TextError(f"no document of Word ({error})") from None


def _by_pandoc(data: bytes) -> str:
    """What pandoc makes of it; empty where that is not installed, or fails."""
    program = shutil.which("pandoc")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, "--sandbox", "--from=docx", "--to=plain", "--wrap=none"],
            input=data,
            capture_output=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _word(data: bytes) -> str:
    """The paragraphs of ``word/document.xml`` (ECMA-376, part 1, §17.3)."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as file, file.open("word/document.xml") as document:
            xml = document.read(MOST + 1)
    except _NO_ZIP as error:
        raise TextError(f"no document of Word ({error})") from None
    if len(xml) > MOST:
        raise TextError(f"more than {MOST // 2**20} MB unpacked")
    return _paragraphs(xml)


def _paragraphs(xml: bytes) -> str:
    parts: list[str] = []
    inside: list[str] = []

    def start(name: str, attributes: object) -> None:
        inside.append(name)
        if name.endswith(("}br", "}cr", "}tab")):
            parts.append(" ")

    def end(name: str) -> None:
        inside.pop()
        if name == f"{_WORD}p":
            parts.append("\n\n")

    def text(data: str) -> None:
        if inside[-1] == f"{_WORD}t":
            parts.append(data)

    def doctype(*declared: object) -> None:
        raise TextError("a document type in a document of Word: it could make a text without end")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = lambda name, attributes: start("{" + name, attributes)
    parser.EndElementHandler = lambda name: end("{" + name)
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text, doctype
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise TextError(f"no document of Word ({error})") from None
    return "".join(parts)
