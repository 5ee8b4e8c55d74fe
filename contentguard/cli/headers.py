"""A request's headers as people save them: from a browser's developer tools or from ``curl -v``.

Read are ``Name: value`` lines with or without a request line before them, the pseudo-headers of HTTP/2
(``:path: /a``), the two-line form in which Chromium copies (a name, and its value on the next line), and curl's ``>``
lines. Where there are several requests, the first one is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_NAME = r":?[A-Za-z0-9!#$%&'*+.^_`|~-]++"
_REQUEST = re.compile(r"([A-Z]{1,20}) (\S++)(?: HTTP/([0-9.]{1,3}))?")
_HEADER = re.compile(rf"({_NAME}):[ \t]*+(.*)", re.DOTALL)
_SPACED = re.compile(rf"{_NAME}:(?: .*|)", re.DOTALL)
_ALONE = re.compile(rf"({_NAME}):?")


class Saved(NamedTuple):
    """What a file of headers tells of a request."""

    method: str
    target: str
    http_version: str
    scheme: str
    headers: tuple[tuple[str, str], ...]
    """Lower-case names, in their order."""
    as_sent: bool = True
    """Whether that order is the one on the wire."""


def read_headers(text: str) -> Saved:
    """The request that ``text`` holds; ValueError where there is none."""
    lines = _request_lines(text)
    found = _REQUEST.fullmatch(lines[0]) if lines else None
    lines = lines[1:] if found is not None else lines
    pairs = list(_pairs(lines))
    if found is None and all(name.startswith(":") for name, _ in pairs):
        raise ValueError("no headers in it: one to a line, like Accept: text/html")
    method, target, version = found.groups() if found else ("GET", "/", None)
    return put_together(method, target, version or "", pairs)


def put_together(method: str, target: str, version: str, pairs: list[tuple[str, str]]) -> Saved:
    """A request of its parts, with what HTTP/2 says in headers with a colon put where it belongs.

    ``version``: empty where it is not known.
    """
    pseudo = {name: value for name, value in pairs if name.startswith(":")}
    headers = tuple((name, value) for name, value in pairs if not name.startswith(":"))
    authority = pseudo.get(":authority")
    if authority and not any(name == "host" for name, _ in headers):
        headers = (("host", authority), *headers)
    return Saved(
        pseudo.get(":method", method),
        pseudo.get(":path", target),
        version or ("2" if pseudo else "1.1"),
        pseudo.get(":scheme", "https"),
        headers,
    )


def _request_lines(text: str) -> list[str]:
    """The lines of the first request: curl's ``>`` lines if there are any, otherwise all up to an empty one."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    sent = [line[1:].removeprefix(" ") for line in lines if line.startswith(">")]
    lines = [line.rstrip() for line in sent or lines]
    while lines and not lines[0]:
        del lines[0]
    return lines[: lines.index("")] if "" in lines else lines


def _pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(lines):
        line = lines[at]
        following = lines[at + 1] if at + 1 < len(lines) else ""
        alone = _ALONE.fullmatch(line)
        if alone and following and not _SPACED.fullmatch(following):
            # ``https://x`` is a value: only a name with a space or nothing behind its colon is a header.
            yield alone[1].lower(), following.strip()
            at += 2
            continue
        found = _HEADER.fullmatch(line)
        if found is None:
            raise ValueError(f"a line that is no header: {line[:80]!r}")
        yield found[1].lower(), found[2].strip()
        at += 1


def path_of(target: str) -> str:
    """The path of a request target as a server hands it to an application: decoded, without the query."""
    if not target.startswith("/") and "://" in target:
        try:
            target = urlsplit(target).path or "/"
        except ValueError:
            target = "/"
    return unquote(target.partition("?")[0].partition("#")[0])
