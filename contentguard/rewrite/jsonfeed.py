"""Where the texts of a JSON Feed stand: every string of it that is longer than a summary, whatever member it is of.

Strategy: one pass over the tokens (RFC 8259 §2). Only strings are changed, so what was JSON stays JSON. An object's
``url`` (else ``external_url``) says where its texts can be read in whole. Source: jsonfeed.org, version 1.1.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from contentguard.rewrite.feedtext import DEEPEST, Entry, FeedError, Form, Scanned, Text, Trouble, is_address
from contentguard.rewrite.written import Way, Written

_TOKEN = re.compile(
    r'[ \t\n\r]*+(?:([{}\[\],:])|"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)"'
    r"|(-?+[0-9][0-9.eE+-]*+|true|false|null))"
)
_VERSION = re.compile(r"https?://jsonfeed\.org/version/")
_NAME = "jsonfeed.org"
_HTML, _TEXT = frozenset(("content_html",)), frozenset(("content_text", "summary", "description"))


def is_feed(document: str) -> bool:
    """Whether a whole document is a JSON Feed, as far as it can be told without reading all of it."""
    return _NAME in document and document.lstrip("\ufeff \t\n\r").startswith("{")


@dataclass(slots=True)
class _Value:
    """An object or an array that is open."""

    closes: str
    entry: Entry = field(default_factory=Entry)
    name: str = ""
    """The member that is read."""
    named: bool = False
    """Whether its name has been read, and its value has not."""
    other: str = ""
    """Its address elsewhere."""


def scan(document: str, summary: int, *, declared: bool) -> Scanned | None:
    """The texts of more than ``summary`` words; None for what is JSON and no feed. Raises ``FeedError``.

    ``declared``: it is one, whatever it says.
    """
    texts: list[Text] = []
    opened: list[_Value] = []
    at, length, found_version, ended = int(document.startswith("\ufeff")), len(document), declared, False
    while (token := _TOKEN.match(document, at)) is not None:
        at = token.end()
        if ended:
            raise FeedError(Trouble.MALFORMED)
        sign = token[1]
        if sign is None:
            if token[2] is not None and opened:
                found_version = _string(document, token, opened, texts, summary) or found_version
            ended = not opened
        elif sign in "{[":
            if len(opened) >= DEEPEST:
                raise FeedError(Trouble.TOO_DEEP)
            opened.append(_Value("}" if sign == "{" else "]"))
        elif sign in "}]":
            if not opened or opened[-1].closes != sign:
                raise FeedError(Trouble.MALFORMED)
            value = opened.pop()
            value.entry.led(value.other)
            ended = not opened
        elif not opened:
            raise FeedError(Trouble.MALFORMED)
        elif sign == ",":
            opened[-1].named = False
    if not ended or document[at:length].strip(" \t\n\r"):
        raise FeedError(Trouble.MALFORMED)
    return Scanned(texts, []) if found_version else None


def _string(document: str, token: re.Match[str], opened: list[_Value], texts: list[Text], summary: int) -> bool:
    """A string; whether it is the version of a feed."""
    value, raw = opened[-1], token[2]
    if value.closes == "}" and not value.named:
        value.name, value.named = json.loads(f'"{raw}"') if len(raw) <= 64 else "", True
        if len(raw) > summary and len(json.loads(f'"{raw}"').split()) > summary:
            raise FeedError(Trouble.MALFORMED)
        return False
    if value.closes == "}" and len(raw) <= 2048 and value.name in ("url", "external_url", "version"):
        said = json.loads(f'"{raw}"')
        if value.name == "version":
            return len(opened) == 1 and _VERSION.match(said) is not None
        if value.name == "url":
            value.entry.led(said)
        else:
            value.other = said
    if len(raw) > summary:
        _long(document, token, value, texts, summary)
    return False


def _long(document: str, token: re.Match[str], value: _Value, texts: list[Text], summary: int) -> None:
    written = Written()
    written.add(document, token.start(2), token.end(2), Way.ESCAPES)
    written.done()
    if is_address(written.said):
        return
    form = Form.HTML if value.name in _HTML else Form.TEXT if value.name in _TEXT else Form.OTHER
    text = Text(written, token.end(2), form, value.entry)
    if text.words > summary:
        texts.append(text)
