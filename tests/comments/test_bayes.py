"""What is learned: by what, how fast, how surely, and that it can be explained."""

from __future__ import annotations

import random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.comments import bayes
from contentguard.comments.bayes import FEWEST, Lesson, Model, hashed, thresholds, train
from contentguard.comments.submission import Submission
from contentguard.comments.words import MOST_FEATURES, features

SPAM = [
    "casino",
    "bonus",
    "free",
    "spins",
    "click",
    "here",
    "now",
    "win",
    "cash",
    "slots",
    "jackpot",
    "best",
    "offer",
    "visit",
]
HAM = [
    "harbour",
    "tide",
    "mill",
    "council",
    "ferry",
    "winter",
    "market",
    "bridge",
    "school",
    "river",
    "people",
    "think",
]
BOTH = ["the", "a", "of", "and", "to", "is", "was", "it", "this", "that", "article", "news", "for", "on", "with"]


def lesson(chance: random.Random, spam: bool, own: float = 0.3) -> Lesson:
    special = SPAM if spam else HAM
    words = [chance.choice(special if chance.random() < own else BOTH) for _ in range(25)]
    return Lesson(hashed(features(Submission("/a", " ".join(words), "Ann"))), spam)


def lessons(ham: int, spam: int, seed: int = 0, own: float = 0.3) -> list[Lesson]:
    chance = random.Random(seed)
    made = [lesson(chance, False, own) for _ in range(ham)] + [lesson(chance, True, own) for _ in range(spam)]
    chance.shuffle(made)
    return made


def shares(model: Model, told: list[Lesson]) -> tuple[float, float]:
    """Of ham and of spam, how much the model calls spam."""
    called = {
        kind: [model.points(model.margin(x.features)) >= 3.0 for x in told if x.spam is kind] for kind in (False, True)
    }
    return fmean(called[False]), fmean(called[True])


@pytest.mark.parametrize(("ham", "spam"), [(250, 250), (470, 30), (60, 440), (30, 30)])
def test_any_mix_of_lessons_tells_them_apart(ham: int, spam: int) -> None:
    model = train(lessons(ham, spam))
    assert model is not None
    assert model.lessons == (ham, spam)
    wrong, right = shares(model, lessons(1000, 1000, seed=1))
    assert wrong <= 0.02
    assert right >= 0.85


@pytest.mark.parametrize(("ham", "spam"), [(0, 0), (500, 0), (0, 500), (FEWEST - 1, 100), (100, FEWEST - 1)])
def test_too_few_lessons_say_nothing(ham: int, spam: int) -> None:
    assert train(lessons(ham, spam)) is None


def test_the_fewest_lessons_say_something_and_nothing_rash() -> None:
    model = train(lessons(FEWEST, FEWEST))
    assert model is not None
    assert shares(model, lessons(300, 300, seed=1))[0] <= 0.03


def test_lessons_that_contradict_each_other_convict_nobody() -> None:
    told = lessons(200, 200)
    chance = random.Random(5)
    model = train([Lesson(one.features, chance.random() < 0.5) for one in told])
    assert model is not None
    assert shares(model, lessons(500, 500, seed=1))[0] <= 0.05


def test_the_same_lessons_make_the_same_model() -> None:
    assert train(lessons(40, 40)) == train(lessons(40, 40))


def test_only_the_latest_lessons_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bayes, "MOST", 100)
    told = lessons(80, 80)
    assert train(told) == train(told[-100:])
    assert train(told) != train(told[:100])


def test_features_nobody_has_seen_say_nothing() -> None:
    model = train(lessons(40, 40))
    assert model is not None
    assert model.margin(hashed(["never seen"])) == model.bias == model.margin(())
    judged = model.judge(["never seen"])
    assert (judged.margin, judged.parts) == (model.bias, ())


def test_how_many_words_are_new_is_learned_from_words_that_one_lesson_alone_has() -> None:
    chance = random.Random(3)

    def told(spam: bool, new: bool) -> Lesson:
        words = [chance.choice(BOTH) if not new or chance.random() < 0.5 else f"w{chance.random()}" for _ in range(12)]
        return Lesson(hashed(f"“{word}”" for word in words), spam)

    model = train([told(spam, spam) for _ in range(60) for spam in (True, False)])
    assert model is not None
    strange, usual = ([f"“{word}”" for word in words] for words in (("qua", "qui", "quo", "the"), ("the", "of", "and")))
    assert model.judge(strange).margin > model.judge(usual).margin
    assert model.judge(strange).margin == pytest.approx(model.margin(hashed(strange)))
    assert any(part.feature.endswith("new here") for part in model.judge(strange).parts)


@given(st.lists(st.text(max_size=8), max_size=20, unique=True), st.integers(0, 20))
def test_every_word_is_counted_as_new_or_known(texts: list[str], known: int) -> None:
    words = [f"“{text.replace(' ', '').replace('…', '')}”" for text in texts]
    numbers = tuple(dict.fromkeys(hashed(words)))
    others = hashed(f"{text} of no word" for text in texts)
    told = bayes._news((*others, *numbers), set(numbers[:known]))
    assert bayes._news(others, ()) == ()
    assert len(told) == bool(numbers)
    if numbers:
        share = bayes._NUMBERS.index(told[0])
        new = max(0, len(numbers) - known)
        assert share <= 6 * new / len(numbers)
        assert (share == 0) is (6 * new <= len(numbers))


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 12), unique=True).map(tuple), max_size=12))
def test_often_is_what_two_lessons_have(told: list[tuple[int, ...]]) -> None:
    found = bayes._often(Lesson(one, True) for one in told)
    assert found == {a for a in range(13) if sum(a in one for one in told) > 1}


def test_lessons_without_features_are_no_obstacle() -> None:
    assert train([*lessons(40, 40), Lesson((), True), Lesson((), False)]) is not None


def test_a_judgement_names_what_it_rests_on() -> None:
    model = train(lessons(100, 100))
    assert model is not None
    spam = model.judge(features(Submission("/a", "free casino bonus, click here to win cash", "Ann")))
    ham = model.judge(features(Submission("/a", "the council and the harbour, people of the river", "Ann")))
    assert spam.points > 3.0 > 1.0 > ham.points
    assert any(word in part.feature for part in spam.parts for word in SPAM)
    assert all(part.margin > 0 for part in spam.parts)
    assert all(part.margin < 0 for part in ham.parts)
    assert 3 <= len(spam.parts) <= 6
    assert spam.margin == pytest.approx(
        model.margin(hashed(features(Submission("/a", "free casino bonus, click here to win cash", "Ann"))))
    )


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=600))
def test_thresholds_keep_their_promise_among_the_lessons(margins: list[float]) -> None:
    ham = sorted(margins, reverse=True)
    hold, spam = thresholds(ham)
    assert hold < spam
    assert sum(margin > spam for margin in ham) <= 0.01 * len(ham)


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_points_grow_with_the_margin(one: float, other: float) -> None:
    model = Model({}, 0.0, -0.5, 1.5, (10, 10))
    low, high = sorted((one, other))
    assert -1.0 <= model.points(low) <= model.points(high) <= 9.0
    assert model.points(-0.5) == 1.0
    assert model.points(1.5) == 3.0


fields = st.text(max_size=200) | st.lists(
    st.sampled_from([*SPAM, *HAM, "https://a.example/?q", "!!!", "£1"]), max_size=30
).map(" ".join)


@settings(max_examples=50)
@given(st.lists(st.tuples(fields, fields, fields, st.booleans()), max_size=40), fields)
def test_whatever_was_said_can_be_learned(told: list[tuple[str, str, str, bool]], new: str) -> None:
    made = [Lesson(hashed(features(Submission("/a", t, a, f"x@{u}", u))), spam) for t, a, u, spam in told]
    model = train(made)
    if model is not None:
        assert -1.0 <= model.judge(features(Submission("/a", new, "Ann"))).points <= 9.0


@given(st.text(max_size=500), st.text(max_size=50))
def test_features_are_bounded_distinct_and_short(text: str, author: str) -> None:
    found = features(Submission("/a", text * 20, author * 20, "a@" + author, author))
    assert len(found) == len(set(found)) <= MOST_FEATURES
    assert all(len(feature) <= 120 for feature in found)


def test_features_say_what_a_moderator_understands() -> None:
    found = features(
        Submission(
            "/a", "CLICK here: https://Win.Example.com/?r=1 for $500!!", "Ann", "a@mail.example", "https://shop.example"
        )
    )
    assert {
        "1 links",
        "a link with a query",
        "a link to win.example.com",
        "a link to .com",
        "a site of the author's",
        "the author's site: a link to shop.example",
        "mail at mail.example",
        "the name “ann”",
        "“click here”",
        "“click”",
        "“clic…”",
        "“!+ $”",
        "“a link”",
        "“click … a link”",
        "4+ digits",
    } <= set(found)
    assert "markup" in features(Submission("/a", "<b>", "Ann"))
