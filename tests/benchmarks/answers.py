"""Whether an answer is the one that is to be measured. Strict: what differs is not timed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from enum import Enum
from gzip import BadGzipFile, decompress

from contentguard.assets import PRINT, SCRIPT, STYLE
from tests.benchmarks.apps import PAGE

SHEET = f"/.contentguard/{PRINT.file}"
GZIP = {"accept-encoding": "gzip"}


def returning(headers: Mapping[str, str]) -> dict[str, str]:
    """What a reader sends who has been here before: the cookie of an answer (header names in lower case), if any.

    The answer to the sheet that comes with every article (``SHEET``) has the cookie of one who reads it whole.
    """
    cookie = headers.get("set-cookie", "").partition(";")[0]
    return {"cookie": cookie} if cookie else {}


class Kind(Enum):
    """What an answer has to be."""

    PLAIN = "the page as the app makes it"
    GUARDED = "the page with the guard's inserts"
    REFUSED = "a refusal"
    NEWS = "an article of the example site as it is without the guard"


def fault(kind: Kind, status: int, headers: Mapping[str, str], body: bytes, *, gzip: bool) -> str:
    """What is wrong with an answer (header names in lower case), in words; empty where nothing is.

    ``gzip``: the client accepts it, so the body must be compressed, and else it must not be.
    """
    if status != (403 if kind is Kind.REFUSED else 200):
        return f"answered with status {status}"
    coding = headers.get("content-encoding", "identity")
    if coding != ("gzip" if gzip else "identity"):
        return f"the body comes as {coding}"
    try:
        plain = decompress(body) if gzip else body
    except (BadGzipFile, EOFError, zlib.error) as error:
        return f"the body is no gzip: {error}"
    return "" if _is(kind, plain) else f"the body is not {kind.value}"


def _is(kind: Kind, body: bytes) -> bool:
    if kind is Kind.PLAIN:
        return body == PAGE
    if kind is Kind.REFUSED:
        return len(body) < len(PAGE) // 4
    return all(asset.file.encode() in body for asset in (SCRIPT, STYLE)) is (kind is Kind.GUARDED)
