"""Sessions, courses and honeylinks as signals."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard import detect
from contentguard.detect import noticed_in
from contentguard.detect.agent import parse
from contentguard.detect.weights import weights
from contentguard.model import Session
from tests.detect.requests import CHROME, FIREFOX, noticed

LYNX = {"Host": "news.example", "User-Agent": "Lynx/2.9.0dev.12 libwww-FM/2.14", "Accept": "text/html"}


def of(headers: dict[str, str] = CHROME, **session: Any) -> set[str]:
    return noticed(headers, session=Session(**session))


CASES = [
    ({"views": 1}, set()),
    ({"views": 1, "styles": 1}, {"parts-fetched"}),
    ({"views": 6, "styles": 6, "nones": 6, "gap": 30.0}, {"parts-fetched"}),
    ({"views": 2, "dry": 1, "gap": 0.6, "returned": True}, {"parts-missing"}),
    ({"views": 2, "dry": 1, "gap": 0.01, "returned": True}, {"parts-missing", "at-once"}),
    ({"views": 2, "dry": 1, "gap": 9.0, "returned": True}, {"parts-missing"}),
    ({"views": 2, "dry": 1, "gap": 9.0, "returned": True, "nones": 2}, {"parts-missing", "none-again"}),
    ({"views": 2, "dry": 1, "gap": 9.0, "bare": 2}, {"parts-missing", "bare-again", "cookie-lost"}),
    ({"views": 2, "dry": 1, "gap": 9.0, "returned": True, "went_on": True}, {"parts-missing", "went-on-unshown"}),
    ({"views": 2, "dry": 1, "gap": 9.0, "returned": True, "bare": 2, "went_on": True}, {"parts-missing", "bare-again"}),
    ({"views": 3, "dry": 1, "styles": 1, "gap": 9.0, "returned": True, "went_on": True}, {"parts-fetched"}),
    ({"views": 5, "dry": 4, "gap": 9.0, "returned": True}, {"parts-never"}),
    ({"views": 8, "dry": 5, "gap": 9.0, "styles": 2}, {"cookie-lost"}),
    ({"views": 20, "dry": 19, "gap": 9.0, "mean": 9.0, "variation": 1.0, "images": 1}, {"parts-never", "cookie-lost"}),
    ({"views": 2, "styles": 1, "nones": 2, "gap": 0.1}, {"parts-fetched"}),
    ({"traps": 1}, {"honeylink"}),
    ({"traps": 3}, {"honeylinks"}),
    ({"views": 9, "styles": 9, "run": 5, "mean": 60.0, "variation": 1.0}, {"parts-fetched", "site-order"}),
    ({"views": 9, "styles": 9, "run": 8, "mean": 60.0, "variation": 1.0}, {"parts-fetched", "site-order-long"}),
    ({"views": 9, "styles": 9, "mean": 60.0, "variation": 0.1}, {"parts-fetched", "clockwork"}),
    ({"views": 9, "styles": 9, "mean": 0.4, "variation": 1.0}, {"parts-fetched", "hasty"}),
    ({"views": 60, "styles": 60, "distinct": 60, "mean": 60.0, "variation": 1.0}, {"parts-fetched", "broad"}),
    ({"views": 8, "styles": 9, "mean": 0.4, "variation": 0.0}, {"parts-fetched"}),
]  # fmt: skip


@pytest.mark.parametrize(("session", "expected"), CASES, ids=[str(case[0]) for case in CASES])
def test_sessions(session: dict[str, Any], expected: set[str]) -> None:
    assert of(**session) == expected
    assert of(FIREFOX, **session) == expected


def test_a_text_browser_is_not_asked_for_what_it_does_not_fetch() -> None:
    assert of(LYNX, views=8, dry=7, gap=9.0, nones=0, bare=8) == {"text-browser"}


def test_whoever_gives_no_name_or_an_old_one_is_asked_all_the_same() -> None:
    nameless = {k: v for k, v in CHROME.items() if k != "User-Agent"}
    assert of(nameless, views=2, dry=1, gap=9.0, returned=True) == {"no-agent", "parts-missing"}
    old = {**LYNX, "User-Agent": "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko"}
    assert of(old, views=2, dry=1, gap=9.0, returned=True) == {"outdated-agent", "parts-missing"}


def test_absence_of_interaction_weighs_nothing() -> None:
    """There is no field for it, and no signal."""
    words = ("scroll", "move", "touch", "key", "click", "interact", "idle", "focus", "visible")
    names = [*Session._fields, *weights().signals]
    assert [n for n in names if any(word in n for word in words)] == []
    assert of(views=3, styles=3, scripts=3, report=0) == of(views=3, styles=3, scripts=3)


def test_one_honeylink_alone_refuses_nobody() -> None:
    used = weights()
    worst = used.total([used.signals["honeylink"], used.signals["honeylinks"]])
    assert worst < used.thresholds["lead-only"]


@given(
    st.builds(
        Session,
        views=st.integers(0, 12),
        gap=st.sampled_from([0.1, 5.0]),
        styles=st.integers(0, 2),
        scripts=st.integers(0, 2),
        images=st.integers(0, 2),
        dry=st.integers(0, 4),
        nones=st.integers(0, 3),
        run=st.integers(0, 6),
        traps=st.integers(0, 1),
        report=st.integers(0, 3),
    )
)
def test_the_short_way_says_what_the_long_one_does(session: Session) -> None:
    agent = parse(CHROME["User-Agent"].encode())
    assert noticed_in(session, agent) == tuple(detect._in_session(session, agent))
