"""Gaps: as few as any twenty words need, and read back as they were put in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.watermark import gaps
from contentguard.watermark.compiled import Channels, Compiled, Place
from contentguard.watermark.frames import MARKS
from contentguard.watermark.gaps import ENOUGH, FAIR, FORMATS, GOOD, WINDOW, Choice, Takes
from contentguard.watermark.keys import keys_of
from contentguard.watermark.observed import observe

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


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("harbour", Takes.BOTH),
        ("ἄνθρωπος", Takes.BOTH),
        ("Правительство", Takes.BOTH),
        ("ყველა", Takes.BOTH),
        ("ܟܬܒܝܢ", Takes.SELECTOR),
        ("العربية", Takes.SELECTOR),
        ("מדינה", Takes.SELECTOR),
        ("정부는", Takes.SELECTOR),
        ("ニュース", Takes.SELECTOR),
        ("รัฐบาล", Takes.SELECTOR),
        ("सरकार", Takes.SELECTOR),
        ("葛飾区", Takes.NOTHING),
        ("渡邊邉", Takes.NOTHING),
        ("ကကကက", Takes.NOTHING),
        ("ᠮᠣᠩᠭᠣᠯ", Takes.NOTHING),
        ("𝒜ℬ𝒞𝒟", Takes.NOTHING),
    ],
)
def test_what_a_word_takes_is_a_matter_of_its_script(word: str, expected: Takes) -> None:
    assert gaps.takes(word[-1]) is expected
    made = Compiled([[f"{word}{word[-1] * 5} " * 20]], Channels(frames=False))
    copied = "".join(made.copy(keys_of(b"a secret of the marks", 23), b"/news/tide", 4711))
    assert any(mark in copied for mark in MARKS) is (expected > Takes.NOTHING)
    assert any(mark in copied for mark in FORMATS) is (expected is Takes.BOTH)


def test_a_joiner_that_a_persian_word_has_of_its_own_is_no_mark() -> None:
    made = Compiled([["می\u200cنویسند نوشته\u200cهایشان " * 20]], Channels(frames=False))
    assert made.gaps > 5
    seen = observe(made, "".join(made.copy(keys_of(b"a secret of the marks", 23), b"/news/tide", 4711)))
    assert len(seen.bytes_at) == made.gaps
    assert seen.bits_at == ()


def test_a_text_of_long_words_has_six_gaps_in_any_twenty() -> None:
    made = Compiled([["harbour water " * 15, "master " * 20], ["island lights " * 40]], Channels())
    at = [word for slot, word in zip(made.slots, made.at_word, strict=True) if slot.place is Place.GAP]
    assert {sum(word in window for word in at) for window in windows(len(made.words))} == {ENOUGH}
