"""How the headers lie on a connection that nobody stands in: order, Host, Connection, what only HTTP/2 would carry.

An ASGI server lowers the names and keeps their order. Any proxy may change it, so all of this is silent as soon as one
shows itself (``Shape.direct``); and as one may stand there unseen, it counts as something that can befall a reader.
"""

from __future__ import annotations

from collections.abc import Mapping

from contentguard.detect.shape import Shape

_CHROMIUM = (
    b"upgrade-insecure-requests",
    b"user-agent",
    b"accept",
    b"sec-fetch-site",
    b"sec-fetch-mode",
    b"sec-fetch-user",
    b"sec-fetch-dest",
    b"accept-encoding",
    b"cookie",
)
_FIREFOX = (
    b"user-agent",
    b"accept",
    b"accept-language",
    b"accept-encoding",
    b"upgrade-insecure-requests",
    b"sec-fetch-dest",
    b"sec-fetch-mode",
    b"sec-fetch-site",
    b"sec-fetch-user",
)
_RANKS = {
    "chromium": {name: rank for rank, name in enumerate(_CHROMIUM)},
    "firefox": {name: rank for rank, name in enumerate(_FIREFOX)},
}
"""The order of a navigation. Accept-Language of Chromium is not in it: extensions and embedders move it."""


def detect(shape: Shape) -> list[str]:
    """The names of signals in the form of a direct connection."""
    headers, values, agent, _, direct, http1, document = shape
    found: list[str] = []
    if not (direct and document and agent.plain):
        return found
    if b"http2-settings" in values:
        found.append("cleartext-upgrade")
    ranks = _RANKS.get(agent.engine)
    if ranks is None and agent.system not in ("macos", "ios"):
        return found  # WebKit elsewhere speaks HTTP through libraries of its own
    if ranks is not None and not _in_order(headers, ranks):
        found.append("header-order")
    if http1:
        # HTTP/1.1 only: Host leads, the connection is kept, and Chromium keeps Priority for HTTP/2 and 3.
        if headers[0][0] != b"host":
            found.append("host-not-first")
        if b"connection" not in values:
            found.append("no-keep-alive")
        if agent.engine == "chromium" and b"priority" in values:
            found.append("priority-on-http1")
        if b"content-length" in values or b"transfer-encoding" in values:
            found.append("body-with-get")
    return found


def _in_order(headers: tuple[tuple[bytes, bytes], ...], ranks: Mapping[bytes, int]) -> bool:
    last = 0
    for name, _ in headers:
        if name in ranks:
            if ranks[name] < last:
                return False
            last = ranks[name]
    return True
