"""An operator's orders: good for what they were written for, for a minute, and by no other key."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.orders import LIFE, holds, write
from contentguard.sealed import seal

KEY, OTHER = bytes(32), bytes(range(32))
NOW = 1_800_000_000.0
routes, bodies = st.text(max_size=20), st.binary(max_size=40)


@given(routes, bodies, st.floats(-LIFE, LIFE))
def test_it_holds_for_a_minute_either_way(route: str, body: bytes, after: float) -> None:
    text = write(KEY, route, body, NOW, b"nonce 01").encode()
    assert holds([OTHER, KEY], text, route, body, NOW + after * 0.99)
    assert not holds([OTHER], text, route, body, NOW + after)


@given(routes, bodies, st.floats(LIFE + 0.01, 1e6), st.sampled_from([-1, 1]))
def test_and_no_longer(route: str, body: bytes, after: float, sign: int) -> None:
    text = write(KEY, route, body, NOW, b"nonce 01").encode()
    assert not holds([KEY], text, route, body, NOW + sign * after)


@given(routes, bodies, routes, bodies)
def test_for_nothing_else(route: str, body: bytes, other: str, more: bytes) -> None:
    text = write(KEY, route, body, NOW, b"nonce 01").encode()
    assert holds([KEY], text, other, more, NOW) is ((route, body) == (other, more))


@given(st.binary(max_size=80))
def test_what_is_none(text: bytes) -> None:
    assert not holds([KEY], text, "/status", b"", NOW)


def test_nor_what_was_sealed_for_something_else() -> None:
    about = sha256(b"").digest() + b"/status"
    assert not holds([KEY], seal(KEY, b"cg-order", 1, b"short", about).encode(), "/status", b"", NOW)
