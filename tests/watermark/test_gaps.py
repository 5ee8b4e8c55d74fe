"""Gaps: as few as any twenty words need, and read back as they were put in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contentguard.watermark import gaps
from contentguard.watermark.compiled import Channels, Compiled, Place
from contentguard.watermark.gaps import ENOUGH, FAIR, GOOD, WINDOW, Choice

WORDS = st.lists(st.sampled_from((0, 0, FAIR, GOOD)), max_size=120)


def chosen(words: list[int]) -> set[int]:
    choice = Choice()
    for rank in words:
        choice.take(rank)
    return choice.finish()


def windows(number: int) -> list[range]:
    return [range(start, min(number, start + WINDOW)) for start in range(max(1, number - WINDOW + 1))]


@given(WORDS)
def test_every_twenty_words_have_enough_marks_where_they_have_the_words_for_it(words: list[int]) -> None:
    found = chosen(words)
    assert all(words[number] for number in found)
    for window in windows(len(words)):
        able = sum(words[number] > 0 for number in window)
        assert sum(number in found for number in window) >= min(ENOUGH, able)


@given(WORDS, WORDS)
def test_what_is_chosen_stays_whatever_follows(words: list[int], more: list[int]) -> None:
    choice = Choice()
    for rank in words:
        choice.take(rank)
    before = {number for number in choice.chosen if number <= len(words) - WINDOW}
    assert {number for number in chosen([*words, *more]) if number <= len(words) - WINDOW} == before


def fewest(words: list[int]) -> int:
    """How many marks will do: the least prefix sums that meet every window (Bellman and Ford)."""
    least = [0] * (len(words) + 1)
    wanted = [(w.start, w.stop, min(ENOUGH, sum(words[number] > 0 for number in w))) for w in windows(len(words))]
    changed = True
    while changed:
        before = least.copy()
        for number, rank in enumerate(words):
            least[number + 1] = max(least[number + 1], least[number])
            least[number] = max(least[number], least[number + 1] - (rank > 0))
        for start, stop, need in wanted:
            least[stop] = max(least[stop], least[start] + need)
        changed = before != least
    return least[-1] - least[0]


@given(st.lists(st.sampled_from((0, 0, GOOD)), max_size=100))
def test_fewer_would_not_do(words: list[int]) -> None:
    assert len(chosen(words)) == fewest(words)


@given(st.lists(st.sampled_from((0, GOOD)), min_size=WINDOW, max_size=120))
def test_short_words_are_marked_only_where_long_ones_are_too_few(words: list[int]) -> None:
    more = [rank or FAIR for rank in words]
    short = {number for number in chosen(more) if more[number] == FAIR}
    for number in short:
        around = [window for window in windows(len(words)) if number in window]
        assert any(sum(words[one] == GOOD for one in window) < ENOUGH for window in around)


@given(st.binary(min_size=2, max_size=80))
def test_marks_are_read_back(code: bytes) -> None:
    number = len(code) // 2
    for place, mark in enumerate(gaps.marks(code, number)):
        byte, two = gaps.drawn(code, place)
        assert gaps.seen(f"harbour{mark.decode()}") == (byte, -1 if place % 2 else two)


def test_a_text_of_long_words_has_six_gaps_in_any_twenty() -> None:
    made = Compiled([["harbour water " * 15, "master " * 20], ["island lights " * 40]], Channels())
    at = [word for slot, word in zip(made.slots, made.at_word, strict=True) if slot.place is Place.GAP]
    assert {sum(word in window for word in at) for window in windows(len(made.words))} == {ENOUGH}
