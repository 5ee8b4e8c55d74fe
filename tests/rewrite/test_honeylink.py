"""Honeylinks as bytes: nothing for the eye, the tab key, a screen reader or an extractor; one hole for the token."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from contentguard.rewrite.honeylink import Honeylink, honeylink
from contentguard.rewrite.page import Field, Page, Slot

PAGE = Page(routes="/m/a&b/.contentguard")


def markup() -> BeautifulSoup:
    (fragment,) = honeylink(PAGE, options=Honeylink())
    assert fragment.slot is Slot.ARTICLE_END
    assert [part for part in fragment.parts if isinstance(part, Field)] == [Field.HONEYLINK]
    text = "".join("TOKEN" if isinstance(part, Field) else part.decode("ascii") for part in fragment.parts)
    return BeautifulSoup(text, "html.parser")


def test_the_link() -> None:
    link = markup().a
    assert link is not None
    assert link["href"] == "/m/a&b/.contentguard/more/TOKEN"
    assert link["rel"] == ["nofollow"]
    assert link["tabindex"] == "-1"


def test_people_and_their_software_meet_nothing() -> None:
    page = markup()
    box = page.div
    assert box is not None
    assert {"hidden", "inert", "data-nosnippet"} <= box.attrs.keys()
    assert box["aria-hidden"] == "true"
    assert page.get_text() == ""


def test_none_is_planted_where_none_is_wanted() -> None:
    assert list(honeylink(PAGE, options=Honeylink(plant=False))) == []


@pytest.mark.parametrize("routes", ['/"><script>', "/é"])
def test_a_mount_s_name_cannot_break_out(routes: str) -> None:
    (fragment,) = honeylink(Page(routes=routes), options=Honeylink())
    written = b"".join(part for part in fragment.parts if isinstance(part, bytes))
    assert b"<script" not in written
    assert written.isascii()
