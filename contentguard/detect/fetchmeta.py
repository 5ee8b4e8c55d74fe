"""Sec-Fetch-* against the claimed browser and against itself (W3C Fetch Metadata Request Headers).

Browsers send all of Site, Mode and Dest to a trustworthy origin, and User when a person acted: Chromium since 80,
Firefox since 90, Safari since 16.4 (no User there). A proxy that removes them removes them all; one that is left alone
or that contradicts another was written by hand.
"""

from __future__ import annotations

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


def detect(shape: Shape) -> list[str]:
    """The names of signals in Sec-Fetch-*."""
    values, agent = shape.values, shape.agent
    site, mode, dest = values.get(b"sec-fetch-site"), values.get(b"sec-fetch-mode"), values.get(b"sec-fetch-dest")
    found: list[str] = []
    if site is None or mode is None or dest is None:
        if site is mode is dest:
            return _none_at_all(shape)
        if agent.modern:
            found.append("fetch-metadata-partial")
    user = values.get(b"sec-fetch-user")
    if _contradicts(mode, dest, user) or (site is not None and site not in _SITES):
        found.append("fetch-metadata-contradiction")
    if agent.plain and agent.modern and not sends_metadata(agent):
        found.append("fetch-metadata-too-new")
    if site == b"none":
        # A person typed the address, took a bookmark, or came from another program.
        if b"referer" in values and not is_prefetch(values):
            found.append("none-with-referer")
        known = agent.plain and agent.engine in ("chromium", "firefox")
        if user is None and known and mode == b"navigate" and not is_prefetch(values):
            found.append("none-without-user")
    return found


def _none_at_all(shape: Shape) -> list[str]:
    if not (shape.secure and shape.document and sends_metadata(shape.agent)):
        return []
    return ["no-fetch-metadata" if shape.agent.plain else "no-fetch-metadata-embedded"]


def _contradicts(mode: bytes | None, dest: bytes | None, user: bytes | None) -> bool:
    """Whether no browser can have sent these together."""
    if mode == b"navigate":
        return dest is not None and dest not in _DOCUMENTS
    if dest == b"document":
        return mode is not None
    return user is not None
