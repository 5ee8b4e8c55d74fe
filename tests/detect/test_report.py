"""The browser's own report: bound to its session, short-lived, and read without trouble whatever comes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.detect.report import AGENT, DRIVER, PERMISSION, PLATFORM, RAN, WEBDRIVER, Report, make, read
from contentguard.model import Session
from tests.detect.requests import CHROME, noticed

KEY = b"k" * 32
NOW = 1_800_000_000.0
TOKEN = make(KEY, "session", NOW)


def body(flags: object, token: str = TOKEN) -> bytes:
    return f"{token}.{flags}".encode()


def test_a_report() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{19}", TOKEN)
    assert read(KEY, body(RAN | WEBDRIVER), "session", NOW + 2) == Report(3, 2.0)
    assert read(KEY, body(65535), "session", NOW) == Report(63, 0.0)
    assert read(KEY, body(0), "session", NOW) == Report(RAN, 0.0)


@pytest.mark.parametrize(
    ("sent", "session", "now"),
    [
        (body(1), "another", NOW),
        (body(1), "session", NOW + 3601),
        (body(1), "session", NOW - 61),
        (body(-1), "session", NOW),
        (body("1" * 60), "session", NOW),
        (body(""), "session", NOW),
        (body(1) + b"\n", "session", NOW),
        (body(1, "A" * 19), "session", NOW),
        (b"", "session", NOW),
        (b"x" * 5000, "session", NOW),
    ],
)
def test_what_is_no_report(sent: bytes, session: str, now: float) -> None:
    assert read(KEY, sent, session, now) is None


@given(st.binary(max_size=100))
def test_any_body_is_read_without_trouble(sent: bytes) -> None:
    assert read(KEY, sent, "session", NOW) is None


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0, set()),
        (RAN, {"report-clean"}),
        (RAN | WEBDRIVER, {"webdriver"}),
        (RAN | DRIVER, {"webdriver"}),
        (RAN | AGENT, {"report-incoherent"}),
        (RAN | PERMISSION | PLATFORM, {"report-incoherent"}),
    ],
)
def test_flags_as_signals(flags: int, expected: set[str]) -> None:
    assert noticed(CHROME, session=Session(report=flags)) == expected
