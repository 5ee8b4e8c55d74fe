"""What rules notice, and what they leave alone."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.comments.options import CommentOptions
from contentguard.comments.rules import noticed
from contentguard.comments.submission import Submission

PLAIN = Submission("/news/tide", "The mill turns at high tide, and has since 1640.", "Ann Miller", "ann@example.org")
WORDS = CommentOptions(
    moderation_words=("Turnip", "cheap pills", "evil.example", "192.0.2."),
    disallowed_words=("casino", "c++", "❤"),
    scripts=("latin",),
)
LONG = "the harbour wall is old and ought to be looked after before winter comes again, "


def names(submission: Submission, options: CommentOptions = WORDS) -> list[str]:
    return [reason.name for reason in noticed(submission, options)]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.text,
        "I read it on https://example.org/a once.",
        "Turnipseed is a name, and casinos are not on the list.",
        "OK, NATO and the EU agree.",
        "3 < 4, a > b, [sic]",
        "Größe, naïve, Łódź, Çelik",
        "ha ha ha ha",
        LONG * 3,
    ],
)
def test_readers_are_left_alone(text: str) -> None:
    assert names(replace(PLAIN, text=text)) == []


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"text": "http://a.example http://b.example"}, "links"),
        ({"text": "www.a.example and HTTPS://b.example"}, "links"),
        ({"text": "A turnip."}, "moderation-word"),
        ({"text": "CHEAP  pills".replace("  ", " ")}, "moderation-word"),
        ({"url": "https://evil.example/"}, "moderation-word"),
        ({"client": "192.0.2.77"}, "moderation-word"),
        ({"author": "Casino"}, "disallowed-word"),
        ({"agent": "a casino client"}, "disallowed-word"),
        ({"text": "I write c++."}, "disallowed-word"),
        ({"text": "I ❤ it"}, "disallowed-word"),
        ({"text": "ｃａｓｉｎｏ"}, "disallowed-word"),
        ({"text": "xcasino casino"}, "disallowed-word"),
        ({"text": '<a href="x">y</a>'}, "markup"),
        ({"text": "[url=http://a.example]a[/url]"}, "markup"),
        ({"text": "Приходите к нам на сайт сегодня"}, "script"),
        ({"text": "Get frее mоney"}, "mixed-letters"),
        ({"author": "www.example.org"}, "name-link"),
        ({"author": "example.com"}, "name-link"),
        ({"author": "Best Payday Loans"}, "name-trade"),
        ({"text": "THIS IS THE VERY BEST THING THAT I EVER SAW"}, "shouting"),
        ({"text": "Goooooooooooooooal"}, "repeated"),
        ({"text": "buy now " * 30}, "repeated"),
    ],
)
def test_what_is_noticed(changed: dict[str, str], name: str) -> None:
    found = noticed(replace(PLAIN, **changed), WORDS)  # type: ignore[arg-type]
    assert name in [reason.name for reason in found]
    assert all(reason.points > 0 and reason.text.endswith(".") for reason in found)


def test_nothing_is_listed_by_default() -> None:
    everything = replace(PLAIN, text="casino turnip Приходите", client="192.0.2.77")
    assert names(everything, CommentOptions()) == []
    assert names(replace(PLAIN, text="http://a.example " * 9), CommentOptions(max_links=0)) == []


def test_the_script_of_a_text_without_letters_is_none() -> None:
    assert names(replace(PLAIN, text="1640!")) == []


texts = st.text(st.sampled_from("aA <>[]=:/.w\x00\u202eжλ日❤") | st.characters(), max_size=300)


@given(texts, texts, texts)
def test_whatever_is_written_is_judged(text: str, author: str, url: str) -> None:
    for reason in noticed(replace(PLAIN, text=text, author=author, url=url), WORDS):
        assert 0 < reason.points <= 3


@pytest.mark.parametrize("piece", ["a", "casin", "http://", "www.", "<a", "[url", "жa ", " ", "A", "❤", "turni", "1."])
def test_a_hundred_thousand_characters_take_no_time(piece: str) -> None:
    def took(length: int) -> float:
        long = replace(PLAIN, text=(piece * length)[:length])
        start = time.thread_time()
        noticed(long, WORDS)
        return time.thread_time() - start

    small = min(took(1_000) for _ in range(5))
    assert min(took(100_000) for _ in range(2)) < max(small, 2e-5) * 1_500


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_links": -1},
        {"flood_seconds": -1.0},
        {"duplicate_days": 0.0},
        {"duplicate_days": 61.0},
        {"form_seconds": 59.0},
        {"fastest": 4.0},
        {"fast": 61.0},
        {"moderation_words": ("",)},
        {"disallowed_words": ("x" * 101,)},
        {"disallowed_words": ("x",) * 1001},
    ],
)
def test_what_cannot_be_kept_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="comments"):
        CommentOptions(**wrong)  # type: ignore[arg-type]


def test_words_within_words_of_the_list_cost_no_more_than_others() -> None:
    listed = CommentOptions(disallowed_words=tuple("a" * length for length in range(1, 101)))
    shown = [replace(PLAIN, text=text) for text in ("b" * 65_000, "a" * 65_000)]

    def seconds(submission: Submission) -> float:
        begun = time.thread_time()
        assert names(submission, listed) == ["repeated"]
        return time.thread_time() - begun

    benign, hostile = (min(seconds(one) for _ in range(3)) for one in shown)
    assert hostile < 20 * benign
