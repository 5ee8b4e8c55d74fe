"""Where a rule holds for an honest robot, as far as its name and purpose tell."""

from __future__ import annotations

import pytest

from contentguard.policy import Header, Score, When
from contentguard.policy.paths import parse_pattern
from contentguard.policy.reach import EVERYWHERE, NOWHERE, UNKNOWN, Reach, reach

A, A_B, PDF = When(path=("/a/",)), When(path=("/a/b/",)), When(path=("/*.pdf$",))
TOOL, FEED = When(purpose=("tool",)), When(purpose=("feed",))
SCORE = When(score=Score(3.0))


def on(*patterns: str) -> Reach:
    return Reach(tuple(map(parse_pattern, patterns)))


@pytest.mark.parametrize(
    ("when", "found"),
    [
        (When(), EVERYWHERE),
        (When(path=("/x", "/")), EVERYWHERE),
        (When(path=("/a/", "/b")), on("/a/", "/b")),
        (TOOL, EVERYWHERE),
        (FEED, NOWHERE),
        (When(purpose=("robot",)), EVERYWHERE),
        (When(purpose=("reader",)), NOWHERE),
        (When(crawler=("Curl",)), EVERYWHERE),
        (When(crawler=("GPTBot",)), NOWHERE),
        (When(identity=("spoofed",)), NOWHERE),
        (When(identity=("verified", "unverifiable", "unknown")), EVERYWHERE),
        (When(identity=("verified", "spoofed")), UNKNOWN),
        (When(method=("GET",)), EVERYWHERE),
        (When(method=("POST",)), UNKNOWN),
        (SCORE, UNKNOWN),
        (When(client=("10.0.0.0/8",)), UNKNOWN),
        (When(header=(Header("via"),)), UNKNOWN),
        # Both: the narrower one, or nothing, or what no single pattern says.
        (When(path=("/a/",), purpose=("tool",)), on("/a/")),
        (When(path=("/a/",), purpose=("feed",), score=Score(3.0)), NOWHERE),
        (When(path=("/a/",), all=(A_B,)), on("/a/b/")),
        (When(path=("/a/b/",), all=(A,)), on("/a/b/")),
        (When(path=("/c/",), all=(A,)), NOWHERE),
        (When(path=("/a/",), all=(PDF,)), UNKNOWN),
        (When(path=("/a/",), all=(SCORE,)), UNKNOWN),
        # Either.
        (When(any=(A, PDF)), on("/a/", "/*.pdf$")),
        (When(any=(A, TOOL)), EVERYWHERE),
        (When(any=(A, FEED)), on("/a/")),
        (When(any=(FEED, When(crawler=("x",)))), NOWHERE),
        (When(any=(A, SCORE)), UNKNOWN),
        # Not.
        (When(not_=TOOL), NOWHERE),
        (When(not_=FEED), EVERYWHERE),
        (When(path=("/a/",), not_=FEED), on("/a/")),
        (When(not_=A), UNKNOWN),
        (When(not_=SCORE), UNKNOWN),
    ],
)
def test_where_it_holds_for_curl(when: When, found: Reach) -> None:
    assert reach(when, "tool", "curl") == found
