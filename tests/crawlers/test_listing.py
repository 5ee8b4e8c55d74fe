from __future__ import annotations

from contentguard.crawlers.listing import listing, verification
from contentguard.crawlers.ranges import DAY, Ranges, snapshot
from contentguard.data import crawlers

NOW = 1_787_500_000.0


def test_the_list_says_how_each_robot_is_verified() -> None:
    lines = list(listing(crawlers(), Ranges(*snapshot()), NOW))
    google = next(line for line in lines if line.startswith("Googlebot "))
    assert google.split(maxsplit=3) == [
        "Googlebot",
        "search",
        "Google",
        "address list google-common*; reverse DNS .googlebot.com*",
    ]
    assert not any(line.startswith("WhatsApp") for line in lines)
    assert any(line.startswith("telegram") and line.endswith("networks, 1 days old") for line in lines)


def test_everything_is_everything() -> None:
    lines = list(listing(crawlers(), Ranges([]), NOW + DAY, everything=True))
    assert len(lines) == len(crawlers()) + 2
    assert next(line for line in lines if line.startswith("WhatsApp ")).endswith("publishes nothing")


def test_words() -> None:
    ways = {crawler.name: verification(crawler) for crawler in crawlers()}
    assert ways["ChatGPT Agent"] == "signature https://chatgpt.com"
    assert ways["facebookexternalhit"] == "address list meta"
    assert ways["Google-Extended"] == "a name for robots.txt only"
