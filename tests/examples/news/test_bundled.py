"""The articles that ship with the example, through every page of the site."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from examples.news.app import create_app
from examples.news.content import load
from examples.news.serve import CONTENT

Fetch = Callable[..., httpx.Response]
pytestmark = pytest.mark.skipif(
    not any(CONTENT.glob("images/*")), reason="the bundled articles are not complete in this checkout"
)


def test_every_article_is_served_with_its_picture_and_its_links_lead_somewhere(ask: Fetch) -> None:
    articles = load(CONTENT)
    app = create_app(articles, images=CONTENT / "images")
    for article in articles:
        answer = ask(app, f"/news/{article.slug}")
        assert answer.status_code == 200
        for path in set(re.findall(r'(?:href|src)="(/[^"#]*)"', answer.text)):
            if path != "/robots.txt":  # written by the guard
                assert ask(app, path).status_code == 200, f"{article.slug}: {path}"


def test_no_paragraph_of_an_article_is_in_a_list(ask: Fetch) -> None:
    articles = load(CONTENT)
    app = create_app(articles, images=CONTENT / "images")
    sections = {f"/section/{path}" for path in re.findall(r'href="/section/(.*?)"', ask(app, "/").text)}
    lists = ["/", "/sitemap.xml", "/news-sitemap.xml", *sections]
    texts = [ask(app, path).text for path in lists]
    for article in articles:
        for paragraph in article.text.splitlines():
            if len(paragraph) > 80:
                assert not any(paragraph in text for text in texts), article.slug


def test_feeds_of_the_bundled_articles_are_well_formed(ask: Fetch) -> None:
    app = create_app(load(CONTENT), images=Path(CONTENT) / "images")
    for path in ("/feed.xml", "/atom.xml", "/section/science/feed.xml", "/sitemap.xml", "/news-sitemap.xml"):
        assert len(ET.fromstring(ask(app, path).content))
