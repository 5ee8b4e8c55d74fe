"""Sealed texts: one spelling, nothing read without its MAC, nothing valid for another purpose, version or subject."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from contentguard.sealed import LONGEST, SEAL, seal, unseal

KEY, OTHER = bytes(32), bytes(range(32))
bodies = st.binary(min_size=1, max_size=1081)
abouts = st.binary(max_size=50)
FOR = b"cg-test"


@given(bodies, abouts, st.integers(0, 255), st.binary(min_size=32, max_size=32))
def test_what_is_sealed_is_unsealed(body: bytes, about: bytes, version: int, key: bytes) -> None:
    text = seal(key, FOR, version, body, about)
    assert len(text) <= LONGEST
    assert unseal([OTHER, key, KEY], FOR, version, text.encode(), about) == body


@given(bodies, abouts)
def test_only_for_the_same_key_purpose_version_and_subject(body: bytes, about: bytes) -> None:
    text = seal(KEY, FOR, 1, body, about).encode()
    assert unseal([OTHER], FOR, 1, text, about) is None
    assert unseal([], FOR, 1, text, about) is None
    assert unseal([KEY], b"cg-other", 1, text, about) is None
    assert unseal([KEY], FOR, 2, text, about) is None
    assert unseal([KEY], FOR, 1, text, about + b"x") is None


@given(bodies, st.binary(min_size=1, max_size=50), st.integers(1, 50))
def test_no_byte_of_the_subject_can_move_into_the_body(body: bytes, about: bytes, moving: int) -> None:
    """The splice of ALTCHA CVE-2025-68113, for what stands in the MAC alone."""
    mac = seal(KEY, FOR, 1, body, about)[:SEAL]
    moved = seal(KEY, FOR, 1, body + about[:moving], about[moving:])
    assert moved[:SEAL] != mac
    forged = urlsafe_b64encode(urlsafe_b64decode(mac) + urlsafe_b64decode(moved + "===")[18:]).rstrip(b"=")
    assert unseal([KEY], FOR, 1, forged, about[moving:]) is None


@given(st.binary(max_size=1500) | st.text("AQgw-_", max_size=1500).map(str.encode), abouts)
def test_anything_else_is_nothing(text: bytes, about: bytes) -> None:
    assert unseal([KEY], FOR, 1, text, about) is None


@given(st.binary(min_size=1, max_size=6))
def test_one_text_has_one_spelling(body: bytes) -> None:
    text = seal(KEY, FOR, 1, body).encode()
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert sum(unseal([KEY], FOR, 1, text[:-1] + bytes((last,))) is not None for last in letters) == 1
    for more in (b"=", b"==", b"\n", b" ", b"A", b"%3D"):
        assert unseal([KEY], FOR, 1, text + more) is None
    assert all(unseal([KEY], FOR, 1, text[:size]) is None for size in range(len(text)))


def test_the_mac_is_the_one_that_is_documented() -> None:
    text = seal(KEY, FOR, 7, b"body", b"about")
    raw = urlsafe_b64decode(text + "==="[: -len(text) % 4])
    assert (raw[18], raw[20:]) == (7, b"body")
    mac = blake2b(b"\0\6" + raw[18:] + b"about", digest_size=18, key=KEY, person=FOR).digest()
    assert raw[:18] == mac
    assert text[:SEAL].encode() == urlsafe_b64encode(mac)


def test_the_longest_text_is_read_and_one_more_character_is_not() -> None:
    text = seal(KEY, FOR, 1, bytes(1081)).encode()
    assert len(text) == LONGEST
    assert unseal([KEY], FOR, 1, text) == bytes(1081)
    assert unseal([KEY], FOR, 1, seal(KEY, FOR, 1, bytes(1082)).encode()) is None
