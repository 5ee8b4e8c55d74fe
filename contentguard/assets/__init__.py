"""What the browser gets: scripts and style sheets, written by hand, without a step between writing and serving.

A script leaves without its indentation, the lines that are comments, most line breaks and the blanks around operators,
a style sheet without line breaks: they are for who reads it here.
A file's name carries the hash of its bytes, so it may be cached for ever, and its integrity stands ready
for the tag that names it. One is asked for anew with every page on purpose: that it is fetched shows a
browser. Everything is read once, on import; per-page values never enter a file, they travel in an attribute.
"""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from html import escape
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Asset:
    """One file for the browser, with all that its response and its tag need."""

    name: str
    """The name it has in the package, e.g. ``contentguard.js``."""
    file: str
    """The name it is served under: ``name`` with twelve hex digits of its SHA-256."""
    body: bytes
    content_type: str
    integrity: str
    """The value of an ``integrity`` attribute."""
    gzipped: bytes
    """``body`` packed as small as gzip gets it; the same bytes in every process."""
    kept: bool = True
    """Whether browsers may keep it without asking again."""

    @property
    def etag(self) -> bytes:
        """Its entity tag; weak, because it stands for the packed bytes, too."""
        return b'W/"%s"' % self.file.encode("ascii")

    def named(self, routes: str) -> tuple[bytes, bytes]:
        """The end of a tag's ``src`` or ``href`` and its integrity, for a page whose routes are below ``routes``."""
        where = escape(f"{routes}/{self.file}").encode("ascii", "xmlcharrefreplace")
        return where, b'" integrity="%s"' % self.integrity.encode("ascii")


_UNSAID = re.compile(rb"^ *+(?:(?://.*+)?\n)?", re.MULTILINE)
_UNENDED = re.compile(rb"(?<=[;{,(])\n")
"""Where a line ends that could go on; a script has no comment behind code,"""
_SPACED = re.compile(rb" (=>|===?|!==|&&|\|\||[?:=+]) ")
"""and none of these in a text."""


def _asset(name: str, content_type: str, *, kept: bool = True) -> Asset:
    body = files(__name__).joinpath(name).read_bytes()
    if name.endswith(".js"):
        body = _SPACED.sub(rb"\1", _UNENDED.sub(b"", _UNSAID.sub(b"", body)))
    elif name.endswith(".css"):
        body = body.replace(b"\n", b"")
    stem, dot, ending = name.rpartition(".")
    return Asset(
        name=name,
        file=f"{stem}.{sha256(body).hexdigest()[:12]}{dot}{ending}",
        body=body,
        content_type=content_type,
        integrity="sha384-" + b64encode(sha384(body).digest()).decode("ascii"),
        gzipped=gzip.compress(body, 9, mtime=0),
        kept=kept,
    )


SCRIPT = _asset("contentguard.js", "text/javascript; charset=utf-8")
STYLE = _asset("contentguard.css", "text/css; charset=utf-8")

PRINT = _asset("contentguard-print.css", "text/css; charset=utf-8", kept=False)
"""For paper; browsers fetch it behind everything else."""
REPORT = _asset("report.js", "text/javascript; charset=utf-8")
REST = _asset("contentguard-rest.js", "text/javascript; charset=utf-8")
"""What fetches the rest of an article that a reader has the lead of."""

ASSETS: Mapping[str, Asset] = MappingProxyType({asset.file: asset for asset in (SCRIPT, STYLE, PRINT, REPORT, REST)})
"""Everything there is to serve, by the name in its URL."""

REFUSAL = files(__name__).joinpath("refusal.html").read_text("utf-8")
"""The page of a refusal, with the places ``{site}``, ``{advice}`` and ``{id}``."""
WAIT = files(__name__).joinpath("wait.html").read_text("utf-8")
"""The page for a moment's patience; its places are ``{refresh}``, ``{site}``, ``{advice}``, ``{next}`` and ``{id}``."""
