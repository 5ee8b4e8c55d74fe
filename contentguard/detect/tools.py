"""What a client calls itself: a tool's name, a browser without a screen, no name at all.

A name is the weakest disguise there is, so its absence proves nothing; its presence is honest. That an automated
browser has a name of its own says how it is driven, not by whom: it may be a test of the site's owner.
"""

from __future__ import annotations

from collections.abc import Iterator

from contentguard.detect.shape import Shape


def detect(shape: Shape) -> Iterator[str]:
    """The names of signals in what the User-Agent says of itself."""
    agent = shape.agent
    if not agent.engine:
        yield "no-agent"
    if agent.engine == "text":
        yield "text-browser"
    if agent.headless or b"HeadlessChrome" in shape.values.get(b"sec-ch-ua", b""):
        yield "headless-name"
    if agent.browser and agent.outdated:
        yield "outdated-agent"
    if agent.malformed:
        yield "agent-malformed"
    if len(shape.headers) != len(shape.values) and _is_doubled(shape.headers):
        yield "doubled-header"


def _is_doubled(headers: tuple[tuple[bytes, bytes], ...]) -> bool:
    names = [name for name, _ in headers]
    return names.count(b"user-agent") > 1 or names.count(b"accept") > 1
