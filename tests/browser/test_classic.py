"""The page that started this project, in real Chromium: all its words, its refusal, and none of it in the article."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from examples.news.serve import SETTINGS_FILE
from tests.backends.akismet_server import KEY, akismet_server
from tests.servers.harness import Server, news

STORY = "/news/eelgrass-meadow"
WORDS = (
    "Share your love",
    "Facebook",
    "Twitter",
    "LinkedIn",
    "WhatsApp",
    "Leave a Reply",
    "Your email address will not be published.",
    "Required fields are marked",
    "Save my name, email, and website in this browser for the next time I comment.",
    "Post Comment",
    "This site uses Akismet to reduce spam. Learn how your comment data is processed.",
)
REFUSAL = "error: Unauthorized Content Copy Is Not Allowed"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("classic")
    with akismet_server() as akismet:
        chosen = 'preset = "classic-wordpress"\n' + SETTINGS_FILE.read_text("utf-8")
        chosen += f'\n[akismet]\nkey = "{KEY}"\nurl = "{akismet.url}"\n'
        (folder / "settings.toml").write_text(chosen, "utf-8")
        with news(folder / "log", "--settings", str(folder / "settings.toml")) as server:
            yield server


def test_the_classic_page_is_all_there_and_its_refusal_is_said_and_not_served(
    chromium: Browser, site: Server, tmp_path: Path
) -> None:
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    page = context.new_page()
    served: list[str] = []
    page.on("response", lambda r: served.append(r.text()) if r.request.resource_type == "document" else None)
    for _ in range(2):
        page.goto(site.url + STORY)
        page.wait_for_selector("[data-cg-rest]", state="detached", timeout=20_000)
    text = page.locator("body").inner_text()
    assert [words for words in WORDS if words not in re.sub(r"\s+", " ", text)] == []
    assert "Unauthorized Content Copy" not in text

    page.evaluate("navigator.clipboard.writeText('what was there before')")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.entry-content'))")
    page.keyboard.press("Control+c")
    toast = page.get_by_role("status").filter(has_text=REFUSAL)
    toast.wait_for()
    assert toast.is_visible()
    page.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / "classic.png")
    assert page.evaluate("navigator.clipboard.readText()") == "what was there before"
    assert len(served) == 2
    assert all("Unauthorized" not in document for document in served), "the refusal is in no page"
    context.close()
