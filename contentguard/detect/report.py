"""The browser's own report: a handful of yes-or-no answers that automation tends to give away.

No fingerprint: the script sends flags and no values. A report is bound to its session by a token, so it cannot be sent
for somebody else or replayed for long; its content is the client's own word, easily forged, and weighed so: a clean
report is worth next to nothing, a raised flag is believed.

Token: ``time(4) mac(10)`` in URL-safe base64, 19 characters. Body: ``TOKEN.FLAGS`` with FLAGS in decimal.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

from contentguard.model import Session

RAN, WEBDRIVER, AGENT, PERMISSION, DRIVER, PLATFORM = (1 << bit for bit in range(6))
"""The script ran; navigator.webdriver; the hints' version is not the User-Agent's; notifications both denied and
askable; a driver's own globals; the platform is not the User-Agent's."""

MAX_BODY = 64
"""Bytes of a report; longer ones are not read."""

_BODY = re.compile(rb"([A-Za-z0-9_-]{19})\.([0-9]{1,5}+)")
_LIFE = 3600.0
"""Seconds for which a token can be used."""


class Report(NamedTuple):
    """A genuine report."""

    flags: int
    age: float
    """Seconds between the page and its report."""


def make(key: bytes, session: str, now: float) -> str:
    """The token that a page carries for its reader's report."""
    stamp = (int(now) & 0xFFFFFFFF).to_bytes(4, "big")
    return urlsafe_b64encode(stamp + _mac(key, stamp, session)).rstrip(b"=").decode("ascii")


def read(key: bytes, body: bytes, session: str, now: float) -> Report | None:
    """The report in a request's body; None for one that is malformed, somebody else's, forged or too old."""
    match = _BODY.fullmatch(body) if len(body) <= MAX_BODY else None
    if match is None:
        return None
    raw = urlsafe_b64decode(match[1] + b"=")
    stamp, mac = raw[:4], raw[4:]
    if not compare_digest(mac, _mac(key, stamp, session)):
        return None
    age = now - int.from_bytes(stamp, "big")
    if not -60.0 <= age <= _LIFE:
        return None
    return Report(int(match[2]) & 0x3F | RAN, max(age, 0.0))


def detect(session: Session) -> Iterator[str]:
    """The names of signals in a session's report."""
    flags = session.report
    if not flags:
        return
    if flags & (WEBDRIVER | DRIVER):
        yield "webdriver"
    if flags & (AGENT | PERMISSION | PLATFORM):
        yield "report-incoherent"
    if flags == RAN:
        yield "report-clean"


def _mac(key: bytes, stamp: bytes, session: str) -> bytes:
    text = stamp + session.encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=10, key=key[:64], person=b"cg-report").digest()
