"""The pass as a cookie: what is written is read back, and nothing else is."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.passes import LENGTH, Pass, fresh, named, read, short, write

KEY, OTHER = bytes(32), bytes(range(32))
NOW = 1_800_000_000

uint32 = st.integers(0, 2**32 - 1)
passes = st.builds(
    Pass,
    st.binary(min_size=8, max_size=8).map(bytes.hex),
    st.integers(0, 255),
    uint32,
    uint32,
    st.binary(min_size=4, max_size=4),
    st.binary(min_size=4, max_size=4),
)


@given(passes, st.binary(min_size=32, max_size=32))
def test_what_is_written_is_read_back(one: Pass, key: bytes) -> None:
    text = write(key, one)
    assert len(text) == LENGTH
    assert read([key], text.encode()) == one
    assert read([OTHER, key], text.encode()) == one


@given(passes, st.integers(0, 45 * 8 - 1))
def test_no_bit_can_be_changed(one: Pass, bit: int) -> None:
    raw = bytearray(urlsafe_b64decode(write(KEY, one)))
    raw[bit // 8] ^= 1 << bit % 8
    assert read([KEY], urlsafe_b64encode(raw)) is None


@given(passes)
def test_another_key_reads_nothing(one: Pass) -> None:
    assert read([OTHER], write(KEY, one).encode()) is None
    assert read([], write(KEY, one).encode()) is None


@given(st.binary(max_size=80))
def test_anything_else_is_no_pass(text: bytes) -> None:
    assert read([KEY], text) is None


@pytest.mark.parametrize("more", [b"=", b"\n", b" ", b"A", b"!"])
def test_one_pass_has_one_spelling(more: bytes) -> None:
    text = write(KEY, Pass("00" * 8)).encode()
    assert read([KEY], text + more) is None
    assert read([KEY], more + text) is None
    assert read([KEY], text[:-1] + more) is None


def test_another_version_is_not_read_by_this_one() -> None:
    head = bytearray(urlsafe_b64decode(write(KEY, Pass("00" * 8)))[:27])
    head[0] = 2
    mac = blake2b(head, digest_size=18, key=KEY, person=b"cg-pass").digest()
    assert read([KEY], urlsafe_b64encode(bytes(head) + mac)) is None


def test_cve_2025_68113_fields_cannot_be_moved_into_one_another() -> None:
    """ALTCHA's MAC covered fields without their borders: two sets of fields, one text. Here widths are fixed."""
    one = Pass("01" * 8, issued=0x01010101, seen=0x02020202)
    other = Pass("01" * 8, issued=0x01010102, seen=0x02020201)
    assert write(KEY, one)[:36] != write(KEY, other)[:36]


def test_a_pass_ages() -> None:
    one = Pass("00" * 8, issued=NOW)
    assert fresh(one, NOW, 100.0)
    assert fresh(one, NOW + 100, 100.0)
    assert not fresh(one, NOW + 101, 100.0)
    assert fresh(one, NOW - 60, 100.0), "another machine's clock"
    assert not fresh(one, NOW - 61, 100.0)


def test_what_stands_for_a_browser_is_short_and_always_the_same() -> None:
    assert short("chrome linux") == short("chrome linux")
    assert short("chrome linux") != short("firefox linux")
    assert len(short("\udcff")) == 4


VALUE = b"A" * LENGTH


@pytest.mark.parametrize(
    ("cookies", "values"),
    [
        (b"contentguard=" + VALUE, [VALUE]),
        (b"a=1; contentguard=" + VALUE + b"; b=2", [VALUE]),
        (b"a=1;contentguard = " + VALUE + b" ;b", [VALUE]),
        (b"contentguard=" + VALUE + b"; contentguard=" + VALUE, [VALUE, VALUE]),
        (b"xcontentguard=" + VALUE, []),
        (b"contentguard.a=" + VALUE, []),
        (b"__Host-contentguard=" + VALUE, []),
        (b"contentguard=" + VALUE + b"A", []),
        (b"contentguard", []),
        (b"", []),
        (b"contentguard=" + VALUE + b"; pad=" + b"x" * 8192, []),
    ],
)
def test_the_cookie_is_found_by_its_exact_name(cookies: bytes, values: list[bytes]) -> None:
    assert named(b"contentguard", cookies) == values


def test_of_many_cookies_of_one_name_a_few_are_tried() -> None:
    assert len(named(b"c", b"; ".join([b"c=" + VALUE] * 50))) == 4


@given(st.binary(max_size=300))
def test_a_cookie_header_of_any_bytes_is_read(cookies: bytes) -> None:
    assert all(len(value) == LENGTH for value in named(b"contentguard", b"contentguard=" + cookies))
