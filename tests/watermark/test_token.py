"""Tokens: what a frame says of whom, and that nobody can make one up, move one, or see who it names."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.watermark.keys import EPOCHS, epoch_at, keys_of, latest
from contentguard.watermark.token import SERIALS, SIZE, belongs, read, serial_of, write

KEYS = keys_of(b"a secret of the marks", 23)
ARTICLE = b"https://news.example/news/tide"
SERIAL = st.integers(0, SERIALS - 1)


@given(SERIAL, st.binary())
def test_a_token_says_its_serial_and_belongs_to_its_article(serial: int, article: bytes) -> None:
    token = write(KEYS, serial, article)
    found, tag = read(KEYS, token)
    assert (len(token), found) == (SIZE, serial)
    assert belongs(KEYS, serial, tag, article)


@given(SERIAL, st.binary(), st.binary())
def test_a_token_that_is_moved_belongs_nowhere(serial: int, article: bytes, other: bytes) -> None:
    _, tag = read(KEYS, write(KEYS, serial, article))
    assert belongs(KEYS, serial, tag, other) is (article == other)


@given(st.binary(min_size=SIZE, max_size=SIZE))
def test_a_token_that_is_made_up_belongs_nowhere(token: bytes) -> None:
    assert not belongs(KEYS, *read(KEYS, token), ARTICLE)


def test_another_epoch_or_secret_reads_something_else() -> None:
    token = write(KEYS, 4711, ARTICLE)
    for keys in (keys_of(b"a secret of the marks", 24), keys_of(b"another secret of them", 23)):
        serial, tag = read(keys, token)
        assert serial != 4711
        assert not belongs(keys, serial, tag, ARTICLE)


def test_neighbouring_serials_have_nothing_in_common() -> None:
    """A permutation that shows nothing of what is alike: half of all bits differ."""
    tokens = [int.from_bytes(write(KEYS, serial, ARTICLE), "big") for serial in range(200)]
    apart = [(one ^ other).bit_count() for one, other in pairwise(tokens)]
    assert 33 < sum(apart) / len(apart) < 39
    assert len(set(tokens)) == 200


def test_a_serial_says_nothing_of_a_name() -> None:
    assert serial_of(b"k" * 32, "0123456789abcdef") != serial_of(b"l" * 32, "0123456789abcdef")
    assert 0 <= serial_of(b"k" * 32, "\ud800") < SERIALS


@pytest.mark.parametrize("serial", [-1, SERIALS])
def test_a_serial_has_forty_bits(serial: int) -> None:
    with pytest.raises(ValueError, match="40 bits"):
        write(KEYS, serial, ARTICLE)


@given(st.integers(0, 5000), st.integers(0, EPOCHS - 1))
def test_the_five_bits_of_an_epoch_name_the_last_one_that_ends_so(epoch: int, age: int) -> None:
    assert latest((epoch - age) % EPOCHS, epoch) == epoch - age


def test_epochs_are_months() -> None:
    assert epoch_at(0.0) == 0
    assert epoch_at(1_735_689_600 + 30 * 86_400) == 1


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes, not 5"):
        keys_of(b"short", 1)
