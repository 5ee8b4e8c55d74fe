"""How the headers lie on a connection that nobody stands in: order, Host, Connection, what only HTTP/2 would carry.

An ASGI server lowers the names and keeps their order. Any proxy may change it, so all of this is silent as soon as one
shows itself (``Shape.direct``); and as one may stand there unseen, it counts as something that can befall a reader.
"""

from __future__ import annotations

from collections.abc import Iterator

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


def detect(shape: Shape) -> Iterator[str]:
    """The names of signals in the form of a direct connection."""
    agent, values = shape.agent, shape.values
    if not (shape.direct and shape.document and agent.plain):
        return
    if b"http2-settings" in values:
        yield "cleartext-upgrade"
    ranks = _RANKS.get(agent.engine)
    if ranks is None and agent.system not in ("macos", "ios"):
        return  # WebKit elsewhere speaks HTTP through libraries of its own
    ranks = ranks or {}
    order = [ranks[name] for name, _ in shape.headers if name in ranks]
    if order != sorted(order):
        yield "header-order"
    if not shape.http1:
        return
    # HTTP/1.1 only: Host leads, the connection is kept, and Chromium keeps Priority for HTTP/2 and 3.
    if shape.headers[0][0] != b"host":
        yield "host-not-first"
    if b"connection" not in values:
        yield "no-keep-alive"
    if agent.engine == "chromium" and b"priority" in values:
        yield "priority-on-http1"
    if b"content-length" in values or b"transfer-encoding" in values:
        yield "body-with-get"
