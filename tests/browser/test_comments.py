"""Comments in real Chromium, with scripts and without: a person's post goes through by one press, and nothing of the
trap is seen, told or reached; and comments that nobody means well with are shown as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.hostile import check_harmless
from tests.servers import commented
from tests.servers.harness import Server, fetch, server_command, serving

SAID = {"comment": "The mill turns at high tide.\n\nAs it has since 1640.", "author": "Ann", "email": "ann@example.org"}
PATIENCE = 3200
"""Milliseconds; people take longer."""


@pytest.fixture(params=[True, False], ids=["with scripts", "without"])
def reading(
    request: pytest.FixtureRequest, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Page, list[str]]]:
    """A site of its own, for one reader's address has one comment in a while; and a page, with what it complains of."""
    with serving(
        server_command("uvicorn", "tests.servers.commented:app"), tmp_path_factory.mktemp("site") / "log"
    ) as site:
        context = chromium.new_context(java_script_enabled=request.param)
        page, said = context.new_page(), list[str]()
        page.on("console", lambda message: said.append(message.text))
        page.goto(site.url + commented.ARTICLE)
        yield site, page, said
        context.close()


def record(site: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(fetch(site, "/record").text)
    return found


def test_a_person_s_comment_goes_through_by_one_press(reading: tuple[Server, Page, list[str]]) -> None:
    site, page, said = reading
    for name, text in SAID.items():
        page.fill(f"#{name}", text)
    page.wait_for_timeout(PATIENCE)
    page.get_by_role("button", name="Post Comment").click()
    page.get_by_text("Thank you.").wait_for(timeout=10_000)
    assert page.locator("#comments p[dir=auto]").all_inner_texts() == SAID["comment"].split("\n\n")
    [one] = record(site)
    assert one["action"] == "approve"
    assert {name for name, _, _ in one["why"]} <= {"client"}, "Chromium was started by a program, and the guard sees it"
    assert said == [], "the strict policy on content has nothing to object to"


def test_a_mistake_costs_nothing_that_was_typed(reading: tuple[Server, Page, list[str]]) -> None:
    site, page, _ = reading
    page.fill("#comment", SAID["comment"])
    page.fill("#author", "Ann")
    page.wait_for_timeout(PATIENCE)
    page.get_by_role("button", name="Post Comment").click()
    page.get_by_text("Please fill the required field (email).").wait_for(timeout=10_000)
    assert page.input_value("#comment") == SAID["comment"]
    page.fill("#email", SAID["email"])
    page.get_by_role("button", name="Post Comment").click()
    page.get_by_text("Thank you.").wait_for(timeout=10_000)
    assert [one["action"] for one in record(site)] == ["refused", "approve"]


def test_nobody_meets_the_trap(reading: tuple[Server, Page, list[str]]) -> None:
    _, page, _ = reading
    trap = page.locator("dialog input")
    assert trap.count() == 1
    assert not trap.is_visible()
    assert "Leave this field empty" not in page.inner_text("body")
    assert "Leave this field empty" not in page.locator("body").aria_snapshot()
    page.focus("#comment")
    for name in ("author", "email", "url"):
        page.keyboard.press("Tab")
        assert page.locator(":focus").get_attribute("name") == name
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("value") == "Post Comment"


def test_hostile_comments_are_shown_as_text(chromium: Browser) -> None:
    """A thousand in one page. More of them: ``python -m tests.browser.hostile``."""
    context = chromium.new_context()
    check_harmless(context.new_page(), 7)
    context.close()
