"""Accept, Accept-Language, Accept-Encoding and Upgrade-Insecure-Requests of a navigation, by engine and version.

What is missing may have been taken away by a proxy or never sent by a modest browser: weak, and capped together. What
is there and comes from another engine, or from no browser at all, nobody on the way has put in.
"""

from __future__ import annotations

import re
from functools import lru_cache

from contentguard.detect.agent import Agent
from contentguard.detect.shape import Shape

_UNKNOWN_CODINGS = re.compile(rb"compress|x-gzip|lzma|snappy|lz4")
_ZSTD = {"chromium": 123, "firefox": 126, "webkit": 26}
_BROTLI = {"chromium": 50, "firefox": 44}
"""WebKit is left out: it keeps Brotli for https and not for this machine, and what is new in it depends on the
system."""


def detect(shape: Shape) -> list[str]:
    """The names of signals in what the client says it accepts."""
    _, values, agent, secure, _, _, document = shape
    found: list[str] = []
    if not (document and agent.modern):
        return found
    if types := _types(values.get(b"accept"), agent):
        found.append(types)
    languages = values.get(b"accept-language")
    if not languages:
        found.append("no-language")
    elif languages == b"*":
        found.append("language-any")
    codings = values.get(b"accept-encoding")
    if not codings:
        found.append("no-encoding")
    elif told := _codings(codings, agent, secure):
        found.append(told)
    if b"upgrade-insecure-requests" not in values and agent.plain and agent.engine != "webkit":
        found.append("no-upgrade-insecure")
    return found


def _types(accept: bytes | None, agent: Agent) -> str:
    if accept is None:
        return "no-accept"
    if b"text/html" not in accept:
        return "accept-not-html"
    if agent.plain and _foreign(accept, agent.engine, agent.major):
        return "accept-foreign"
    dated = agent.engine == "chromium" and agent.plain and agent.major >= 112 and b"v=b3;q=0.9" in accept
    return "accept-outdated" if dated else ""


def _foreign(accept: bytes, engine: str, major: int) -> bool:
    """Whether another engine writes this Accept: Chromium alone names APNG and signed exchanges."""
    if engine == "chromium":
        return major >= 79 and b"image/apng" not in accept
    return b"image/apng" in accept or b"signed-exchange" in accept


@lru_cache(maxsize=256)
def _codings(codings: bytes, agent: Agent, secure: bool) -> str:
    """What that browser would not have written there; few lists are about at a time."""
    if codings == b"identity":
        return "no-encoding"
    if _UNKNOWN_CODINGS.search(codings):
        return "encoding-foreign"
    has_zstd = b"zstd" in codings
    if has_zstd and agent.plain and agent.major < _ZSTD[agent.engine] - 3:
        return "encoding-too-new"
    if secure and agent.plain and agent.engine in _BROTLI:
        if b"br" not in codings and agent.major >= _BROTLI[agent.engine]:
            return "no-brotli"
        if not has_zstd and agent.major >= _ZSTD[agent.engine]:
            return "no-zstd"
    return ""
