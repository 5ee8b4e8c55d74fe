"""The data files are whole, valid, and carry their sources and licences."""

from __future__ import annotations

import json

from contentguard.crawlers.words import PLAIN, words
from contentguard.data import crawlers, ranges, text
from contentguard.model import Purpose

DOCUMENT = json.loads(text("crawlers.json"))


def test_every_row_is_whole() -> None:
    assert len(crawlers()) == len(DOCUMENT["crawlers"]) > 1000
    for row in DOCUMENT["crawlers"]:
        assert row["name"].strip()
        assert row["token"].strip()
        assert row["source"] in DOCUMENT["_about"]["sources"]
        assert row["date"].startswith("2026-")


def test_names_and_tokens_are_unique() -> None:
    for values in ([c.token.lower() for c in crawlers()], [c.name.lower() for c in crawlers()]):
        assert len(set(values)) == len(values)


def test_every_purpose_is_served() -> None:
    assert {crawler.purpose for crawler in crawlers()} == set(Purpose)


def test_every_token_holds_a_word_no_browser_uses() -> None:
    for crawler in crawlers():
        assert set(words(crawler.token.lower().encode())) - PLAIN, crawler


def test_robots_tokens_fit_in_a_line_of_robots_txt() -> None:
    for crawler in crawlers():
        token = crawler.robots_token
        assert token is None or (token.isascii() and token.isprintable() and " " not in token and "#" not in token)


def test_control_tokens() -> None:
    control = {crawler.name for crawler in crawlers() if crawler.control}
    assert control == {"Google-Extended", "Applebot-Extended"}


def test_the_licences_of_both_lists_are_shipped() -> None:
    notice = text("NOTICE")
    assert "Copyright (c) 2024 ai.robots.txt" in notice
    assert "Copyright (c) 2017 Martin Monperrus" in notice
    assert notice.count("Permission is hereby granted") == 2
    assert notice.count("CC0 1.0 Universal") == 1


def test_how_robots_are_verified_is_spelt_rightly() -> None:
    known = {"name", "token", "operator", "purpose", "robots_token", "control", "source", "date"}
    for row in DOCUMENT["crawlers"]:
        assert row.keys() <= known | {"ranges", "hosts", "agents", "complete"}, row
        assert set(row.get("complete", ())) <= {"ranges", "hosts"}
        assert set(row.get("ranges", ())) <= ranges()["sources"].keys()
        assert all(agent.startswith("https://") and agent.count("/") == 2 for agent in row.get("agents", ()))


# Each crawler that the research on identities names (operators' documentation, 2026-11).
DOCUMENTED = """
    Googlebot Googlebot-Image Googlebot-News Googlebot-Video Storebot-Google GoogleOther Google-InspectionTool
    AdsBot-Google Mediapartners-Google APIs-Google Google-Safety FeedFetcher-Google Google-Site-Verification
    Google-Read-Aloud Google-NotebookLM Google-GeminiNotebook Google-Agent Google-Extended bingbot BingPreview
    MicrosoftPreview adidxbot Applebot Applebot-Extended DuckDuckBot DuckAssistBot YandexBot YandexAdditional
    Baiduspider PetalBot SeznamBot Yeti MojeekBot Qwantbot GPTBot OAI-SearchBot ChatGPT-User OAI-AdsBot ClaudeBot
    Claude-SearchBot Claude-User PerplexityBot Perplexity-User Amazonbot Amzn-SearchBot Amzn-User meta-externalagent
    meta-webindexer meta-externalfetcher FacebookBot facebookexternalhit facebookcatalog Twitterbot LinkedInBot
    WhatsApp TelegramBot Slackbot-LinkExpanding Slack-ImgProxy Discordbot Pinterestbot Pinterest redditbot Mastodon
    SkypeUriPreview Iframely Feedly Inoreader NewsBlur FreshRSS archive.org_bot ia_archiver heritrix CCBot
    MistralAI-User MistralAI-Index MistralAI-Training Bytespider TikTokSpider AhrefsBot AhrefsSiteAudit SemrushBot
    DotBot MJ12bot UptimeRobot Pingdom StatusCake BetterStack Checkly Firecrawl Tavily Diffbot Scrapy crawl4ai Apify
    Lightpanda
"""


def test_every_documented_crawler_is_known() -> None:
    names = {crawler.name for crawler in crawlers()}
    assert set(DOCUMENTED.split()) <= names
