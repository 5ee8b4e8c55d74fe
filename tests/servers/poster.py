"""A Scrapy spider that posts a comment by the page's own form, as Scrapy's documentation has it.

Run it with ``scrapy runspider tests/servers/poster.py -a site=URL -a author=NAME``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import scrapy
from scrapy.http import FormRequest, Response, TextResponse

from tests.servers.posters import said


class Poster(scrapy.Spider):
    """Fetches the page, and posts."""

    name = "poster"
    handle_httpstatus_all = True
    custom_settings = {  # noqa: RUF012 - as every spider has it
        "ROBOTSTXT_OBEY": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "ERROR",
        "RANDOMIZE_DOWNLOAD_DELAY": False,
    }

    def __init__(self, site: str, author: str, **options: Any) -> None:
        super().__init__(**options)
        self.start_urls, self.author = [site], author

    def parse(self, response: Response, **_options: Any) -> Iterator[Any]:
        """Post."""
        assert isinstance(response, TextResponse)
        yield FormRequest.from_response(response, formdata=said(self.author), callback=self.done)

    def done(self, response: Response, **_options: Any) -> None:
        """Nobody looks."""
