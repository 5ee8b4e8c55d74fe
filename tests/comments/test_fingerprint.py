"""Who says the same, and who nearly does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.comments.fingerprint import SHORT, exact, near

WORDS = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("al", "en", "id", "or", "um", "ash", "eel", "oft")]


def said(number: int, length: int = 50) -> list[str]:
    return random.Random(number).choices(WORDS, k=length)


def meet(one: str, other: str) -> bool:
    return bool(set(near(one)) & set(near(other)))


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=80))
def test_case_and_punctuation_do_not_matter(words: list[str]) -> None:
    plain, dressed = " ".join(words), ",  ".join(words).upper() + "!!!"
    assert exact(plain) == exact(dressed)
    assert near(plain) == near(dressed)
    assert len(near(plain)) == (4 if len(words) >= SHORT else 0)
    assert exact(plain) != exact(" ".join([*words, "more"]))


def test_texts_without_words_are_told_apart() -> None:
    assert exact("👍") != exact("👎")
    assert exact("") == exact("  ")
    assert near("!!! ??? ...") == ()


def test_a_changed_word_still_meets() -> None:
    found = 0
    for number in range(200):
        words = said(number)
        changed = [*words]
        changed[number % 50] = "changed"
        found += meet(" ".join(words), " ".join(changed))
    assert found >= 185, "0.97 of those that share 0.89 of their runs"


def test_strangers_do_not_meet() -> None:
    texts = [" ".join(said(number)) for number in range(60)]
    assert not any(meet(one, other) for at, one in enumerate(texts) for other in texts[:at])


@pytest.mark.parametrize("length", [6, 7, 1000, 20_000])
def test_any_length_has_four_keys(length: int) -> None:
    assert len(near(" ".join(said(1, length)))) == 4


@given(st.text())
def test_any_text_has_keys(text: str) -> None:
    assert len(exact(text)) == 24
    assert len(near(text)) in (0, 4)
