"""Tokens that open one article once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.once import LIFE, read, write

KEY, NOW = bytes(32), 1_800_000_000.0
NAME = "0123456789abcdef"


def test_what_is_written_is_read_for_its_path_alone() -> None:
    token = write(KEY, NAME, "/news/tide?a=1", NOW).encode()
    assert read([bytes(range(32)), KEY], token, "/news/tide?a=1", NOW) == (NAME, NOW + LIFE)
    assert read([KEY], token, "/news/other", NOW) is None
    assert read([bytes(range(32))], token, "/news/tide?a=1", NOW) is None
    assert read([KEY], token, "/news/tide?a=1", NOW + LIFE + 1) is None


@given(st.binary(max_size=80))
def test_anything_else_is_no_token(token: bytes) -> None:
    assert read([KEY], token, "/", NOW) is None
