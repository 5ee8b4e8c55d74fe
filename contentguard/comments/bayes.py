"""A Naive Bayes filter whose features are weighed against each other, with thresholds from its own lessons.

    lessons ─ counts ─▶ log ratios ─ weighed ─▶ Model ─▶ margin of a comment, and what it is made of

Strategy: each feature's log ratio, log P(feature | spam) / P(feature | ham), is what Naive Bayes adds up; because
features repeat each other (a word, the pairs that it stands in), a logistic regression on top says how much of each
ratio counts, trained by AdaGrad (Duchi et al. 2011) in a few passes. A few hundred lessons say too little of most
features, so each weight is then drawn towards what all have in common (both: Wang and Manning, ACL 2012). The sum over
a comment's features is divided by the root of their number, so that length alone decides nothing.

What no lesson has said is told by a feature of its own: how many of a comment's words are new here. In a lesson, a word
is new that no other lesson has.

What a margin means is found out by *cross-validation*: every lesson is judged by a model that has not seen it. Above
``spam`` lies at most one in a hundred of the ham among the lessons, above ``hold`` one in twenty. Few lessons cannot
show that, so with few the thresholds keep their distance.

Everything is deterministic: the order of the passes is made up from the lessons' own places.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from math import exp, log, sqrt
from statistics import fmean, pstdev
from typing import NamedTuple

FEWEST = 8
"""Lessons of each kind without which nothing is said."""
MOST = 2500
"""Lessons that a model is made of, the latest."""
_SMOOTH = 0.5
_RATE, _DECAY, _PASSES = 0.1, 0.01, 8
_OWN = 0.35
"""How much of a feature's weight is its own; the rest is what all features weigh on average."""
_FOLDS = 3
_SPAM, _HOLD = 0.009, 0.05
"""Shares of ham that may lie above the thresholds."""
_GAP = 0.25
"""The least distance between them."""
_LEAST_SPAM, _LEAST_HOLD = 0.15, -0.5
"""No margin below is spam, or held: what is likelier to be ham than spam is no spam, however unlike the ham it is."""
_WORDS, _OTHERS = 4, 2
"""Of the features that a reason names, how many are what was written, and how many what was measured."""
_STEP = 7919
"""A prime: every pass takes the lessons in another order."""

Features = tuple[int, ...]

_WORD = 1
"""The bit that is set in a word's number, and in no other's."""
_NEWS = tuple(f"{share} sixths of its words new here" for share in range(6))


class Lesson(NamedTuple):
    """What a moderator decided about one comment."""

    features: Features
    """``hashed`` of its features."""
    spam: bool


class Part(NamedTuple):
    """What one feature adds to a margin."""

    feature: str
    margin: float


class Judged(NamedTuple):
    """What a model makes of one comment."""

    margin: float
    points: float
    """1.0 at the model's threshold for ``hold``, 3.0 at that for ``spam``."""
    parts: tuple[Part, ...]
    """The weightiest features, as far as they are for the verdict."""


class Model(NamedTuple):
    """What was learned."""

    weights: Mapping[int, float]
    bias: float
    hold: float
    """The margin from which a person should look at a comment."""
    spam: float
    """The margin from which nobody has to."""
    lessons: tuple[int, int]
    """How many were ham, and how many spam."""

    def margin(self, features: Features) -> float:
        """How much speaks for spam; the bias where nothing is known."""
        weights = self.weights
        known = [weights[feature] for feature in (*features, *_news(features, weights)) if feature in weights]
        return self.bias + (sum(known) / sqrt(len(known)) if known else 0.0)

    def judge(self, features: Sequence[str]) -> Judged:
        """A comment's margin, its points, and its weightiest features."""
        numbers = hashed(features)
        told = (*zip(features, numbers, strict=True), *((_NAMES[key], key) for key in _news(numbers, self.weights)))
        known = [(name, self.weights[key]) for name, key in told if key in self.weights]
        root = sqrt(len(known)) or 1.0
        margin = self.bias + sum(weight for _, weight in known) / root
        sign = 1.0 if margin >= self.hold else -1.0
        parts = [Part(name, weight / root) for name, weight in known if weight * sign > 0]
        return Judged(margin, self.points(margin), tuple(_weightiest(parts)))

    def points(self, margin: float) -> float:
        """A margin on the scale of decisions, from -1 to 9."""
        return max(-1.0, min(1.0 + 2.0 * (margin - self.hold) / (self.spam - self.hold), 9.0))


def _weightiest(parts: Iterable[Part]) -> list[Part]:
    """The parts to be told of: words and pairs of words before measures, because they can be looked for in the text."""
    ranked = sorted(parts, key=lambda part: -abs(part.margin))
    written = [part for part in ranked if part.feature.startswith("“") and not part.feature.endswith("…”")]
    measured = [part for part in ranked if not part.feature.startswith("“")]
    return [*written[:_WORDS], *measured[:_OTHERS]]


def hashed(features: Iterable[str]) -> Features:
    """Features as numbers of 32 bits: what lessons are kept as."""
    return tuple(_number(feature) for feature in features)


def _number(feature: str) -> int:
    word = feature.startswith("“") and " " not in feature and not feature.endswith("…”")
    return zlib.crc32(feature.encode("utf-8", "replace")) & ~_WORD | word


_NAMES = {_number(name): name for name in _NEWS}
_NUMBERS = tuple(_NAMES)


def _news(features: Features, known: Container[int]) -> Features:
    """What is to be added to features: how many of their words are not known. Nothing where there are no words."""
    words = [feature for feature in features if feature & _WORD]
    new = sum(word not in known for word in words)
    return (_NUMBERS[6 * new // (len(words) + 1)],) if words else ()


def train(lessons: Sequence[Lesson]) -> Model | None:
    """A model of the latest ``MOST`` lessons; None where there are too few of a kind."""
    lessons = lessons[-MOST:]
    spam = sum(lesson.spam for lesson in lessons)
    if min(spam, len(lessons) - spam) < FEWEST:
        return None
    fit = _fitted(lessons)
    hold, certain = thresholds(sorted(_unseen(lessons), reverse=True))
    return Model(fit.weights, fit.bias, hold, certain, (len(lessons) - spam, spam))


def thresholds(ham: Sequence[float]) -> tuple[float, float]:
    """From which margins on a comment is held, and is spam. ``ham``: margins of unseen ham, the highest first."""
    mean, spread = fmean(ham), pstdev(ham)
    spam = max(_above(ham, _SPAM, mean + 2.33 * spread), _LEAST_SPAM)
    hold = max(_above(ham, _HOLD, mean + 1.64 * spread), _LEAST_HOLD)
    return min(hold, spam - _GAP), spam


def _above(ham: Sequence[float], share: float, fence: float) -> float:
    """The margin above which lies at most such a share of ham like this; ``fence``: what it would be of a bell curve.

    Of n margins, the one that k exceed lies below a (k + 1)/(n + 1)th of what is to come, on average; between two of
    them it is as far as the share asks for.
    """
    place = share * (len(ham) + 1) - 1.0
    if place < 0.0:
        return max(ham[0], fence)
    before = int(place)
    return ham[before] + (place - before) * (ham[before + 1] - ham[before])


class _Fit(NamedTuple):
    weights: dict[int, float]
    bias: float


def _fitted(lessons: Sequence[Lesson]) -> _Fit:
    """The log ratios of all features that the lessons hold, each times its weight."""
    often = _often(lessons)
    lessons = [lesson._replace(features=(*lesson.features, *_news(lesson.features, often))) for lesson in lessons]
    ratios, spam = _ratios(lessons)
    places = {feature: place for place, feature in enumerate(ratios)}
    told = [
        (tuple(places[feature] for feature in lesson.features), lesson.spam) for lesson in lessons if lesson.features
    ]
    weights, bias = _passes(told, list(ratios.values()), len(lessons) / (2.0 * spam))
    common = (1.0 - _OWN) * fmean(map(abs, weights))
    return _Fit(
        {
            feature: ratio * (common + _OWN * weight)
            for (feature, ratio), weight in zip(ratios.items(), weights, strict=True)
        },
        bias,
    )


def _often(lessons: Iterable[Lesson]) -> set[int]:
    """The features that more than one lesson has."""
    once: set[int] = set()
    often: set[int] = set()
    for lesson in lessons:
        often.update(once.intersection(lesson.features))
        once.update(lesson.features)
    return often


def _ratios(lessons: Sequence[Lesson]) -> tuple[dict[int, float], int]:
    counts: dict[bool, defaultdict[int, int]] = {False: defaultdict(int), True: defaultdict(int)}
    for lesson in lessons:
        counted = counts[lesson.spam]
        for feature in lesson.features:
            counted[feature] += 1
    spam = sum(lesson.spam for lesson in lessons)
    ham_counts, spam_counts = counts[False], counts[True]
    all_spam, all_ham = spam + 2.0 * _SMOOTH, len(lessons) - spam + 2.0 * _SMOOTH
    return {
        feature: log((spam_counts.get(feature, 0) + _SMOOTH) / all_spam)
        - log((ham_counts.get(feature, 0) + _SMOOTH) / all_ham)
        for feature in {**ham_counts, **spam_counts}
    }, spam


def _passes(
    told: Sequence[tuple[Features, bool]], ratios: list[float], spam_weight: float
) -> tuple[list[float], float]:
    """The weights of log ratios. ``spam_weight``: what a lesson of spam counts for; both kinds count the same."""
    weights, squares, bias, bias_square = [0.0] * len(ratios), [1e-8] * len(ratios), 0.0, 1e-8
    counts_for = {True: spam_weight, False: spam_weight / (2.0 * spam_weight - 1.0)}
    number = len(told)
    for number_of_pass in range(_PASSES):
        for place in range(number):
            features, spam = told[(place + number_of_pass) * _STEP % number]
            scale = 1.0 / sqrt(len(features))
            margin = bias + scale * sum([weights[at] * ratios[at] for at in features])
            error = (1.0 / (1.0 + exp(-max(-30.0, min(margin, 30.0)))) - spam) * counts_for[spam]
            scaled = error * scale
            for at in features:
                weight = weights[at]
                slope = scaled * ratios[at] + _DECAY * weight
                squares[at] += slope * slope
                weights[at] = weight - _RATE * slope / sqrt(squares[at])
            bias_square += error * error
            bias -= _RATE * error / sqrt(bias_square)
    return weights, bias


def _unseen(lessons: Sequence[Lesson]) -> list[float]:
    """The margins of ham, each by a model that has seen neither it nor what was decided next to it.

    What is decided in one go is often alike; parts that stand together in time keep it on one side.
    """
    kinds = [[lesson for lesson in lessons if lesson.spam is kind] for kind in (False, True)]
    margins = []
    for fold in range(_FOLDS):
        parts = [(len(kind) * fold // _FOLDS, len(kind) * (fold + 1) // _FOLDS, kind) for kind in kinds]
        fit = _fitted([lesson for start, end, kind in parts for lesson in (*kind[:start], *kind[end:])])
        model = Model(fit.weights, fit.bias, 0.0, 1.0, (0, 0))
        start, end, ham = parts[0]
        margins += [model.margin(lesson.features) for lesson in ham[start:end]]
    return margins
