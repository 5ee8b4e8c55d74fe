from __future__ import annotations

import pytest

from contentguard.publish import headers, meta
from contentguard.terms import Site, Terms, Use, Uses

ALL = dict.fromkeys(Use, True)


@pytest.mark.parametrize(
    ("uses", "snippet", "said"),
    [
        (ALL, -1, None),
        ({}, -1, None),
        ({**ALL, Use.AI_TRAIN: False}, -1, "noarchive, noai, noimageai"),
        ({**ALL, Use.AI_INPUT: False}, -1, "noarchive"),
        ({**ALL, Use.SEARCH: False}, -1, "noindex"),
        (ALL, 0, "max-snippet:0"),
        (dict.fromkeys(Use, False), 160, "noindex, noarchive, noai, noimageai, max-snippet:160"),
    ],
)
def test_directives(uses: Uses, snippet: int, said: str | None) -> None:
    terms = Terms({}, ALL, max_snippet=snippet)
    assert dict(headers(terms, uses, Site())).get(b"x-robots-tag", b"").decode() == (said or "")
    assert dict(meta(terms, uses, Site())).get("robots") == said
