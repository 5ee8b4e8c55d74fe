"""The data files are whole, valid, and carry their sources and licences."""

from __future__ import annotations

import json

from contentguard.crawlers.words import PLAIN, words
from contentguard.data import crawlers, text
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
