"""A real Scrapy spider: from the front page wherever a link leads within the site, and home with the text.

Run it with ``scrapy runspider tests/servers/spider.py -a site=http://127.0.0.1:8000/ -O stolen.jsonl``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.http import Response, TextResponse


class Thief(scrapy.Spider):
    """Scrapy as it comes, under its own name, with no manners."""

    name = "thief"
    handle_httpstatus_all = True
    custom_settings = {  # noqa: RUF012 - as every spider has it
        "ROBOTSTXT_OBEY": False,
        "DOWNLOAD_DELAY": 0,
        "TELNETCONSOLE_ENABLED": False,
        "HTTPERROR_ALLOW_ALL": True,
        "LOG_LEVEL": "ERROR",
    }

    def __init__(self, site: str, **options: Any) -> None:
        super().__init__(**options)
        self.start_urls = [site]
        self.allowed_domains = [urlsplit(site).hostname or ""]

    def parse(self, response: Response, **_options: Any) -> Iterator[Any]:
        """Take what is there and go on."""
        assert isinstance(response, TextResponse)
        paragraphs = " ".join(response.css("article p").getall())
        yield {
            "path": urlsplit(response.url).path,
            "status": response.status,
            "text": response.text,
            "paragraphs": paragraphs,
        }
        for link in response.css("a::attr(href)").getall():
            if link.startswith(("/", "?")):
                yield response.follow(link)
