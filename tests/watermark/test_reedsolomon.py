"""The code of frames: whatever is lost within its bound comes back, and nothing is made up beyond it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.watermark.reedsolomon import CHECKS, DATA, LENGTH, decode, encode

DATUM = st.binary(min_size=DATA, max_size=DATA)


@given(DATUM, st.data())
def test_errors_and_erasures_within_the_bound_are_put_right(datum: bytes, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, CHECKS))
    wrong = data.draw(st.integers(0, (CHECKS - lost) // 2))
    places = data.draw(st.permutations(range(LENGTH)))[: lost + wrong]
    word: list[int | None] = list(encode(datum))
    for place in places[:lost]:
        word[place] = None
    for place in places[lost:]:
        byte = word[place]
        assert byte is not None
        word[place] = byte ^ data.draw(st.integers(1, 255))
    assert decode(word) == datum


@given(DATUM, st.sets(st.integers(0, LENGTH - 1), min_size=CHECKS + 1))
def test_more_erasures_than_checks_say_nothing(datum: bytes, lost: set[int]) -> None:
    word = [None if place in lost else byte for place, byte in enumerate(encode(datum))]
    assert decode(word) is None


@given(st.binary(min_size=LENGTH, max_size=LENGTH))
def test_what_is_read_is_within_three_places_of_what_was_written(word: bytes) -> None:
    found = decode(list(word))
    if found is not None:
        assert sum(a != b for a, b in zip(word, encode(found), strict=True)) <= CHECKS // 2


@given(DATUM, DATUM)
def test_two_words_differ_in_seven_places(one: bytes, other: bytes) -> None:
    """The code is MDS: its least distance is the number of its checks and one."""
    if one != other:
        assert sum(a != b for a, b in zip(encode(one), encode(other), strict=True)) > CHECKS


def test_a_word_with_one_byte_is_the_generator() -> None:
    """Six roots from 1 on, over GF(256) by 0x11D: the polynomial as published for RS(255, 249), the highest first."""
    word = encode(bytes(DATA - 1) + b"\1")
    assert word[DATA - 1 :] == bytes([1, 63, 1, 218, 32, 227, 38])


@pytest.mark.parametrize("length", [0, 9, 11])
def test_another_length_is_an_error(length: int) -> None:
    with pytest.raises(ValueError, match="10 bytes"):
        encode(bytes(length))
    with pytest.raises(ValueError, match="16 bytes"):
        decode([0] * length)
