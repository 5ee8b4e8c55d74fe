"""Readers who lay their copies side by side and mix them: with ``collusion = 4`` one of them is still told.

All invisible marks are gone and only wording is left, 50 slots an article; a coalition sees where its copies differ and
chooses by one of five strategies. The numbers of articles are those of the paper measurements that the biases rest on.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from contentguard.watermark.code import seed, stream
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.keys import keys_of
from contentguard.watermark.observed import Observed
from contentguard.watermark.score import Sums, added, averaged, needed, sums

KEYS = keys_of(b"a secret of the marks", 23)
SLOTS = 50
TEXT = " ".join(f"word{n} [[dozens{n}|scores{n}]] more{n}" for n in range(SLOTS))
ONLY = Channels(frames=False, gaps=False, typography=False, collusion=4)
MADE = Compiled([[TEXT]], ONLY)
Strategy = Callable[[list[int], Random], int]
STRATEGIES: dict[str, Strategy] = {
    "one of theirs by chance": lambda seen, drawn: drawn.choice(seen),
    "what most have": lambda seen, drawn: int(2 * sum(seen) + drawn.random() > len(seen)),
    "what fewest have": lambda seen, drawn: (
        int(2 * sum(seen) + drawn.random() <= len(seen)) if 0 < sum(seen) < len(seen) else seen[0]
    ),
    "the second wherever anybody has it": lambda seen, drawn: max(seen),
    "the first wherever anybody has it": lambda seen, drawn: min(seen),
}


def leaked(members: list[int], number_of: int, strategy: Strategy, drawn: Random) -> dict[int, float]:
    """What speaks for each member of a coalition after so many articles, and for an innocent (-1)."""
    told: dict[int, list[Sums]] = {member: [] for member in (*members, -1)}
    for number in range(number_of):
        start = seed(KEYS, f"/news/{number}".encode(), MADE.revision)
        odds = MADE.odds(start)
        codes = {member: stream(start, member if member >= 0 else 2**39, MADE.size) for member in told}
        chosen = tuple(
            (slot, strategy([int(codes[member][slot] < odds[slot]) for member in members], drawn))
            for slot in range(SLOTS)
        )
        seen = Observed((), (), chosen, (), ())
        for member, code in codes.items():
            told[member].append(added(sums(MADE, seen, code, odds, bytes(16))))
    return {member: averaged(added(articles)) for member, articles in told.items()}


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES.keys())
@pytest.mark.parametrize(("readers", "articles", "trials"), [(1, 3, 8), (2, 8, 8), (3, 25, 4), (4, 45, 3)])
def test_a_coalition_is_told_within_so_many_articles(
    readers: int, articles: int, trials: int, strategy: Strategy
) -> None:
    drawn, enough, told = Random(readers), needed(10**6, 1e-6), 0
    for _ in range(trials):
        found = leaked([drawn.randrange(2**39) for _ in range(readers)], articles, strategy, drawn)
        told += max(score for member, score in found.items() if member >= 0) >= enough
        assert found[-1] < enough / 2
    assert told == trials
