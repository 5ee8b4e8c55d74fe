"""What Akismet says when it calls back: comments of which it may think otherwise by now.

    {"key": …, "endpoint": "comment-check", "comments": [{"guid": …, "result": "true", …}, …]}

Strategy: no documentation but a comment in Akismet's own plugin tells what such a call looks like, and anybody can
write one. So it is read for the names of comments alone, and what it claims of them counts for nothing: the service is
asked. The plugin's framework takes JSON and forms alike (``comments[0][guid]=…``, as PHP writes nested values), and so
is either read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

MOST_BODY = 2**20
"""Bytes of a call: a hundred comments with all their fields."""
MOST_NAMES = 100
"""Comments of one call that are looked at."""
CHECKED = "comment-check"
"""The call of ours that was answered otherwise than the service would answer it now."""
_GUID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_NESTED = re.compile(r"comments\[[^\[\]]{0,20}\]\[guid\]")
_KEY = 64


class Called(NamedTuple):
    """One call."""

    key: str
    """What it says to show that it comes from the service."""
    endpoint: str
    guids: tuple[str, ...]
    """The service's names of the comments that it is about."""


def read_call(body: bytes) -> Called | None:
    """What a call says; None for what is none. Any bytes may come."""
    if len(body) > MOST_BODY:
        return None
    return _read_json(body) if body.lstrip()[:1] == b"{" else _read_form(body)


def answer(guids: Iterable[str]) -> bytes:
    """What the service is answered, in the form of its plugin's answers."""
    return json.dumps({"comments": {guid: {"status": "success"} for guid in guids}}).encode()


def _read_json(body: bytes) -> Called | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("comments", []), list):
        return None
    named = (one.get("guid") for one in data.get("comments", [])[:MOST_NAMES] if isinstance(one, dict))
    return _called(data.get("key"), data.get("endpoint"), named)


def _read_form(body: bytes) -> Called | None:
    pairs = [_pair(field) for field in body.split(b"&", 64 * MOST_NAMES)[: 64 * MOST_NAMES]]
    told = dict(reversed(pairs))
    return _called(told.get("key"), told.get("endpoint"), (value for name, value in pairs if _NESTED.fullmatch(name)))


def _called(key: Any, endpoint: Any, guids: Iterable[Any]) -> Called | None:
    if not (isinstance(key, str) and isinstance(endpoint, str) and 0 < len(key) <= _KEY):
        return None
    named = [guid for guid in guids if isinstance(guid, str) and _GUID.fullmatch(guid)]
    return Called(key, endpoint[:_KEY], tuple(dict.fromkeys(named))[:MOST_NAMES])


def _pair(field: bytes) -> tuple[str, str]:
    name, _, value = field.partition(b"=")
    return _decoded(name[:200]), _decoded(value[:600])


def _decoded(text: bytes) -> str:
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8", "replace")
