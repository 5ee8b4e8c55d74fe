"""Honeylink tokens: unique for reader and page, not to be made up, moved, kept for ever or used against others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.detect.honeylinks import LENGTH, Planted, counts, make, read
from tests.detect.requests import CHROME, facts

KEY = b"k" * 32
NOW = 1_800_000_000.5
TOKEN = make(KEY, "reader", "/news/tide", NOW)


def test_a_token_says_when_and_for_whom_it_was_made() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", TOKEN)
    assert read(KEY, TOKEN, "reader", "/news/tide", NOW + 5) == Planted(1_800_000_000, own=True)
    assert read(KEY, TOKEN, "another", "/news/tide", NOW + 5) == Planted(1_800_000_000, own=False)


def test_tokens_differ_by_reader_page_and_time() -> None:
    others = [
        make(KEY, "r2", "/news/tide", NOW),
        make(KEY, "reader", "/b", NOW),
        make(KEY, "reader", "/news/tide", NOW + 1),
    ]
    assert len({TOKEN, *others}) == 4


@pytest.mark.parametrize(
    ("token", "page", "now", "key"),
    [
        (TOKEN, "/news/other", NOW, KEY),
        (TOKEN, "/news/tide", NOW + 86402, KEY),
        (TOKEN, "/news/tide", NOW - 100, KEY),
        (TOKEN, "/news/tide", NOW, b"x" * 32),
        (TOKEN[:-1], "/news/tide", NOW, KEY),
        (TOKEN + "A", "/news/tide", NOW, KEY),
        ("é" * LENGTH, "/news/tide", NOW, KEY),
        ("!" * LENGTH, "/news/tide", NOW, KEY),
        ("", "/news/tide", NOW, KEY),
    ],
)
def test_what_is_no_token(token: str, page: str, now: float, key: bytes) -> None:
    assert read(key, token, "reader", page, now) is None


@given(st.integers(0, LENGTH - 1), st.sampled_from("ABCDEFabcdef0123456789-_"))
def test_no_changed_token_is_accepted(at: int, letter: str) -> None:
    changed = TOKEN[:at] + letter + TOKEN[at + 1 :]
    assert changed == TOKEN or read(KEY, changed, "reader", "/news/tide", NOW) is None


@given(st.text(), st.text(), st.text())
def test_any_text_is_read_without_trouble(token: str, reader: str, page: str) -> None:
    assert read(KEY, token, reader, page, NOW) is None
    assert read(KEY, make(KEY, reader, page, NOW), reader, page, NOW) == Planted(int(NOW), own=True)


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Purpose": "prefetch;prerender"}, False),
        ({"Purpose": "prefetch"}, False),
        ({"Sec-Fetch-Dest": "image"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": None, "Sec-Fetch-Dest": None}, True),
    ],
)
def test_who_may_have_followed_by_another_s_doing_is_not_counted(changes: dict[str, str | None], counted: bool) -> None:
    assert counts(facts(CHROME, changes)) is counted
