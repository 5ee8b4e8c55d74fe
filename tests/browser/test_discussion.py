"""Comments in real Chromium, with and without scripts: written, held, approved by the editor, answered and seen."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page

from examples.news.serve import SETTINGS_FILE
from tests.browser.test_site import node_module
from tests.servers.harness import Server, news

STORY = "/news/eelgrass-meadow"
PASSWORD = "swifts in the bell tower"
TEXT = "I dived there as a child, and the meadow reached up to the old slip. Good to read that it is coming back."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("site")
    # All readers of these tests have one address, from which a comment in fifteen seconds would be the most.
    chosen = SETTINGS_FILE.read_text("utf-8") + "\n[comments]\nflood_seconds = 0\n"
    (folder / "settings.toml").write_text(chosen, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAZETTE_PASSWORD", PASSWORD)
        with news(folder / "log", "--settings", str(folder / "settings.toml")) as server:
            yield server


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures go: to ``SCREENSHOTS`` if somebody wants to look at them."""
    return Path(os.environ.get("SCREENSHOTS", tmp_path))


def opened(context: BrowserContext, url: str) -> tuple[Page, list[str]]:
    """A page, and what its console complains of."""
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(url)
    return page, trouble


def write(page: Page, text: str, *, author: str = "Ada Quayle", email: str = "ada@example.com") -> None:
    """Fill in the form as a person does, which takes some seconds."""
    page.get_by_label("Comment *").fill(text)
    page.get_by_label("Name *").fill(author)
    page.get_by_label("Email *").fill(email)
    time.sleep(3.5)
    with page.expect_navigation():
        page.get_by_role("button", name="Post Comment").click()
    if page.url.endswith("/reply"):  # who has shown nothing of a browser is asked to press once more
        assert page.get_by_label("Comment *").input_value() == text
        time.sleep(1.5)
        with page.expect_navigation():
            page.get_by_role("button", name="Post Comment").click()


def desk(chromium: Browser, site: Server) -> Page:
    page = chromium.new_context().new_page()
    page.goto(site.url + "/desk")
    page.get_by_label("Name").fill("editor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    assert page.url.endswith("/desk/comments")
    return page


def accessible(page: Page) -> list[str]:
    """What axe-core says is wrong with a page."""
    source = node_module("axe-core/axe.min.js").read_text("utf-8")
    page.evaluate(source)
    found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))")
    return list(found)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_comment_is_held_approved_answered_and_seen(
    chromium: Browser, site: Server, screenshots: Path, scripts: bool
) -> None:
    name = f"Reader {'with' if scripts else 'without'} scripts"
    reader = chromium.new_context(java_script_enabled=scripts, viewport={"width": 390, "height": 844})
    page, trouble = opened(reader, site.url + STORY)
    write(page, f"{TEXT} {name}", author=name, email=f"{scripts}@example.com".lower())
    assert "moderation-hash" in page.url
    own = page.locator(".comment", has_text=name)
    assert own.get_by_text("Your comment is awaiting moderation.").is_visible()
    page.screenshot(path=screenshots / f"held-{scripts}.png", full_page=True)
    assert trouble == []

    stranger, _ = opened(chromium.new_context(), site.url + STORY)
    assert stranger.get_by_text(name).count() == 0, "nobody else sees it"

    editor = desk(chromium, site)
    filed = editor.locator(".filed-one", has_text=name)
    editor.screenshot(path=screenshots / f"desk-{scripts}.png", full_page=True)
    filed.get_by_role("button", name=re.compile("^Approve")).click()
    assert editor.get_by_role("status").text_content() == "1 comment changed."

    stranger.reload()
    seen = stranger.locator(".comment", has_text=name)
    assert seen.is_visible()
    assert seen.locator(".comment-awaiting-moderation").count() == 0

    page.goto(site.url + STORY)
    page.get_by_role("link", name=f"Reply to {name}").click()
    page.get_by_role("heading", name=re.compile(f"Leave a Reply to {name}")).wait_for(timeout=10_000)
    assert page.get_by_role("link", name="Cancel reply").is_visible()
    if scripts:
        assert "replytocom" not in page.url, "the form has come to the comment"
    write(page, f"And an answer. {name}", author=name, email=f"{scripts}@example.com".lower())
    answer = page.locator(".comment .children .comment", has_text="And an answer.")
    assert answer.first.is_visible(), "who has an approved comment does not wait"
    page.screenshot(path=screenshots / f"answered-{scripts}.png", full_page=True)
    for context in (reader, stranger.context, editor.context):
        context.close()


def test_every_complaint_stands_beside_its_field_and_nothing_typed_is_lost(chromium: Browser, site: Server) -> None:
    context = chromium.new_context()
    page, _ = opened(context, site.url + STORY)
    page.locator("#commentform").evaluate("form => form.noValidate = true")
    page.get_by_label("Comment *").fill("Every word of this stays.")
    page.get_by_label("Email *").fill("no address")
    page.get_by_label("Website", exact=True).fill("https://ada.example")
    time.sleep(3.5)
    with page.expect_navigation():
        page.get_by_role("button", name="Post Comment").click()
    assert page.get_by_label("Comment *").input_value() == "Every word of this stays."
    assert page.get_by_label("Website", exact=True).input_value() == "https://ada.example"
    for field in ("Name *", "Email *"):
        described = page.get_by_label(field).evaluate(
            "field => field.getAttribute('aria-describedby').trim().split(/ +/)"
            ".map(id => document.getElementById(id).textContent).join(' ')"
        )
        assert re.search("required|valid", described), f"{field}: {described}"
    assert page.locator(".entry-content").count() == 0, "no page of complaints holds the story"
    context.close()


def test_details_are_kept_only_where_the_reader_says_so(chromium: Browser, site: Server) -> None:
    context = chromium.new_context()
    page, _ = opened(context, site.url + "/news/gig-regatta-result")
    box = page.get_by_label(re.compile("^Save my name, email, and website in this browser"))
    assert not box.is_checked()
    box.check()
    write(page, "A fair race, and a fair wind.", author="Grace", email="grace@example.com")
    assert "gazette-reader" in {cookie["name"] for cookie in context.cookies()}
    page.goto(site.url + "/news/chess-on-the-quay")
    assert page.get_by_label("Name *").input_value() == "Grace"
    assert page.get_by_label("Email *").input_value() == "grace@example.com"
    page.goto(site.url + "/news/gig-regatta-result")
    assert page.get_by_text("A fair race, and a fair wind.").is_visible(), "its author still sees what waits"
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible_and_nothing_scrolls_sideways(
    chromium: Browser, site: Server, screenshots: Path, width: int, scheme: Any
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    for path in (STORY, f"{STORY}/reply", "/desk/sign-in"):
        page, trouble = opened(context, site.url + path)
        page.wait_for_selector("[data-cg-rest]", state="detached", timeout=20_000)
        assert accessible(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert trouble == [], path
        page.screenshot(path=screenshots / f"comments-{path.rpartition('/')[2]}-{width}-{scheme}.png", full_page=True)
        page.close()
    context.close()


def test_the_desk_is_worked_with_the_keyboard_alone(chromium: Browser, site: Server, screenshots: Path) -> None:
    editor = desk(chromium, site)
    assert accessible(editor) == []
    stories = editor.context.new_page()
    stories.goto(site.url + "/desk/stories")
    assert accessible(stories) == []
    rules = editor.context.new_page()
    rules.goto(site.url + "/desk/rules")
    assert rules.get_by_label("Comment must be manually approved").is_visible()
    assert accessible(rules) == []
    editor.goto(site.url + "/desk/comments?queue=approved")
    before = editor.locator(".filed-one").count()
    assert before
    editor.keyboard.press("j")
    with editor.expect_navigation():
        editor.keyboard.press("u")
    assert editor.get_by_role("status").text_content() == "1 comment changed."
    editor.goto(site.url + "/desk/comments?queue=pending")
    editor.keyboard.press("j")
    with editor.expect_navigation():
        editor.keyboard.press("a")
    editor.goto(site.url + "/desk/comments?queue=approved")
    assert editor.locator(".filed-one").count() == before
    editor.screenshot(path=screenshots / "desk-approved.png", full_page=True)
    editor.context.close()


def test_comments_are_closed_story_by_story(chromium: Browser, site: Server) -> None:
    editor = desk(chromium, site)
    editor.goto(site.url + "/desk/stories")
    title = "Night bakery"
    row = editor.locator("tr", has=editor.locator("a[href='/news/night-bakery']"))
    row.get_by_role("button").click()
    reader, _ = opened(chromium.new_context(), site.url + "/news/night-bakery")
    assert reader.get_by_text("Sorry, comments are closed for this story.").is_visible(), title
    assert reader.get_by_role("button", name="Post Comment").count() == 0
    editor.locator("tr", has=editor.locator("a[href='/news/night-bakery']")).get_by_role("button").click()
    reader.reload()
    assert reader.get_by_role("button", name="Post Comment").is_visible()
    editor.context.close()
    reader.context.close()


def test_what_is_hostile_is_shown_as_text(chromium: Browser, site: Server) -> None:
    """Markup, links of every scheme, controls of direction: nothing runs, nothing leaves, nothing reads backwards."""
    hostile = json.loads((Path(__file__).parents[1] / "data" / "hostile-comments.json").read_text("utf-8"))
    editor = desk(chromium, site)
    context = editor.context
    page, _ = opened(context, site.url + "/news/lighthouse-lamp")
    dialogs: list[str] = []

    def noted(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", noted)
    for number, text in enumerate(hostile):
        page.goto(site.url + "/news/lighthouse-lamp")
        page.get_by_label("Comment *").fill(f"{text}\nnumber {number}.")
        with page.expect_navigation():
            page.get_by_role("button", name="Post Comment").click()
    page.goto(site.url + "/news/lighthouse-lamp")
    assert page.locator(".comment").count() == len(hostile)
    assert page.evaluate("window.pwned") is None
    assert dialogs == []
    links = page.eval_on_selector_all(".comment-text a", "all => all.map(a => [a.protocol, a.rel])")
    assert all(protocol in ("http:", "https:") and rel == "nofollow ugc" for protocol, rel in links)
    allowed = {"P", "BR", "A"}
    assert set(page.eval_on_selector_all(".comment-text *", "all => all.map(a => a.tagName)")) <= allowed
    context.close()
