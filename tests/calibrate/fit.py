"""Weights from data: ridge regression around what reason says, one vote for each family.

Strategy: the log-odds of "a program" are a sum of weights (a logistic model); the weights are those of greatest
posterior probability under a Gaussian prior around the file's ``prior`` with standard deviation ``SPREAD``, never
negative and never more than ``REACH`` from the prior. So a signal that the data hardly shows stays where it was, and
one lucky tool cannot drag a weight away. Programs and readers weigh the same in total, and so do families of programs
among each other, however many captures each has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp

from contentguard.detect import signals
from contentguard.detect.weights import document
from tests.calibrate.clients import CONDITIONS, Capture, browsers, drawn
from tests.calibrate.replay import facts_of, names, visit

SPREAD = 1.0
REACH = 1.0
SHARES = {"chromium": 0.62, "firefox": 0.2, "epiphany": 0.14}
"""Roughly how readers are spread over engines (Epiphany speaks for WebKit); the captures are not."""

_REST = 0.02
_SWEEPS = 60
_UNKNOWN_WHEN_DRAWN = ("no-fetch", "fetch-", "none-", "no-language", "language-")
"""The model of visitors draws neither Sec-Fetch-* nor languages."""


@dataclass(frozen=True, slots=True)
class Row:
    """How often one set of signals was seen of one family."""

    found: frozenset[str]
    program: bool
    family: str
    weight: float


def learned() -> dict[str, float]:
    """The signals whose weights are learned, with their priors."""
    return {name: row["prior"] for name, row in document()["signals"].items() if row["learned"]}


def program_rows(captures: Iterable[Capture]) -> list[Row]:
    """What programs that pose as browsers show, directly and behind a proxy; each family weighs 1."""
    found: dict[str, list[frozenset[str]]] = defaultdict(list)
    for capture in captures:
        for proxied in (False, True):
            found[capture.stack] += [frozenset(names(seen)) for seen in visit(capture, proxied=proxied)[:1]]
    return [Row(s, True, family, 1.0 / len(rows)) for family, rows in found.items() for s in rows]


def reader_rows() -> list[Row]:
    """What browsers show in every condition, and what the model of visitors drew; each half weighs 1."""
    captured = browsers()
    captures = Counter(capture.stack for capture in captured)
    rows = []
    for name, condition in CONDITIONS.items():
        for capture in captured:
            for proxied in (False, True):
                for seen in visit(capture, condition, proxied=proxied)[:1]:
                    weight = condition.weight * SHARES.get(capture.stack, _REST) / captures[capture.stack] / 2
                    rows.append(Row(frozenset(names(seen)), False, f"{capture.stack}, {name}", weight))
    total = sum(count for count, _ in drawn())
    for count, lines in drawn():
        noticed = {s.name for s in signals(facts_of([("Host", "news.example"), *lines], proxied=True))}
        known = frozenset(name for name in noticed if not name.startswith(_UNKNOWN_WHEN_DRAWN))
        rows.append(Row(known, False, "drawn", count / total))
    return rows


def fit(rows: Iterable[Row], priors: Mapping[str, float]) -> dict[str, float]:
    """The weights of greatest posterior probability, by coordinate-wise Newton steps.

    Each class is given the weight of its number of families, so that more families mean more certainty.
    """
    points = _points(rows, priors)
    holding = {name: [n for n, point in enumerate(points) if name in point.found] for name in priors}
    weights = dict(priors)
    margins = [-1.5 + sum(weights[name] for name in point.found) for point in points]
    everywhere = range(len(points))
    for _ in range(_SWEEPS):
        step = _newton(points, margins, everywhere, 0.0, 1e-6)
        margins = [margin + step for margin in margins]
        for name, prior in priors.items():
            pull = (prior - weights[name]) / SPREAD**2
            wanted = weights[name] + _newton(points, margins, holding[name], pull, 1.0 / SPREAD**2)
            wanted = min(max(wanted, 0.0, prior - REACH), prior + REACH)
            for n in holding[name]:
                margins[n] += wanted - weights[name]
            weights[name] = wanted
    return weights


def _points(rows: Iterable[Row], priors: Mapping[str, float]) -> list[Row]:
    """Rows of the same signals made one; each class as heavy as there are families of programs."""
    masses: dict[tuple[frozenset[str], bool], float] = defaultdict(float)
    families = set()
    for row in rows:
        masses[frozenset(row.found & priors.keys()), row.program] += row.weight
        if row.program:
            families.add(row.family)
    total = {side: sum(mass for (_, program), mass in masses.items() if program is side) for side in (True, False)}
    return [Row(found, program, "", mass * len(families) / total[program]) for (found, program), mass in masses.items()]


def _newton(points: list[Row], margins: list[float], which: Iterable[int], slope: float, bend: float) -> float:
    """One damped Newton step along one coordinate, from the slope and curvature that the prior gives."""
    for n in which:
        chance = 1.0 / (1.0 + exp(-max(min(margins[n], 30.0), -30.0)))
        slope += points[n].weight * (points[n].program - chance)
        bend += points[n].weight * chance * (1.0 - chance)
    return max(min(slope / bend, 1.0), -1.0)


def supported(rows: Iterable[Row]) -> dict[str, set[str]]:
    """Signal → families of programs that show it."""
    shown: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.program:
            for name in row.found:
                shown[name].add(row.family)
    return shown


def refitted(programs: list[Row], readers: list[Row], without: str = "") -> dict[str, float]:
    """New weights of all learned signals; those that fewer than two families show keep their prior."""
    priors = learned()
    kept = [row for row in programs if row.family != without]
    shown = supported(kept)
    weights = fit([*kept, *readers], priors)
    return {n: round(w, 1) if len(shown.get(n, ())) >= 2 else priors[n] for n, w in weights.items()}
