"""Probes as bytes: nothing for the eye, the tab key, a screen reader or an extractor; holes for a reader's tokens."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from contentguard.assets import PRINT, REPORT
from contentguard.rewrite.page import Field, Fragment, Page, Slot
from contentguard.rewrite.probes import NONE, Probes, probes, shows

PAGE = Page(routes="/m/a&b/.contentguard")


def written(fragment: Fragment) -> str:
    return "".join(f"[{part}]" if isinstance(part, Field) else part.decode("ascii") for part in fragment.parts)


def made(options: Probes, page: Page = PAGE) -> dict[Slot, BeautifulSoup]:
    return {one.slot: BeautifulSoup(written(one), "html.parser") for one in probes(page, options=options)}


def test_the_honeylink() -> None:
    link = made(Probes())[Slot.ARTICLE_END].a
    assert link is not None
    assert link["href"] == "/m/a&b/.contentguard/more/[honeylink]"
    assert link["rel"] == ["nofollow"]
    assert link["tabindex"] == "-1"


def test_people_and_their_software_meet_nothing() -> None:
    page = made(Probes())[Slot.ARTICLE_END]
    box = page.div
    assert box is not None
    assert {"hidden", "inert", "data-nosnippet"} <= box.attrs.keys()
    assert box["aria-hidden"] == "true"
    assert page.get_text() == ""


def test_the_sheet_is_for_print_so_that_nothing_waits_for_it() -> None:
    sheet = made(Probes())[Slot.HEAD].link
    assert sheet is not None
    assert sheet["media"] == "print"
    assert (sheet["href"], sheet["integrity"]) == (f"/m/a&b/.contentguard/{PRINT.file}", PRINT.integrity)


def test_the_report_names_its_way_and_its_token_and_holds_nothing_up() -> None:
    script = made(Probes())[Slot.HEAD].script
    assert script is not None
    assert "defer" in script.attrs
    assert (script["src"], script["integrity"]) == (f"/m/a&b/.contentguard/{REPORT.file}", REPORT.integrity)
    assert script["data-cg-report"] == "/m/a&b/.contentguard/report [report]"


def test_a_nonce_has_its_place_in_both_tags() -> None:
    (head,) = [one for one in probes(PAGE, options=Probes()) if one.slot is Slot.HEAD]
    assert written(head).count("[nonce]>") == 2


def test_nothing_is_put_in_where_nothing_is_wanted() -> None:
    assert list(probes(PAGE, options=NONE)) == []


def test_each_can_be_left_out() -> None:
    assert made(Probes(honeylinks=False)).keys() == {Slot.HEAD}
    assert made(Probes(sheet=False))[Slot.HEAD].link is None
    assert made(Probes(report=False))[Slot.HEAD].script is None


def test_what_the_page_s_own_policy_forbids_is_left_out() -> None:
    page = Page(scripts_allowed=False, styles_allowed=False)
    assert made(Probes(), page).keys() == {Slot.ARTICLE_END}
    assert not shows(page, Probes())
    assert shows(PAGE, Probes())


@pytest.mark.parametrize("routes", ['/"><script>', "/é"])
def test_a_mount_s_name_cannot_break_out(routes: str) -> None:
    for fragment in probes(Page(routes=routes, scripts_allowed=False), options=Probes()):
        raw = b"".join(part for part in fragment.parts if isinstance(part, bytes))
        assert b"<script" not in raw
        assert raw.isascii()
