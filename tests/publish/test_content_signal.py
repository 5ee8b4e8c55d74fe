from __future__ import annotations

import pytest

from contentguard.publish import headers
from contentguard.publish.content_signal import POLICY, comment, line
from contentguard.terms import Site, Terms, Use, Uses

ALL = {Use.SEARCH: True, Use.AI_INPUT: True, Use.AI_TRAIN: False}


@pytest.mark.parametrize(
    ("uses", "places", "said"),
    [
        (ALL, (), ["Content-Signal: search=yes, ai-input=yes, ai-train=no"]),
        ({}, (), []),
        ({Use.SEARCH: True}, (), ["Content-Signal: search=yes"]),
        # Granted here and refused there: of the whole site that is left unstated.
        (ALL, (("/a", {Use.AI_INPUT: False}),), ["Content-Signal: search=yes, ai-train=no"]),
        # Refused here and granted there: the reservation stays.
        (ALL, (("/a", {Use.AI_TRAIN: True}),), ["Content-Signal: search=yes, ai-input=yes, ai-train=no"]),
        ({Use.SEARCH: True}, (("/a", {Use.SEARCH: False}),), []),
    ],
)
def test_the_line_of_robots_txt(uses: Uses, places: tuple[tuple[str, Uses], ...], said: list[str]) -> None:
    assert line(Terms({}, uses, places)) == said


def test_the_header_speaks_of_one_page() -> None:
    terms = Terms({}, ALL)
    sent = dict(headers(terms, {Use.SEARCH: False, Use.AI_TRAIN: True}, Site()))
    assert sent[b"content-signal"] == b"search=no, ai-train=yes"
    assert b"content-signal" not in dict(headers(Terms({}, {}), {}, Site()))


def test_the_policy_is_whole() -> None:
    """It has an effect only word by word (contentsignals.org, CC0)."""
    assert len(POLICY) == 9
    assert POLICY[0].startswith("As a condition of accessing this website")
    assert POLICY[-1].endswith("IN THE DIGITAL SINGLE MARKET.")
    assert all(text.startswith("# ") and text.isascii() for text in comment())
