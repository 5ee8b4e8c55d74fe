"""Copies without a mark are found, and what has only phrases in common is none."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.watermark.winnow import SHINGLE, WINDOW, candidates, fingerprints, overlap
from tests.watermark.corpus import documents, edited

KEY = b"k" * 32
WORDS = st.lists(st.sampled_from("abcdefg"), max_size=60)


@given(WORDS, WORDS, st.lists(st.sampled_from("hijklmnop"), min_size=8, max_size=20), WORDS, WORDS)
def test_eight_words_in_common_are_a_fingerprint_in_common(
    a: list[str], b: list[str], both: list[str], c: list[str], d: list[str]
) -> None:
    assert len(both) >= SHINGLE + WINDOW - 1
    assert fingerprints(a + both + b, KEY) & fingerprints(c + both + d, KEY)


@given(WORDS)
def test_fingerprints_are_signed_64_bits_and_no_more_than_the_shingles(words: list[str]) -> None:
    found = fingerprints(words, KEY)
    assert all(-(2**63) <= one < 2**63 for one in found)
    assert len(found) <= max(0, len(words) - SHINGLE + 1)
    assert bool(found) == (len(words) >= SHINGLE)


def test_nobody_can_aim_at_one() -> None:
    words = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
    assert not fingerprints(words, KEY) & fingerprints(words, b"x" * 32)


@given(WORDS, WORDS)
def test_passages_are_the_same_words_and_do_not_overlap_in_the_text(article: list[str], text: list[str]) -> None:
    found = overlap(article, text)
    end = 0
    for passage in found.passages:
        assert passage.suspect >= end
        end = passage.suspect + passage.length
        assert passage.length >= SHINGLE
        same = article[passage.article : passage.article + passage.length]
        assert text[passage.suspect : end] == same
    assert 0.0 <= found.of_article <= 1.0
    assert 0.0 <= found.of_text <= 1.0
    assert found.words == sum(passage.length for passage in found.passages)


def test_a_whole_copy() -> None:
    words = [f"w{n}" for n in range(100)]
    found = overlap(words, ["x", *words, "y"])
    assert found.copied
    assert found.of_article == 1.0
    assert [tuple(passage) for passage in found.passages] == [(1, 0, 100)]


@pytest.mark.parametrize(("run", "copied"), [(5, False), (7, False), (8, True)])
def test_a_phrase_is_no_copy(run: int, copied: bool) -> None:
    words = [f"w{n}" for n in range(100)]
    assert overlap(words, [*words[10 : 10 + run], *(f"x{n}" for n in range(20))]).copied is copied


def test_many_short_passages_are_a_copy() -> None:
    words = [f"w{n}" for n in range(100)]
    text = [*words[:6], "x", *words[6:12], "x", *words[12:18]]
    assert overlap(words, text).copied


def test_nothing_is_like_nothing() -> None:
    assert not overlap([], []).copied
    assert candidates({}, 0) == []
    assert candidates({1: ["/a"]}, 2) == ["/a"]
    assert candidates({1: ["/a"]}, 3) == []
    assert candidates({1: "abcd", 2: "abcd"}, 9) == []


def test_recall_and_false_alarms() -> None:
    """Goals of copy detection, on a thousand generated articles that share phrases with each other."""
    rng = random.Random(5)
    corpus = documents(1000, rng)
    owners: dict[int, set[str]] = defaultdict(set)
    for number, words in enumerate(corpus):
        for one in fingerprints(words, KEY):
            owners[one].add(str(number))

    def found(text: list[str]) -> set[int]:
        asked = fingerprints(text, KEY)
        named = candidates({one: owners[one] for one in asked if one in owners}, len(asked))
        return {int(name) for name in named if overlap(corpus[int(name)], text).copied}

    missed: dict[str, int] = defaultdict(int)
    for number in range(0, 1000, 4):
        words = corpus[number]
        start = rng.randrange(len(words) - 60)
        copies = {
            "15 words": words[start : start + 15],
            "35 words": words[start : start + 35],
            "30 % edited": edited(words, 0.3, rng),
            "35 words in others": corpus[number - 1][:200] + words[start : start + 35] + corpus[number - 2][:200],
        }
        for name, text in copies.items():
            missed[name] += number not in found(text)
    assert missed["15 words"] <= 250 * 0.05
    assert missed["35 words"] + missed["30 % edited"] + missed["35 words in others"] <= 3
    alarms = sum(bool(found(text)) for text in documents(1000, rng))
    assert alarms <= 1
