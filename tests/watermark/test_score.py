"""Bits: the guilty have them, the innocent do not, and the bound is what it says."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.watermark.code import seed, stream
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.frames import word
from contentguard.watermark.keys import keys_of
from contentguard.watermark.observed import observe
from contentguard.watermark.score import COMPONENTS, WEIGHTS, Bits, averaged, biased, bits, needed, uniform
from contentguard.watermark.token import write
from tests.watermark.articles import article, read

KEYS = keys_of(b"a secret of the marks", 23)
NAME = b"/news/tide"
INVISIBLE = re.compile("[\u200c\u200d\u2060\u200e\ufe00-\ufe0f\U000e0100-\U000e01ef]")


class Case:
    """One article and its copies."""

    def __init__(self, number: int, name: bytes = NAME, channels: Channels | None = None, **options: int) -> None:
        self.paragraphs, self.name = article(number, **options), name
        self.made = Compiled(self.paragraphs, channels or Channels())
        self.start = seed(KEYS, name, self.made.revision)
        self.odds = self.made.odds(self.start)

    def copy(self, serial: int) -> str:
        return read(self.made.copy(KEYS, self.name, serial), self.paragraphs)

    def bits(self, text: str, serial: int) -> Bits:
        code = stream(self.start, serial, self.made.size)
        return bits(self.made, observe(self.made, text), code, self.odds, word(23, write(KEYS, serial, self.name)))

    def words(self, serial: int, first: int, number: int) -> str:
        return " ".join(self.copy(serial).split()[first : first + number])


@pytest.mark.parametrize("forms", [2, 4, 6, 24, 256])
def test_an_innocent_gains_nothing_on_average_uniform(forms: int) -> None:
    for agrees, differs in uniform(forms):
        assert isclose((2**agrees + (forms - 1) * 2**differs) / forms, 1.0, rel_tol=1e-9)


@given(st.floats(0.01, 0.99))
def test_an_innocent_gains_nothing_on_average_biased(odds: float) -> None:
    for agrees, differs in biased(odds):
        assert isclose(odds * 2**agrees + (1 - odds) * 2**differs, 1.0, rel_tol=1e-9)


def test_the_average_of_the_components_is_their_mean() -> None:
    assert isclose(averaged([0.0] * len(COMPONENTS)), 0.0, abs_tol=1e-9)
    assert isclose(averaged([3.0] * len(COMPONENTS)), 3.0, abs_tol=1e-9)
    assert isclose(sum(2.0**weight for weight in WEIGHTS), 1.0)


@pytest.mark.parametrize("number", range(3))
def test_a_whole_copy_and_a_paragraph_name_their_reader(number: int) -> None:
    case, least = Case(number), needed(10**6, 1e-6)
    text = case.copy(4711)
    assert case.bits(text, 4711).total > 5 * least
    assert case.bits(text.split("\n\n")[2], 4711).total > least
    assert all(case.bits(text, serial).total < 12 for serial in range(200))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 5), st.integers(0, 2**40 - 1), st.data())
def test_any_twenty_words_name_their_reader(number: int, serial: int, data: st.DataObject) -> None:
    case = Case(number)
    first = data.draw(st.integers(0, len(case.made.words) - 25))
    assert case.bits(case.words(serial, first, 20), serial).total > needed(10**6, 1e-6)


@pytest.mark.parametrize(
    "kept",
    ["\u200c\u200d\u2060\u200e", "\ufe00-\ufe0f\U000e0100-\U000e01ef"],
    ids=["without Mn", "without Cf"],
)
def test_a_cleaner_that_takes_one_category_leaves_the_other(kept: str) -> None:
    case = Case(4)
    dropped = "\u200c\u200d\u2060\u200e\ufe00-\ufe0f\U000e0100-\U000e01ef".replace(kept, "")
    text = re.sub(f"[{dropped}]", "", case.copy(4711))
    assert case.bits(text, 4711).total > needed(10**6, 1e-6)


def test_two_articles_name_their_reader_after_a_total_strip() -> None:
    """Watermark §6.3: all in ASCII, no capitals, no punctuation: only wording is left, and bits add up."""
    cases = [Case(number, name=f"/news/{number}".encode(), wording=30) for number in (5, 6)]

    def stripped(text: str) -> str:
        return re.sub(r"[^a-z0-9\s]", "", INVISIBLE.sub("", text).encode("ascii", "ignore").decode().lower())

    def added(serial: int) -> float:
        return sum(case.bits(stripped(case.copy(4711)), serial).total for case in cases)

    assert added(4711) > needed(10**6, 1e-6)
    assert max(map(added, range(300))) < 20


def test_forty_two_slots_of_wording_do_after_a_total_strip() -> None:
    case = Case(7, wording=48)
    text = INVISIBLE.sub("", case.copy(4711)).encode("ascii", "ignore").decode().lower()
    assert case.bits(text, 4711).variants > needed(10**6, 1e-6)


def test_typography_of_one_form_throughout_says_nothing() -> None:
    case = Case(8, channels=Channels(frames=False, gaps=False))
    straight = case.copy(4711).replace("’", "'").replace("—", "–")
    assert case.bits(straight, 4711).total == pytest.approx(0.0)
    assert case.bits(case.copy(4711), 4711).total > 1.5


def test_innocents_have_few_bits() -> None:
    """P(bits >= k) <= 2^-k, over many readers, articles and excerpts."""
    reached: Counter[int] = Counter()
    total = 0
    for number, part in product(range(4), (8, 35, 400)):
        case = Case(number)
        seen = observe(case.made, case.words(10**9, 30, part))
        for serial in range(700):
            code = stream(case.start, serial, case.made.size)
            found = bits(case.made, seen, code, case.odds, word(23, write(KEYS, serial, case.name))).total
            total += 1
            reached.update(range(1, int(found) + 1))
    assert all(reached[k] <= 2.0**-k * total for k in range(1, 21)), reached


@pytest.mark.parametrize(("readers", "epsilon"), [(0, 0.1), (10, 0.0), (10, 1.0)])
def test_a_bound_needs_readers_and_a_probability(readers: int, epsilon: float) -> None:
    with pytest.raises(ValueError, match="at least one reader"):
        needed(readers, epsilon)


def test_the_bound() -> None:
    assert needed(10**6, 1e-6) == pytest.approx(39.863, abs=0.001)
