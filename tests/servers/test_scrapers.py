"""The example news server against the tools that copy articles, each under its own name.

What counts as a copy is measured on the articles' own paragraphs, as the example's loader renders them. Every attack is
run on the unguarded site too: where nothing is found there, nothing was looked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree as ET

import pytest

from examples.news.content import Article, load
from tests.client import CHROME
from tests.servers.harness import ROOT, Server, environment, fetch, need_module, need_program, news

ARTICLES = load(ROOT / "examples" / "news" / "content")
SAMPLE = ARTICLES[::6]
"""The stories that are asked for one by one."""
PIECE = 40
"""So many letters in a row of a paragraph are a copy."""
EXCERPT = 0.5
"""The part of an article's paragraphs that a feed may tell: a quarter of its words, and not all words stand in one."""

DENIED = {
    "GPTBot": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "CCBot": "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "ClaudeBot": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; "
    "+claudebot@anthropic.com)",
    "Bytespider": "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 "
    "(compatible; Bytespider; spider-feedback@bytedance.com)",
    "AhrefsBot": "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
}
PREVIEWS = {
    "Facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Twitter": "Twitterbot/1.0",
    "LinkedIn": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "WhatsApp": "WhatsApp/2.23.20.0 A",
    "Telegram": "TelegramBot (like TwitterBot)",
    "Slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Discord": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
}
FEED_READERS = {
    "Feedly": "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)",
    "NetNewsWire": "NetNewsWire (RSS Reader; https://netnewswire.com/)",
    "Tiny Tiny RSS": "Tiny Tiny RSS/23.05 (https://tt-rss.org/)",
    "FreshRSS": "FreshRSS/1.24.0 (Linux; https://freshrss.org)",
}
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


# -- what a copy is --------------------------------------------------------------------------------------------


def letters(text: str) -> str:
    """The plain letters and digits: what is left of a text however it was wrapped, quoted or marked up."""
    return re.sub(r"[^a-z0-9]+", "", text.casefold())


class _Text(HTMLParser):
    """The text of a page, without its tags; what stands in scripts too."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.metas: dict[str, str] = {}
        self.feed(page)
        self.close()

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "meta":
            self.metas[found.get("property") or found.get("name") or ""] = found.get("content") or ""


def text_of(page: str) -> str:
    return "".join(_Text(page).parts)


@cache
def paragraphs(article: Article) -> tuple[str, ...]:
    """The article's paragraphs, in letters."""
    found = (letters(text_of(inner)) for inner in re.findall(r"<p>(.*?)</p>", article.html, re.DOTALL))
    return tuple(words for words in found if len(words) >= PIECE)


@cache
def pieces(told: float = 0.0) -> tuple[str, ...]:
    """Every paragraph of every article, cut up. ``told``: the part of each article that may be, at its beginning."""
    return tuple(piece for article in ARTICLES for piece in pieces_of(article, told))


def pieces_of(article: Article, told: float = 0.0) -> list[str]:
    every = [words[at : at + PIECE] for words in paragraphs(article) for at in range(0, len(words) - PIECE + 1, PIECE)]
    return every[int(told * len(every)) :]


def copied(taken: str, told: float = 0.0) -> list[str]:
    """The pieces of articles that ``taken`` holds, in its text or anywhere in its markup. ``told``: see ``pieces``."""
    heap = letters(text_of(taken)) + "|" + letters(unescape(taken))
    return [piece for piece in pieces(told) if piece in heap]


def holds(taken: str, article: Article) -> bool:
    """Whether ``taken`` holds every paragraph of ``article``."""
    heap = letters(text_of(taken))
    return all(words in heap for words in paragraphs(article))


def url(server: Server, article: Article) -> str:
    return f"{server.url}/news/{article.slug}"


# -- the tools -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """What a tool brought home."""

    status: int
    text: str


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, in a home of its own."""
    env = environment(HOME=str(folder))
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, encoding="utf-8", errors="replace", timeout=60
    )


def curl(address: str, folder: Path) -> Taken:
    done = run([need_program("curl"), "-sS", "-w", "\n%{http_code}", address], folder)
    body, _, status = done.stdout.rpartition("\n")
    return Taken(int(status), body)


def wget(address: str, folder: Path) -> Taken:
    done = run([need_program("wget"), "-S", "-O", "-", "--tries=1", "--content-on-error", address], folder)
    return Taken(int(re.findall(r"HTTP/1\.\d (\d+)", done.stderr)[-1]), done.stdout)


def requests(address: str, _folder: Path) -> Taken:
    need_module("requests")
    import requests

    response = requests.get(address, timeout=20)
    return Taken(response.status_code, response.text)


def httpx(address: str, _folder: Path) -> Taken:
    import httpx

    response = httpx.get(address, timeout=20)
    return Taken(response.status_code, response.text)


def aiohttp(address: str, _folder: Path) -> Taken:
    need_module("aiohttp")
    import aiohttp

    async def get() -> Taken:
        async with aiohttp.ClientSession() as session, session.get(address) as response:
            return Taken(response.status, await response.text())

    return asyncio.run(get())


def urllib_(address: str, _folder: Path) -> Taken:
    try:
        with urllib.request.urlopen(address, timeout=20) as response:
            return Taken(response.status, response.read().decode())
    except urllib.error.HTTPError as refused:
        with refused:
            return Taken(refused.code, refused.read().decode())


Tool = Callable[[str, Path], Taken]
TOOLS: Mapping[str, Tool] = {
    "curl": curl,
    "wget": wget,
    "requests": requests,
    "httpx": httpx,
    "aiohttp": aiohttp,
    "urllib": urllib_,
}


def lynx(address: str, folder: Path) -> str:
    """The page as Lynx shows it."""
    command = [need_program("lynx"), "-dump", "-nolist", "-width=120", "-display_charset=utf-8", address]
    return run(command, folder).stdout


def w3m(address: str, folder: Path) -> str:
    """The page as w3m shows it."""
    return run([need_program("w3m"), "-dump", "-O", "UTF-8", "-cols", "120", address], folder).stdout


def lynx_source(address: str, folder: Path) -> str:
    """The same, as it came."""
    return run([need_program("lynx"), "-source", address], folder).stdout


def w3m_source(address: str, folder: Path) -> str:
    """The same, as it came."""
    return run([need_program("w3m"), "-o", "accept_encoding=identity", "-dump_source", address], folder).stdout


def mirror(server: Server, folder: Path) -> list[str]:
    """All the HTML that ``wget -r`` brings home from the front page, whatever robots.txt says."""
    options = ["-nv", "-r", "-l", "1", "-e", "robots=off", "--tries=1", "-R", "png,svg,css,js", "-P", "mirror"]
    run([need_program("wget"), *options, server.url + "/"], folder)
    return [path.read_text("utf-8", "replace") for path in (folder / "mirror").rglob("*") if path.is_file()]


def crawl(server: Server, folder: Path) -> list[dict[str, Any]]:
    """What a Scrapy spider brings home."""
    need_module("scrapy")
    spider = ROOT / "tests" / "servers" / "spider.py"
    scrapy = [sys.executable, "-m", "scrapy", "runspider", str(spider)]
    done = run([*scrapy, "-a", f"site={server.url}/", "-O", "stolen.jsonl"], folder)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (folder / "stolen.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here leaves the machine."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def same(found: Iterable[str], expected: Iterable[Article]) -> bool:
    """Whether every expected article stands whole in one of the pages found."""
    pages = list(found)
    return all(any(holds(page, article) for page in pages) for article in expected)


# -- tools against the guard -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_tool_gets_not_one_paragraph(guarded: Server, tool: Tool, tmp_path: Path) -> None:
    for article in SAMPLE:
        taken = tool(url(guarded, article), tmp_path)
        assert taken.status in (403, 429)
        assert copied(taken.text) == []
        assert "Unauthorized Content Copy" in taken.text


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_the_same_tool_gets_all_without_the_guard(unguarded: Server, tool: Tool, tmp_path: Path) -> None:
    for article in SAMPLE:
        taken = tool(url(unguarded, article), tmp_path)
        assert taken.status == 200
        assert holds(taken.text, article)
        assert len(copied(taken.text)) > 20


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_tool_may_have_what_is_no_article(guarded: Server, tool: Tool, tmp_path: Path) -> None:
    for path in ("/", "/sitemap.xml", "/feed.xml", "/robots.txt", "/static/style.css"):
        taken = tool(guarded.url + path, tmp_path)
        assert taken.status == 200, path
        assert copied(taken.text, EXCERPT if path == "/feed.xml" else 0.0) == [], path


def test_a_recursive_wget_brings_home_no_article(guarded: Server, tmp_path: Path) -> None:
    pages = mirror(guarded, tmp_path)
    assert any(ARTICLES[0].slug in page for page in pages), "the front page is for everybody"
    assert [piece for page in pages for piece in copied(page, EXCERPT)] == []
    assert not list((tmp_path / "mirror").rglob("news/*"))


def test_a_recursive_wget_brings_home_what_it_likes_without_the_guard(unguarded: Server, tmp_path: Path) -> None:
    assert same(mirror(unguarded, tmp_path), ARTICLES[:8])


def test_a_spider_brings_home_no_article(guarded: Server, tmp_path: Path) -> None:
    items = crawl(guarded, tmp_path)
    statuses = {item["path"]: item["status"] for item in items}
    assert {statuses[f"/news/{article.slug}"] for article in ARTICLES} <= {403, 429}, "it asked for every story"
    assert statuses["/section/town"] == 200, "and was let in where there is none"
    assert [item["path"] for item in items if copied(item["text"], EXCERPT) or item["paragraphs"]] == []


def test_a_spider_brings_home_the_whole_paper_without_the_guard(unguarded: Server, tmp_path: Path) -> None:
    items = crawl(unguarded, tmp_path)
    assert {item["path"] for item in items if item["status"] != 200} == {"/robots.txt"}, "only the guard writes one"
    assert same((item["paragraphs"] for item in items), ARTICLES)


def test_in_a_browsers_clothes_a_tool_gets_leads(guarded: Server) -> None:
    """It has to earn the rest of each like a reader, and what it can earn is metered."""
    for article in ARTICLES:
        answer = fetch(guarded, f"/news/{article.slug}", CHROME)
        assert answer.status == 200
        assert not holds(answer.text, article)
        assert "cg-continue" in answer.text


def test_a_limit_on_articles_holds_for_leads_too(tmp_path: Path) -> None:
    settings = tmp_path / "slow.toml"
    settings.write_text('[limits]\narticles = "5/hour"\n[reading]\nmode = "off"\n')
    with news(tmp_path / "log", "--settings", str(settings)) as server:
        answers = [fetch(server, f"/news/{article.slug}", CHROME) for article in ARTICLES]
    assert [answer.status for answer in answers] == [200] * 5 + [429] * (len(ARTICLES) - 5)
    for refused in answers[5:]:
        assert int(refused.headers["retry-after"]) > 0
        assert copied(refused.text) == []


# -- readers ---------------------------------------------------------------------------------------------------


def test_a_reader_gets_the_lead_at_once_and_the_share_box(guarded: Server) -> None:
    page = fetch(guarded, f"/news/{SAMPLE[0].slug}", CHROME)
    assert page.status == 200
    assert paragraphs(SAMPLE[0])[0] in letters(text_of(page.text))
    assert not holds(page.text, SAMPLE[0])
    assert "Share your love" in page.text


@pytest.mark.parametrize(("browser", "source"), [(lynx, lynx_source), (w3m, w3m_source)], ids=["lynx", "w3m"])
def test_a_text_browser_reads_after_two_seconds(
    guarded: Server, browser: Callable[[str, Path], str], source: Callable[[str, Path], str], tmp_path: Path
) -> None:
    article = SAMPLE[0]
    shown = browser(url(guarded, article), tmp_path)
    assert paragraphs(article)[0] in letters(shown)
    assert "Continue reading" in shown
    waiting = _led(guarded, "wait", source(url(guarded, article), tmp_path))
    assert "One moment, please" in browser(waiting, tmp_path)
    onward = _led(guarded, "enter", source(waiting, tmp_path))
    time.sleep(2.1)
    shown = browser(onward, tmp_path)
    assert holds(shown, article), shown
    assert "Share your love" in shown


def _led(server: Server, way: str, page: str) -> str:
    """The address of our own to which a page leads."""
    found = re.search(rf'href="(/\.contentguard/{way}/[\w-]+)"', page)
    assert found is not None, page
    return server.url + found[1]


# -- declared robots -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", DENIED.values(), ids=DENIED)
def test_a_denied_robot_is_refused_everywhere(guarded: Server, agent: str) -> None:
    for path in ("/", "/section/town", *(f"/news/{article.slug}" for article in SAMPLE)):
        answer = fetch(guarded, path, {"user-agent": agent, "accept": "*/*"})
        assert answer.status == 403
        assert answer.headers["cache-control"] == "no-store"
        assert copied(answer.text) == []


@pytest.mark.parametrize("agent", DENIED.values(), ids=DENIED)
def test_the_same_robot_takes_all_without_the_guard(unguarded: Server, agent: str) -> None:
    assert holds(fetch(unguarded, f"/news/{SAMPLE[0].slug}", {"user-agent": agent}).text, SAMPLE[0])


@pytest.mark.parametrize("agent", PREVIEWS.values(), ids=PREVIEWS)
def test_a_link_preview_gets_the_card_and_no_paragraph(guarded: Server, agent: str) -> None:
    for article in SAMPLE:
        answer = fetch(guarded, f"/news/{article.slug}", {"user-agent": agent, "accept": "*/*"})
        assert answer.status == 200
        assert copied(answer.text) == []
        metas = _Text(answer.text).metas
        assert metas["og:title"] == article.title
        assert metas["og:description"] == article.summary
        picture = metas["og:image"].removeprefix(guarded.url)
        shown = fetch(guarded, picture, {"user-agent": agent, "accept": "*/*"})
        assert (shown.status, shown.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("agent", FEED_READERS.values(), ids=FEED_READERS)
def test_a_feed_reader_gets_all_items(guarded: Server, agent: str) -> None:
    answer = fetch(guarded, "/feed.xml", {"user-agent": agent})
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/rss+xml")
    titles = [item.findtext("title") for item in ET.fromstring(answer.body).iter("item")]
    assert titles == [article.title for article in ARTICLES]
    assert copied(answer.text, EXCERPT) == []
    assert len(copied(answer.text)) > len(ARTICLES), "of each its beginning"


def test_a_googlebot_that_cannot_prove_it_gets_no_more_than_a_stranger(guarded: Server) -> None:
    """A loopback address proves nothing; with one of Google's own it gets all (tests/guard/test_reading.py)."""
    for article in SAMPLE:
        answer = fetch(guarded, f"/news/{article.slug}", {"user-agent": GOOGLEBOT, "accept": "text/html"})
        assert not holds(answer.text, article)


@pytest.mark.parametrize("agent", [*DENIED.values(), GOOGLEBOT, "curl/8.5.0", "Scrapy/2.12 (+https://scrapy.org)"])
def test_robots_txt_is_for_everybody_and_says_what_is_done(guarded: Server, agent: str) -> None:
    answer = fetch(guarded, "/robots.txt", {"user-agent": agent})
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())
    story = url(guarded, SAMPLE[0])
    assert [name for name in DENIED if rules.can_fetch(name, story)] == []
    assert rules.can_fetch("Googlebot", story)
    assert rules.site_maps() == [f"{guarded.url}/sitemap.xml", f"{guarded.url}/news-sitemap.xml"]


def test_without_the_guard_there_is_no_robots_txt(unguarded: Server) -> None:
    assert fetch(unguarded, "/robots.txt").status == 404


# -- the measure itself ----------------------------------------------------------------------------------------


def test_the_measure_sees_a_copy_however_it_is_dressed() -> None:
    story = ARTICLES[0]
    assert len(paragraphs(story)) >= 4
    body = text_of(story.html)
    dressings: Iterable[str] = (
        story.html,
        f'<meta name="description" content="{body}">',
        f'<script type="application/ld+json">{json.dumps({"articleBody": body})}</script>',
        f"<!-- {body} -->",
        re.sub(r"\s+", "\n", body),
        body.upper(),
        "<i>" + body.replace(" ", "</i> <i>") + "</i>",
    )
    for dressed in dressings:
        assert len(copied(dressed)) > 20
    assert copied(f"{story.title} {story.summary}") == []
    assert not holds(story.html.replace(story.html[200:260], ""), story)
