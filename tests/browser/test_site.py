"""The example site, guarded, in real Chromium: what a reader sees, hears and never notices."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.servers.harness import Server, news

MODULES = Path(__file__).parents[1] / "node_modules"
ARTICLE = "/news/eelgrass-meadow"
PAGES = ["/", ARTICLE, "/news/winter-ferry-timetable", "/section/science", "/search?q=tide", "/privacy", "/nowhere"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with news(tmp_path_factory.mktemp("site") / "log") as server:
        yield server


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures go: to ``CONTENTGUARD_SHOTS`` if somebody wants to look at them."""
    return Path(os.environ.get("SCREENSHOTS", tmp_path))


def node_module(path: str) -> Path:
    """A file of an npm package: its absence fails where tests must run, and is a skip elsewhere."""
    found = MODULES / path
    if not found.exists():
        reason = f"{found} is missing: run npm install --prefix tests"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def visit(chromium: Browser, server: Server, path: str, **options: Any) -> tuple[Page, list[str]]:
    """A page and everything that went wrong or went elsewhere while it loaded."""
    page = chromium.new_context(**options).new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda r: trouble.append(r.url) if not r.url.startswith(server.url + "/") else None)
    page.goto(server.url + path)
    page.wait_for_load_state("networkidle")
    # The rest of a first article comes while its lead is read.
    page.wait_for_selector("[data-cg-rest]", state="detached", timeout=20_000)
    return page, trouble


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_article_reads(chromium: Browser, site: Server, screenshots: Path, width: int, scheme: str) -> None:
    page, trouble = visit(chromium, site, ARTICLE, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert trouble == [], "no console error under the site's strict CSP, no third-party request"
    assert page.get_by_role("heading", name="Share your love").is_visible()
    assert page.locator(".entry-content > p").count() > 5
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing scrolls sideways"
    page.screenshot(path=screenshots / f"article-{width}-{scheme}.png", full_page=True)
    page.context.close()


def test_the_four_share_links(chromium: Browser, site: Server) -> None:
    page, _ = visit(chromium, site, ARTICLE)
    links = {a["name"]: a["href"] for a in page.eval_on_selector_all(
        ".cg-share a", "all => all.map(a => ({name: a.textContent.trim(), href: a.href}))"
    )}  # fmt: skip
    assert list(links) == ["Facebook", "Twitter", "LinkedIn", "WhatsApp"]
    url = site.url + ARTICLE
    expected = {
        "Facebook": ("www.facebook.com", "/sharer/sharer.php", "u"),
        "Twitter": ("x.com", "/intent/post", "url"),
        "LinkedIn": ("www.linkedin.com", "/sharing/share-offsite/", "url"),
    }
    for name, (host, path, key) in expected.items():
        parts = urlsplit(links[name])
        assert (parts.netloc, parts.path) == (host, path)
        assert parse_qs(parts.query)[key] == [url]
    (text,) = parse_qs(urlsplit(links["WhatsApp"]).query)["text"]
    assert text.endswith(" " + url)
    assert text.startswith("The meadow under the moorings")
    page.context.close()


def test_without_javascript_all_is_there_after_two_seconds(chromium: Browser, site: Server) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url + ARTICLE)
    assert page.locator(".entry-content > p").count() >= 1
    assert page.locator(".cg-share a").count() == 4
    page.get_by_role("link", name="Continue reading").click()
    page.get_by_role("heading", name="One moment, please").wait_for(timeout=10_000)
    page.wait_for_url(site.url + ARTICLE, timeout=10_000)
    assert page.locator(".entry-content > p").count() > 5
    page.goto(site.url + "/news/winter-ferry-timetable")
    assert page.get_by_role("link", name="Continue reading").count() == 0
    context.close()


@pytest.mark.parametrize("view", ["", "?print", "/print", "/amp"])
def test_the_printed_page_names_its_copy(chromium: Browser, site: Server, screenshots: Path, view: str) -> None:
    page, _ = visit(chromium, site, ARTICLE + view)
    content = "getComputedStyle(document.querySelector('[data-cg-print]'), '::after').content"
    shown = "getComputedStyle(document.querySelector('[data-cg-print]')).display"
    assert page.evaluate(shown) == "none"
    page.emulate_media(media="print")
    assert page.evaluate(shown) != "none"
    assert site.url + ARTICLE in page.evaluate(content)
    assert "Copy no. " in page.evaluate(content)
    assert not page.locator(".cg-share").is_visible()
    page.screenshot(path=screenshots / f"print{view.strip('?/')}.png", full_page=True)
    page.context.close()


def test_each_copy_has_its_own_number(chromium: Browser, site: Server) -> None:
    numbers = set()
    for _ in range(3):
        page, _ = visit(chromium, site, ARTICLE)
        numbers.add(page.get_attribute("[data-cg-print]", "data-cg-print"))
        page.context.close()
    assert len(numbers) == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_accessible(chromium: Browser, site: Server, path: str, scheme: str) -> None:
    axe = node_module("axe-core/axe.min.js")
    page, _ = visit(chromium, site, path, color_scheme=scheme, bypass_csp=True)
    page.add_script_tag(path=axe)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in result["violations"]] == []
    page.context.close()


def test_valid_html(chromium: Browser, site: Server, tmp_path: Path) -> None:
    tool = node_module("html-validate/bin/html-validate.mjs")
    node = shutil.which("node")
    assert node, "npm was there, so node is"
    context = chromium.new_context()
    for number, path in enumerate(PAGES):
        body = context.request.get(site.url + path, headers={"user-agent": "Mozilla/5.0 Firefox/153.0"}).body()
        (tmp_path / f"{number}.html").write_bytes(body)
    context.close()
    (tmp_path / ".htmlvalidate.json").write_text('{"extends": ["html-validate:standard"], "root": true}')
    done = subprocess.run(
        [node, str(tool), "--formatter", "json", "*.html"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    problems = [(m["ruleId"], m["message"]) for r in json.loads(done.stdout) for m in r["messages"]]
    assert problems == []
    assert done.returncode == 0


def test_a_refused_person_is_told_kindly(chromium: Browser, site: Server, screenshots: Path) -> None:
    axe = node_module("axe-core/axe.min.js")
    page, _ = visit(
        chromium, site, ARTICLE, user_agent="Scrapy/2.12", viewport={"width": 390, "height": 700}, bypass_csp=True
    )
    assert page.get_by_role("heading", level=1).text_content() == "Unauthorized Content Copy Is Not Allowed"
    assert page.get_by_role("link", name="ask for a licence").get_attribute("href") == site.url + "/licensing"
    page.add_script_tag(path=axe)
    assert page.evaluate("axe.run(document)")["violations"] == []
    page.screenshot(path=screenshots / "refusal.png")
    page.context.close()
