"""The two sketches: right within their bounds, and of a fixed size."""

from __future__ import annotations

from random import Random

import pytest

from contentguard.detect.sketches import Prefixes, Warmth, estimate


@pytest.mark.parametrize("different", [0, 1, 20, 100, 1000, 20_000])
def test_different_prefixes_are_estimated(different: int) -> None:
    random, seen = Random(different), Prefixes(3)
    sources = [random.getrandbits(64) for _ in range(different)]
    for source in sources * 3:
        seen.add(1, source)
    assert estimate(seen.take(1)) == pytest.approx(different, rel=0.4, abs=1)
    assert estimate(seen.take(1)) == estimate(seen.take(0)) == estimate(seen.take(2)) == 0


def test_what_was_taken_can_be_put_elsewhere() -> None:
    random, seen, later = Random(1), Prefixes(2), Prefixes(2)
    for _ in range(200):
        seen.add(0, random.getrandbits(64))
    taken = seen.take(0)
    later.put(1, taken)
    later.put(1, taken)
    assert later.take(1) == taken


def test_a_page_is_cold_until_its_third_look_and_after_long_neglect() -> None:
    warmth = Warmth()
    assert [warmth.look(12345) for _ in range(5)] == [True, True, True, False, False]
    assert warmth.look(54321 << 16)
    for _ in range(20):
        warmth.cool()
    assert warmth.look(12345)


def test_most_pages_are_told_apart() -> None:
    random, warmth = Random(2), Warmth()
    for _ in range(5):
        for page in range(2000):
            warmth.look(page * 2654435761)
    strangers = sum(not warmth.look(random.getrandbits(32)) for _ in range(1000))
    assert strangers < 20
