"""The text of a document, with every invisible character that it came with.

Strategy: only what a reader would see is text, and nothing of it is tidied up: marks are what is looked for. HTML by
the standard library's own parser, for a suspect's page need not be understood but read; Word's files by pandoc where it
is installed, else straight from the XML in them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from io import BytesIO
from types import MappingProxyType
from typing import NamedTuple
from xml.parsers import expat

from contentguard.watermark.html import Start, run

MOST = 16 * 2**20
"""Bytes of a document, and of what is packed in it."""
_MOST_STARTS = 20_000
_UNSEEN = frozenset(("script", "style", "template", "noscript", "title", "svg", "math", "iframe"))
_INLINE = re.compile(
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|q|rb|rp|rt|ruby|s|samp|small|span"
    "|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\([^()\n]{0,2000}\)")
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
    if kind == "docx":
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
        return data.decode(charset or "cp1252", "replace")
    except (LookupError, UnicodeError):
        return data.decode("cp1252", "replace")


# -- HTML and Markdown -----------------------------------------------------------------------------------------


class _Reader(HTMLParser):
    """Collects what is seen; blocks become paragraphs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.starts: list[Start] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag == "body":
            # Whatever was left open before it is over.
            self._unseen.clear()
        if len(attrs) > 1 and len(self.starts) < _MOST_STARTS:
            self.starts.append((tag, [(name, value or "") for name, value in attrs]))
        if frame := run(next((value or "" for name, value in attrs if name == "class"), "")):
            self.parts.append(frame)
        if not _INLINE.fullmatch(tag):
            self.parts.append("\n" if tag == "br" else "\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        if not _INLINE.fullmatch(tag):
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def _html(text: str) -> Document:
    reader = _Reader()
    try:
        reader.feed(text)
        reader.close()
    except AssertionError as error:
        raise TextError(f"no HTML that can be read ({error})") from None
    return Document("".join(reader.parts), tuple(reader.starts))


def _markdown(text: str) -> Document:
    return Document(_LINK.sub(r"\1", text))


_READERS: Mapping[str, Callable[[str], Document]] = MappingProxyType(
    {"html": _html, "markdown": _markdown, "text": Document}
)


# -- Word ------------------------------------------------------------------------------------------------------


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
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, zlib.error, OSError) as error:
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
