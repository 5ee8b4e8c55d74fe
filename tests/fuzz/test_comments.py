"""Hostile comments: each is answered, kept as it is, and shown as nothing but text.

A hundred thousand of them: ``python -m tests.fuzz comments``.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from contentguard.comments.text import as_html
from tests.fuzz.__main__ import main
from tests.fuzz.comments import fault_of_html, hunt, samples


def test_no_comment_breaks_anything() -> None:
    tally = Counter[str]()
    assert asyncio.run(hunt(1, range(1500), tally)) == []
    assert tally["200"] > 500, "most of them come through"
    assert tally["400"]
    assert tally["403"]
    assert tally["approve"]
    assert tally["hold"]


def test_the_hunter_sees_what_is_wrong() -> None:
    """No test that cannot fail: markup that got through is found."""
    for markup in ("<p>", "<b>", '<a href="javascript:x">', '<p dir="auto" onclick=x>', "a < b", '<a href="x" rel="">'):
        assert fault_of_html(markup)
    assert fault_of_html(as_html("see https://a.example\n<b>")) == ""
    assert any("<script>" in text for text in samples(1, 100))


def test_the_command(capsys: object) -> None:
    assert main(["comments", "--comments", "40", "--seed", "3"]) == 0
