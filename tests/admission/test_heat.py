"""Hot articles: the most read ones are found, few bytes are needed, and the past fades."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.heat import Heat

DICE = Random(5)
NAMES = [DICE.getrandbits(64) for _ in range(20_000)]
ZIPF = list(accumulate(1.0 / n for n in range(1, 20_001)))


def read(heat: Heat, views: int, seed: int, first: int = 0) -> None:
    """So many views after Zipf's law, of articles from the ``first`` on."""
    dice = Random(seed)
    for number in range(views):
        heat.count(NAMES[(first + bisect(ZIPF, dice.random() * ZIPF[-1])) % 20_000])
        if number % 500 == 499:
            heat.settle()


def test_the_most_read_articles_are_hot() -> None:
    heat = Heat(100)
    read(heat, 30_000, 1)
    assert sum(NAMES[n] in heat.hot for n in range(50)) == 50
    assert sum(NAMES[n] in heat.hot for n in range(100)) >= 80
    assert 100 <= len(heat.hot) <= 115, "between two settlings a few may come"


def test_an_article_with_its_share_of_the_views_is_hot_too() -> None:
    heat = Heat(10, 0.002)
    read(heat, 30_000, 2)
    assert all(NAMES[n] in heat.hot for n in range(35))  # 1 in 500 of the views of such a site: number 47
    assert not any(NAMES[n] in heat.hot for n in range(90, 20_000))


def test_two_views_make_nothing_hot() -> None:
    heat = Heat()
    heat.count(1)
    heat.count(1)
    assert not heat.hot
    heat.count(1)
    assert 1 in heat.hot


def test_yesterdays_news_is_no_news() -> None:
    heat = Heat(50)
    read(heat, 20_000, 3)
    for _ in range(3):
        heat.halve()
        read(heat, 3000, 4, first=10_000)
    assert sum(NAMES[10_000 + n] in heat.hot for n in range(20)) == 20
    for _ in range(12):
        heat.halve()
    assert not heat.hot


def test_what_was_hot_is_remembered_a_while() -> None:
    heat = Heat(1)
    for _ in range(10):
        heat.count(1)
    for _ in range(20):
        heat.count(2)
    heat.settle()
    assert list(heat.hot) == [2]
    for _ in range(10):
        heat.count(1)
    assert 1 in heat.hot, "ten and ten are twenty"


def test_a_million_views_of_one_article_do_not_warm_another() -> None:
    heat = Heat(5)
    for _ in range(50_000):
        heat.count(NAMES[0])
    for name in NAMES[1:3000]:
        heat.count(name)
    heat.settle()
    assert list(heat.hot) == [NAMES[0]]


@pytest.mark.parametrize("share", [0.0, 0.001])
def test_whatever_is_read_the_memory_is_bounded(share: float) -> None:
    heat = Heat(20, share)
    bound = 40 + (1000 if share else 1)
    for name in NAMES[:3000]:
        for _ in range(3):
            heat.count(name)
        assert len(heat.hot) <= bound + 1
    assert heat.bytes_used < 400_000


@pytest.mark.parametrize(("top", "share"), [(0, 0.0), (10_001, 0.0), (10, 0.00009), (10, 1.1)])
def test_numbers_that_make_no_sense_are_refused(top: int, share: float) -> None:
    with pytest.raises(ValueError, match="can be hot"):
        Heat(top, share)


@given(st.lists(st.integers(0, 30), max_size=300), st.integers(1, 5))
def test_of_few_articles_the_counts_are_exact(views: list[int], top: int) -> None:
    heat = Heat(top)
    for view in views:
        heat.count(NAMES[view])
    heat.settle()
    counts = {NAMES[n]: views.count(n) for n in set(views)}
    last = sorted(counts.values(), reverse=True)[:top][-1] if len(counts) >= top else 0
    assert {name for name in counts if counts[name] > last and counts[name] >= 3} <= set(heat.hot), "all above the bar"
    assert set(heat.hot) <= {name for name in counts if counts[name] >= max(last, 3)}, "and of those at it, some"
    assert all(heat.hot[name] == 16 * counts[name] for name in heat.hot)
