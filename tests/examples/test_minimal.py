"""The smallest example does what its docstring says."""

from __future__ import annotations

import logging

import pytest

from examples import minimal
from tests.client import CHROME, CURL, FACEBOOK, earned, get

PARAGRAPHS = ("The first boat left the north quay", "Nobody had sold a ticket", "the hens a child's fare")


def test_a_browser_reads_the_article_and_finds_the_share_box() -> None:
    lead = get(minimal.app, "/", CHROME)
    assert PARAGRAPHS[0] in lead.text
    assert PARAGRAPHS[-1] not in lead.text
    response = get(minimal.app, "/", {**CHROME, "cookie": earned(minimal.app, "/")})
    assert response.status_code == 200
    assert all(words in response.text for words in PARAGRAPHS)
    assert "Share your love" in response.text
    assert 'property="og:site_name" content="The Daily Example"' in response.text


def test_the_articles_own_bytes_stay_as_they_are() -> None:
    story = minimal.PAGE.split("<article>")[1].split("</article>")[0]
    assert story in get(minimal.app, "/", {**CHROME, "cookie": earned(minimal.app, "/")}).text


def test_curl_gets_a_refusal_and_not_one_paragraph() -> None:
    response = get(minimal.app, "/", CURL)
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert not any(words in response.text for words in PARAGRAPHS)


def test_a_link_preview_gets_the_headline_alone() -> None:
    response = get(minimal.app, "/", FACEBOOK)
    assert response.status_code == 200
    assert 'property="og:title" content="The ferry is back"' in response.text
    assert not any(words in response.text for words in PARAGRAPHS)


@pytest.mark.parametrize("who", [CHROME, CURL])
def test_what_is_no_article_is_untouched(who: dict[str, str]) -> None:
    response = get(minimal.app, "/nowhere", who)
    assert (response.status_code, response.text) == (404, "Not Found")


def test_robots_txt_comes_with_the_guard() -> None:
    response = get(minimal.app, "/robots.txt", CURL)
    assert response.status_code == 200
    assert "User-agent: GPTBot" in response.text


def test_without_a_key_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    minimal.app.middleware_stack = None  # made with the first request: have it made anew
    with caplog.at_level(logging.WARNING, logger="contentguard"):
        get(minimal.app, "/", CHROME)
    assert "no secret_key is configured" in caplog.text
