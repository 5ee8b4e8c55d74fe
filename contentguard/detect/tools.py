"""What a client calls itself: a tool's name, a browser without a screen, no name at all.

A name is the weakest disguise there is, so its absence proves nothing; its presence is honest. That an automated
browser has a name of its own says how it is driven, not by whom: it may be a test of the site's owner.
"""

from __future__ import annotations

from contentguard.detect.shape import Shape


def detect(shape: Shape) -> list[str]:
    """The names of signals in what the User-Agent says of itself."""
    headers, values, agent, *_ = shape
    found: list[str] = []
    if not agent.engine:
        found.append("no-agent")
    elif agent.engine == "text":
        found.append("text-browser")
    if agent.headless or b"HeadlessChrome" in values.get(b"sec-ch-ua", b""):
        found.append("headless-name")
    if agent.browser and agent.outdated:
        found.append("outdated-agent")
    if agent.malformed:
        found.append("agent-malformed")
    if len(headers) != len(values) and _is_doubled(headers):
        found.append("doubled-header")
    return found


def _is_doubled(headers: tuple[tuple[bytes, bytes], ...]) -> bool:
    names = [name for name, _ in headers]
    return names.count(b"user-agent") > 1 or names.count(b"accept") > 1
