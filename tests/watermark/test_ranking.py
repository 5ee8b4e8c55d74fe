"""Scoring many readers at once comes to what scoring each by itself comes to."""

from __future__ import annotations

from html import unescape
from math import isclose, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.watermark import html
from contentguard.watermark.code import seed, stream
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.frames import word
from contentguard.watermark.keys import keys_of
from contentguard.watermark.observed import Observed, observe
from contentguard.watermark.ranking import frame_scores, scores, summed
from contentguard.watermark.score import bits
from contentguard.watermark.token import write

KEYS = keys_of(b"s" * 32, 22)
NAME = b"/news/a"
PARAGRAPHS = [
    ["The harbour’s master said nothing, [[and|but]] everybody’s captain waited – as always – for the tide…"],
    ["[[Later|Afterwards]] they’d gone out again, past 2019–24 marker buoys, towards another island’s lights."],
]
ARTICLES = {number: Compiled(PARAGRAPHS, Channels(collusion=number)) for number in (2, 4)}


def exact(article: Compiled, seen: Observed, serial: int) -> float:
    start = seed(KEYS, NAME, article.revision)
    own = word(KEYS.epoch, write(KEYS, serial, NAME))
    code, tags = stream(start, serial, article.size), html.code(start, serial)
    return bits(article, seen, code, article.odds(start), own, tags).total


@st.composite
def observations(draw: st.DrawFn) -> tuple[Compiled, Observed]:
    article = ARTICLES[draw(st.sampled_from((2, 4)))]

    def some(number: int, most: int) -> tuple[tuple[int, int], ...]:
        places = draw(st.sets(st.integers(0, number - 1)))
        return tuple((place, draw(st.integers(0, most))) for place in sorted(places))

    orders = draw(st.lists(st.builds(_order, st.integers(0, 127), st.sampled_from((2, 6, 24)), st.integers(0, 23))))
    chosen = some(len(article.variants), 1)
    return article, Observed(some(article.gaps, 255), some(article.gaps, 3), chosen, (), (), tuple(orders))


def _order(place: int, orders: int, which: int) -> html.Order:
    return html.Order(place, orders, which % orders)


@given(observations(), st.lists(st.integers(0, 2**40 - 1), max_size=5))
@settings(max_examples=300)
def test_as_each_by_itself(told: tuple[Compiled, Observed], serials: list[int]) -> None:
    article, seen = told
    found = list(scores(article, seen, KEYS, NAME, serials))
    assert len(found) == len(serials)
    assert all(isclose(a, exact(article, seen, s), abs_tol=1e-9) for a, s in zip(found, serials, strict=True))


@pytest.mark.parametrize("collusion", [2, 4])
def test_whose_copy_it_is(collusion: int) -> None:
    article = ARTICLES[collusion]
    seen = observe(article, unescape("".join(article.copy(KEYS, NAME, 777))))
    serials = range(700, 900)
    found = list(scores(article, seen, KEYS, NAME, serials))
    assert max(serials, key=lambda serial: found[serial - 700]) == 777
    assert found[77] > 70 > 10 > max(found[:77] + found[78:])


def test_by_frames() -> None:
    article = ARTICLES[2]
    seen = observe(article, unescape("".join(article.copy(KEYS, NAME, 777))))._replace(
        bytes_at=(), bits_at=(), chosen=()
    )
    found = list(frame_scores(seen, KEYS, NAME, range(775, 779)))
    assert found[2] > 60 > 0 > max(found[0], found[1], found[3])
    assert isclose(found[2], exact(article, seen, 777), abs_tol=1e-9)


@given(st.lists(st.floats(-2000, 2000), min_size=1, max_size=6))
def test_a_sum_of_articles(articles: list[float]) -> None:
    total = summed(articles)
    if len(articles) == 1:
        assert total == articles[0]
    else:
        assert total <= sum(articles) or min(articles) < 0
        assert total >= sum(one + log2(7 / 8) for one in articles) - 1e-9
        assert total >= -3.0 * len(articles)


def test_a_sum_is_no_worse_evidence_than_its_parts() -> None:
    """The mean of ``2 ** bits`` over innocent readers stays at most 1, which is what the bound rests on."""
    article = ARTICLES[2]
    seen = observe(article, unescape("".join(article.copy(KEYS, NAME, 777))))
    few = seen._replace(bytes_at=(), bits_at=seen.bits_at[:1], chosen=seen.chosen[:1], symbols=())
    found = list(scores(article, few, KEYS, NAME, range(1000, 21_000)))
    assert sum(2.0**one for one in found) / len(found) <= 1.1
    pairs = zip(found[::2], found[1::2], strict=True)
    assert sum(2.0 ** summed(pair) for pair in pairs) / (len(found) / 2) <= 1.35
