"""Documents that are no text of any kind that is read, though they may look like one.

Strategy: they are known by how they begin. Read as text they would hold no mark and no word, and a trace would say that
nothing of the site's is in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_PICTURE = "a picture: trace-image tells of its marks; what is written in it has to be typed"
_UTF_32 = "text in UTF-32: iconv makes UTF-8 of it"
_STARTS: Mapping[bytes, str] = MappingProxyType(
    {
        b"%PDF-": "a PDF document: pdftotext makes text of it",
        b"{\\rtf": "a document in RTF: pandoc makes text of it",
        b"WARC/": "an archive of the web (WARC): take the pages out of it",
        b"\xff\xfe\0\0": _UTF_32,
        b"\0\0\xfe\xff": _UTF_32,
        b"\x89PNG": _PICTURE,
        b"\xff\xd8\xff": _PICTURE,
    }
)
_PACKED: Mapping[bytes, str] = MappingProxyType(
    {
        b"mimetypeapplication/epub+zip": "a book (EPUB): pandoc makes text of it",
        b"mimetypeapplication/vnd.oasis.opendocument": "an OpenDocument: pandoc makes text of it",
    }
)
"""What stands uncompressed at byte 30 of such archives (EPUB OCF 3.3, 4.3; ODF 1.3 part 2, 3.3)."""
_HEAD = re.compile(rb"(?:[!-9;-~]{1,70}+:[^\n]{0,990}+\n(?:[ \t][^\n]{0,990}+\n)*+){2,}+")
"""Header fields of a mail (RFC 5322, 2.2)."""
_OF_MAIL = re.compile(rb"(?:^|\n)(?:content-transfer-encoding|mime-version|received):", re.IGNORECASE)


def other(data: bytes) -> str:
    """What a document is, and what to do about it; empty for what may be text, HTML, Markdown or Word."""
    for start, what in _STARTS.items():
        if data.startswith(start):
            return what
    for start, what in _PACKED.items():
        if data.startswith(b"PK\x03\x04") and data.startswith(start, 30):
            return what
    # A mailbox puts a line of its own before each mail.
    begin = data.find(b"\n", 0, 1000) + 1 if data.startswith(b"From ") else 0
    head = _HEAD.match(data, begin, begin + 65_536)
    return "an e-mail: save its text or its HTML" if head is not None and _OF_MAIL.search(head[0]) else ""
