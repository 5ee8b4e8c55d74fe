"""Sec-Fetch-* against the claimed browser and against itself (W3C Fetch Metadata Request Headers).

Browsers send all of Site, Mode and Dest to a trustworthy origin, and User when a person acted: Chromium since 80,
Firefox since 90, Safari since 16.4 (no User there). A proxy that removes them removes them all; one that is left alone
or that contradicts another was written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from contentguard.detect.agent import Agent
from contentguard.detect.shape import Shape, is_prefetch

_SINCE = {"chromium": 80, "firefox": 90}
_SITES = frozenset((b"none", b"same-origin", b"same-site", b"cross-site"))
_DOCUMENTS = frozenset((b"document", b"iframe", b"frame", b"object", b"embed", b"fencedframe"))


def sends_metadata(agent: Agent) -> bool:
    """Whether the claimed browser sends Sec-Fetch-* to a trustworthy origin."""
    if agent.engine == "webkit":
        return (agent.major, agent.minor) >= (16, 4)
    return agent.major >= _SINCE.get(agent.engine, 10000)


def detect(shape: Shape) -> Iterator[str]:
    """The names of signals in Sec-Fetch-*."""
    values, agent = shape.values, shape.agent
    site, mode, dest = values.get(b"sec-fetch-site"), values.get(b"sec-fetch-mode"), values.get(b"sec-fetch-dest")
    there = (site is not None) + (mode is not None) + (dest is not None)
    if there == 0:
        if shape.secure and sends_metadata(agent) and shape.document:
            yield "no-fetch-metadata" if agent.plain else "no-fetch-metadata-embedded"
        return
    if there < 3 and agent.modern:
        yield "fetch-metadata-partial"
    user = values.get(b"sec-fetch-user")
    if _contradicts(mode, dest, user) or (site is not None and site not in _SITES):
        yield "fetch-metadata-contradiction"
    if agent.plain and agent.modern and not sends_metadata(agent):
        yield "fetch-metadata-too-new"
    if site != b"none":
        return
    # A person typed the address, took a bookmark, or came from another program.
    if b"referer" in values and not is_prefetch(values):
        yield "none-with-referer"
    known = agent.plain and agent.engine in ("chromium", "firefox")
    if user is None and known and mode == b"navigate" and not is_prefetch(values):
        yield "none-without-user"


def _contradicts(mode: bytes | None, dest: bytes | None, user: bytes | None) -> bool:
    """Whether no browser can have sent these together."""
    if mode == b"navigate":
        return dest is not None and dest not in _DOCUMENTS
    if dest == b"document":
        return mode is not None
    return user is not None
