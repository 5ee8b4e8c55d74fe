"""Where a request comes from: data centre or not, the neighbourhood, and what a trusted proxy saw of TLS.

Addresses are shared, lent and stolen; a reader may sit behind any of them. So all of this together is capped low and
never decides. Of TLS only what a browser cannot do is used (JA4: TLS below 1.3, no HTTP/2 offered), no list of
fingerprints, which would go stale and which impersonators copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from contentguard.detect.agent import Agent
from contentguard.detect.weights import document
from contentguard.model import Network

_JA4 = re.compile(r"[tqd]([0-9s][0-9])[di][0-9]{4}([0-9a-z]{2})_[0-9a-f]{12}_[0-9a-f]{12}", re.ASCII)
_JA3 = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*")
"""RFC 9110 §5.6.2, token; or nothing."""
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_ASN = re.compile(r"(?:AS)?([0-9]{1,10}+)\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class NetworkHeaders:
    """Names of the headers in which a trusted proxy tells of the client's network; empty: it tells nothing."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    asn: str = ""
    """E.g. ``x-asn``; a number, with or without AS."""
    country: str = ""
    """E.g. ``cf-ipcountry``; ISO 3166-1 alpha-2, and T1 for Tor."""
    ja3: str = ""
    ja4: str = ""

    def __post_init__(self) -> None:
        """Header names are compared in lower case. ValueError for what is no header's name."""
        for name in ("asn", "country", "ja3", "ja4"):
            if _NAME.fullmatch(getattr(self, name)) is None:
                raise ValueError(f"{name} is the name of a header, like x-asn, not {getattr(self, name)!r}")
            object.__setattr__(self, name, getattr(self, name).lower())


def read(headers: Iterable[tuple[bytes, bytes]], names: NetworkHeaders) -> Network:
    """What a trusted proxy reports. Only to be called when the peer *is* one: anybody can send these headers.

    Of several instances the last counts, the nearest proxy's. What is not well-formed is as if absent.
    """
    values = {name: value[:128].decode("latin-1").strip() for name, value in headers}
    asn = _ASN.match(_value(values, names.asn))
    number = int(asn[1]) if asn else 0
    country = _value(values, names.country).upper()
    ja3, ja4 = _value(values, names.ja3).lower(), _value(values, names.ja4).lower()
    return Network(
        asn=number,
        hosting=number in _hosting(),
        tor=country == "T1",
        country=country if _COUNTRY.fullmatch(country) else "",
        ja3=ja3 if _JA3.fullmatch(ja3) else "",
        ja4=ja4 if _JA4.fullmatch(ja4) else "",
    )


def detect(network: Network, agent: Agent) -> Iterator[str]:
    """The names of signals in a request's origin."""
    if network.hosting:
        yield "hosting"
    if network.tor:
        yield "tor"
    if network.neighbours >= 8 and 2 * network.suspects > network.neighbours:
        yield "bad-neighbours"
    if network.ja4 and agent.plain and agent.modern and not _browser_tls(network.ja4, agent):
        yield "tls-no-browser"


def _browser_tls(ja4: str, agent: Agent) -> bool:
    match = _JA4.fullmatch(ja4)
    if match is None or agent.major < 75:  # older ones, and Safaris, did without TLS 1.3
        return True
    version, alpn = match[1], match[2]
    return version == "13" and alpn in ("h2", "h3")


def _value(values: dict[bytes, str], name: str) -> str:
    return values.get(name.encode("latin-1", "replace"), "") if name else ""


@cache
def _hosting() -> frozenset[int]:
    return frozenset(document()["hosting"]["asns"])
