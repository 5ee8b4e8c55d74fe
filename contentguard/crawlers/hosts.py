"""Whether a host name lies in a zone that belongs to a robot, and what DNS had to say about it.

A suffix counts on a label boundary only, and the zones in the catalogue are the robots' own: ``googleusercontent.com``
is not one of them, for every machine rented at Google has a name there that its forward look-up confirms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

LONGEST = 253
"""Letters of the longest host name (RFC 1035 §2.3.4, without the final dot)."""

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*+")


class HostAnswer(StrEnum):
    """What forward-confirmed reverse DNS says of an address and a robot's zones."""

    CONFIRMED = "confirmed"
    """The address has a name in one of the zones, and that name has the address."""
    REFUTED = "refuted"
    """DNS answered, and the address has no such name."""
    PENDING = "pending"
    """Being looked up."""
    FAILED = "failed"
    """DNS did not answer, or there was too much to ask it."""


def normal(name: str) -> str | None:
    """A host name in lower case without its final dot; None when it is none."""
    name = name.removesuffix(".").lower() if len(name) <= LONGEST + 1 else ""
    return name if _NAME.fullmatch(name) and len(name) <= LONGEST else None


def in_zones(name: str, zones: Iterable[str]) -> bool:
    """Whether the host ``name`` lies in one of ``zones``.

    A zone is ``.suffix``, or a pattern whose one ``*`` stands for a part of the first label:
    ``rate-limited-proxy-*.google.com``. A name is no part of a zone that it equals.
    """
    host = normal(name)
    return host is not None and any(_is_in(host, zone) for zone in zones)


def _is_in(host: str, zone: str) -> bool:
    if zone.startswith("."):
        return host.endswith(zone) and len(host) > len(zone)
    start, star, end = zone.partition("*")
    middle = host[len(start) : len(host) - len(end)]
    return bool(star and middle) and "." not in middle and host.startswith(start) and host.endswith(end)
