"""The Django example: a plain view behind the guard."""

from __future__ import annotations

import pytest

from examples import django_app
from tests.client import CHROME, CURL, earned, get

STORY = "/news/library"
PARAGRAPHS = ("Since Monday a card of the town library", "The ladder was out again by noon")


def test_a_browser_reads_the_article_and_finds_the_share_box() -> None:
    lead = get(django_app.application, STORY, CHROME)
    assert PARAGRAPHS[0] in lead.text
    assert PARAGRAPHS[-1] not in lead.text
    response = get(django_app.application, STORY, {**CHROME, "cookie": earned(django_app.application, STORY)})
    assert response.status_code == 200
    assert all(words in response.text for words in PARAGRAPHS)
    assert "Share your love" in response.text


def test_curl_gets_a_refusal_and_not_one_paragraph() -> None:
    response = get(django_app.application, STORY, CURL)
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert not any(words in response.text for words in PARAGRAPHS)


@pytest.mark.parametrize("who", [CHROME, CURL])
def test_the_front_page_is_untouched(who: dict[str, str]) -> None:
    response = get(django_app.application, "/", who)
    assert response.status_code == 200
    assert response.text == '<!doctype html><title>News</title><a href="/news/library">A ladder to borrow</a>'


def test_djangos_own_errors_pass() -> None:
    assert get(django_app.application, "/nowhere", CURL).status_code == 404
