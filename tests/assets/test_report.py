"""The report's script: tiny, and sending flags only."""

from __future__ import annotations

import gzip
from importlib.resources import files

import pytest

CODE = files("contentguard.assets").joinpath("report.js").read_bytes()
VALUES = ("screen", "plugins", "canvas", "WebGL", "hardwareConcurrency", "deviceMemory", "timezone", "font", "cookie")


def test_its_size() -> None:
    assert len(gzip.compress(CODE, 9, mtime=0)) < 500


@pytest.mark.parametrize("value", VALUES)
def test_it_looks_at_nothing_that_tells_readers_apart(value: str) -> None:
    assert value.encode() not in CODE


def test_it_sends_once_and_to_where_it_was_told() -> None:
    assert CODE.count(b"sendBeacon(") == 1
    for other in (b"fetch(", b"XMLHttpRequest", b"WebSocket", b"://"):
        assert other not in CODE
