"""One line of an access log → the request that it records.

Known are the combined and common formats of Apache and nginx (with or without the virtual host in front), uvicorn's
access lines, and JSON: Caddy's, nginx's with the usual names of its variables, and our own records. The format is told
by each line itself, so one file may hold several. Whatever cannot be read raises ``UnreadableError``; the messages are
few, so that they can be counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from contentguard.cli.headers import path_of
from contentguard.cli.recorded import Recorded, UnreadableError, read_record
from contentguard.model import Facts

LONGEST = 65536
"""Characters of a line; nothing that is longer is read."""

_QUOTED = r'"((?:[^"\\]++|\\.)*+)"'
_AFTER_TIME = re.compile(rf"([^\]]++)\] {_QUOTED} (\d{{3}}|-)(?: (?:\d++|-)(?: {_QUOTED} {_QUOTED})?+)?+")
_REQUEST = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}+) (\S++)(?: HTTP/([0-9.]{1,3}))?+")
_UVICORN = re.compile(rf"(?:^|\s)(\S++) - {_QUOTED} (\d{{3}})")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*+m")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_CLOCK = re.compile(r"(\d{1,2})/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?: ([+-])(\d\d)(\d\d))?+")


def read_line(line: str) -> Recorded:
    """The request that a line records; ``UnreadableError`` where it records none."""
    if len(line) > LONGEST:
        raise UnreadableError("a line of more than 64 KiB")
    text = line.strip()
    if text.startswith("{"):
        return _json(text)
    head, bracket, rest = text.partition(" [")
    found = _AFTER_TIME.match(rest) if bracket else None
    if found is not None:
        return _combined(head, found)
    uvicorn = _UVICORN.search(_COLOUR.sub("", text) if "\x1b" in text else text)
    if uvicorn is None:
        raise UnreadableError("no line of an access log that is known")
    return _uvicorn(uvicorn)


def _combined(head: str, found: re.Match[str]) -> Recorded:
    time, request, status, referer, agent = found.groups()
    headers = [(b"user-agent", _raw(agent)), (b"referer", _raw(referer))]
    return _recorded(request, _client(head), [pair for pair in headers if pair[1]], _when(time), status)


def _client(head: str) -> str:
    """The address of ``host ident user``, where a virtual host may stand in front and a user's name hold spaces."""
    words = head.split(" ", 4)
    return words[1] if len(words) > 3 and words[2] == "-" and words[1] != "-" else words[0]


def _uvicorn(found: re.Match[str]) -> Recorded:
    peer, request, status = found.groups()
    address, _, port = peer.rpartition(":")
    if not (address and port.isdecimal()):
        raise UnreadableError("no line of an access log that is known")
    return _recorded(request, address.strip("[]"), [], None, status)


def _recorded(
    request: str, client: str | None, headers: list[tuple[bytes, bytes]], when: float | None, status: object
) -> Recorded:
    found = _REQUEST.fullmatch(_unescaped(request).decode("utf-8", "replace"))
    if found is None:
        raise UnreadableError("no request in it, only what a client sent instead")
    method, target, version = found.groups()
    return _as_recorded(method, path_of(target), version, client, headers, when, status)


def _as_recorded(
    method: str,
    path: str,
    version: str | None,
    client: str | None,
    headers: list[tuple[bytes, bytes]],
    when: float | None,
    status: object,
) -> Recorded:
    text = str(status)
    code = int(text) if len(text) == 3 and text.isdecimal() else 0
    facts = Facts(method, path, tuple(headers), client, http_version=version or "1.1", now=when or 0.0)
    return Recorded(
        facts, complete=False, outcome=_OUTCOMES.get(code, "served"), status=code or None, timed=when is not None
    )


_OUTCOMES = {402: "charge", 403: "deny", 429: "throttle"}


def _raw(text: str | None) -> bytes:
    return b"" if text in (None, "-") else _unescaped(str(text))


def _unescaped(text: str) -> bytes:
    """A field without the escapes of nginx (``\\x22``) and Apache (``\\"``)."""
    if "\\" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
        return text.encode("latin-1", "replace")
    return text.encode("utf-8", "replace")


@lru_cache(maxsize=1024)
def _when(text: str) -> float:
    """Seconds since the epoch, from ``10/Oct/2026:13:55:36 -0700``."""
    found = _CLOCK.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        raise UnreadableError("a time that cannot be read")
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-ahead if sign == "-" else ahead)
        return datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=zone
        ).timestamp()
    except ValueError:
        raise UnreadableError("a time that cannot be read") from None


# -- JSON ------------------------------------------------------------------------------------------------------

_ADDRESSES = ("remote_addr", "client_ip", "remote_ip", "client", "ip")
_TARGETS = ("request_uri", "uri", "path", "url")
_METHODS = ("request_method", "method")
_AGENTS = ("http_user_agent", "user_agent", "agent")
_TIMES = ("time_iso8601", "time_local", "msec", "timestamp", "@timestamp", "time", "ts")


def _json(text: str) -> Recorded:
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise UnreadableError("no JSON") from None
    if not isinstance(data, dict):
        raise UnreadableError("no JSON object")
    if "facts" in data or "rule" in data or "verdict" in data or isinstance(data.get("headers"), list):
        return read_record(data)
    request = data.get("request")
    return _caddy(data, request) if isinstance(request, dict) else _nginx(data)


def _caddy(data: Mapping[str, Any], request: Mapping[str, Any]) -> Recorded:
    client = _text(request, ("client_ip", "remote_ip")) or (_text(request, ("remote_addr",)) or "").rpartition(":")[0]
    headers = request.get("headers")
    pairs = list(_caddy_headers(headers)) if isinstance(headers, dict) else []
    if host := _text(request, ("host",)):
        pairs.insert(0, (b"host", host.encode("latin-1", "replace")))
    target, method = _text(request, ("uri",)), _text(request, ("method",))
    if target is None or method is None:
        raise UnreadableError("a JSON line without method and target")
    version = (_text(request, ("proto",)) or "").removeprefix("HTTP/") or None
    when = _json_time(data.get("ts"))
    return _as_recorded(method, path_of(target), version, client.strip("[]") or None, pairs, when, data.get("status"))


def _caddy_headers(headers: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, values in headers.items():
        for value in values if isinstance(values, list) else [values]:
            yield str(name).lower().encode("latin-1", "replace"), str(value).encode("latin-1", "replace")


def _nginx(data: Mapping[str, Any]) -> Recorded:
    headers = [
        (name[5:].replace("_", "-").lower().encode("ascii", "replace"), _raw(str(value)))
        for name, value in data.items()
        if name.startswith("http_") and value not in (None, "", "-")
    ]
    agent = _text(data, _AGENTS)
    if agent and not any(name == b"user-agent" for name, _ in headers):
        headers.append((b"user-agent", _raw(agent)))
    client, when = _text(data, _ADDRESSES), _json_time(next((data[n] for n in _TIMES if n in data), None))
    request = _text(data, ("request",))
    if request is not None:
        return _recorded(request, client, headers, when, data.get("status"))
    method, target = _text(data, _METHODS), _text(data, _TARGETS)
    if method is None or target is None:
        raise UnreadableError("a JSON line without method and target")
    return _as_recorded(method, path_of(target), None, client, headers, when, data.get("status"))


def _text(data: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((data[name] for name in names if isinstance(data.get(name), str) and data[name]), None)


def _json_time(value: object) -> float | None:
    """Seconds since the epoch, from a number, ISO 8601 or the form of the combined log; None where there is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str) or not value:
        return None
    try:
        return float(value)
    except ValueError:
        pass
    if "/" in value:
        return _when(value)
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        raise UnreadableError("a time that cannot be read") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
