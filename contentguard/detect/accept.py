"""Accept, Accept-Language, Accept-Encoding and Upgrade-Insecure-Requests of a navigation, by engine and version.

What is missing may have been taken away by a proxy or never sent by a modest browser: weak, and capped together. What
is there and comes from another engine, or from no browser at all, nobody on the way has put in.
"""

from __future__ import annotations

from collections.abc import Iterator

from contentguard.detect.shape import Shape

_UNKNOWN_CODINGS = (b"compress", b"x-gzip", b"lzma", b"snappy", b"lz4")
_ZSTD = {"chromium": 123, "firefox": 126, "webkit": 26}
_BROTLI = {"chromium": 50, "firefox": 44}
"""WebKit is left out: it keeps Brotli for https and not for this machine, and what is new in it depends on the
system."""


def detect(shape: Shape) -> Iterator[str]:
    """The names of signals in what the client says it accepts."""
    if not (shape.agent.modern and shape.document):
        return
    yield from _types(shape)
    yield from _languages(shape)
    yield from _codings(shape)
    if b"upgrade-insecure-requests" not in shape.values and shape.agent.plain and shape.agent.engine != "webkit":
        yield "no-upgrade-insecure"


def _types(shape: Shape) -> Iterator[str]:
    accept, agent = shape.values.get(b"accept"), shape.agent
    if accept is None:
        yield "no-accept"
    elif b"text/html" not in accept:
        yield "accept-not-html"
    elif agent.plain and _foreign(accept, agent.engine, agent.major):
        yield "accept-foreign"
    elif agent.engine == "chromium" and agent.plain and agent.major >= 112 and b"v=b3;q=0.9" in accept:
        yield "accept-outdated"


def _foreign(accept: bytes, engine: str, major: int) -> bool:
    """Whether another engine writes this Accept: Chromium alone names APNG and signed exchanges."""
    if engine == "chromium":
        return major >= 79 and b"image/apng" not in accept
    return b"image/apng" in accept or b"signed-exchange" in accept


def _languages(shape: Shape) -> Iterator[str]:
    languages = shape.values.get(b"accept-language")
    if not languages:
        yield "no-language"
    elif languages == b"*":
        yield "language-any"


def _codings(shape: Shape) -> Iterator[str]:
    codings, agent = shape.values.get(b"accept-encoding"), shape.agent
    if not codings or codings == b"identity":
        yield "no-encoding"
    elif any(coding in codings for coding in _UNKNOWN_CODINGS):
        yield "encoding-foreign"
    elif b"zstd" in codings and agent.plain and agent.major < _ZSTD[agent.engine] - 3:
        yield "encoding-too-new"
    elif shape.secure and agent.plain and agent.engine in _BROTLI:
        if b"br" not in codings and agent.major >= _BROTLI[agent.engine]:
            yield "no-brotli"
        elif b"zstd" not in codings and agent.major >= _ZSTD[agent.engine]:
            yield "no-zstd"
