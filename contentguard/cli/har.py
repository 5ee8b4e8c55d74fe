"""HAR files, as browsers save them from their network panel (HTTP Archive 1.2).

Of the many requests in one the first for a page is taken, or the one that is asked for by its path. Chromium sorts the
headers that it saves, so where they are in the alphabet's order they tell nothing of the order on the wire.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from contentguard.cli.headers import Saved, path_of, put_together

_VERSION = re.compile(r"h(?:ttp/)?([0-9.]{1,3})", re.IGNORECASE)


def is_archive(text: str) -> bool:
    """Whether this is JSON, of which no other form of saved headers is made."""
    return text.lstrip("\ufeff \t\r\n").startswith("{")


def read_archive(text: str, path: str = "") -> Saved:
    """A request of a HAR file: the first for a page, or for ``path``; ValueError where there is none."""
    requests = list(_requests(text))
    if not requests:
        raise ValueError("a HAR file without a request")
    chosen = [one for one in requests if (path_of(str(one["url"])) == path if path else _is_page(one))]
    if path and not chosen:
        raise ValueError(f"no request for {path!r} in this HAR file; there is {path_of(str(requests[0]['url']))!r}")
    return _saved((chosen or requests)[0])


def _requests(text: str) -> Iterator[dict[str, Any]]:
    try:
        entries = json.loads(text.lstrip("\ufeff"))["log"]["entries"]
        for entry in entries:
            request = entry["request"]
            pairs = [(str(one["name"]).lower(), str(one["value"])) for one in request["headers"]]
            yield {"method": "GET", "httpVersion": "", **request, "url": str(request["url"]), "pairs": pairs}
    except json.JSONDecodeError as error:
        raise ValueError(f"no whole HAR file: {error}") from None
    except (LookupError, TypeError, RecursionError):
        raise ValueError("no HAR file: JSON with log.entries, each with a request, its url and its headers") from None


def _is_page(request: dict[str, Any]) -> bool:
    headers = dict(request["pairs"])
    return headers.get("sec-fetch-dest", "document") == "document" and "text/html" in headers.get("accept", "")


def _saved(request: dict[str, Any]) -> Saved:
    parts = urlsplit(request["url"])
    found = _VERSION.fullmatch(str(request["httpVersion"]))
    version = found[1].removesuffix(".0") if found else "1.1"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pairs = [(":scheme", parts.scheme), (":authority", parts.netloc), *request["pairs"]]
    saved = put_together(str(request["method"]), target, version, pairs)
    names = [str(one["name"]) for one in request["headers"] if not str(one["name"]).startswith(":")]
    return saved._replace(as_sent=names not in (sorted(names), sorted(names, key=str.lower)))
