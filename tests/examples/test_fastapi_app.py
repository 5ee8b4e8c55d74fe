"""The FastAPI example: the article is guarded, the API is not."""

from __future__ import annotations

import pytest

from examples import fastapi_app
from tests.client import CHROME, CURL, earned, get

STORY = "/news/lighthouse"
PARAGRAPHS = ("The old lamp drew a kilowatt", "The last tomatoes were picked on Friday")


def test_a_browser_reads_the_article_and_finds_the_share_box() -> None:
    lead = get(fastapi_app.app, STORY, CHROME)
    assert PARAGRAPHS[0] in lead.text
    assert PARAGRAPHS[-1] not in lead.text
    response = get(fastapi_app.app, STORY, {**CHROME, "cookie": earned(fastapi_app.app, STORY)})
    assert response.status_code == 200
    assert all(words in response.text for words in PARAGRAPHS)
    assert "Share your love" in response.text


def test_curl_gets_a_refusal_and_not_one_paragraph() -> None:
    response = get(fastapi_app.app, STORY, CURL)
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert not any(words in response.text for words in PARAGRAPHS)


@pytest.mark.parametrize("who", [CHROME, CURL])
def test_the_api_answers_everybody_byte_for_byte(who: dict[str, str]) -> None:
    response = get(fastapi_app.app, "/api/tides", who)
    assert response.status_code == 200
    assert response.content == b'{"high":["03:12","15:41"]}'
    assert dict(response.headers) == {"content-length": "26", "content-type": "application/json"}


def test_the_apis_own_pages_work() -> None:
    assert get(fastapi_app.app, "/openapi.json", CURL).json()["info"]["title"] == "The Daily Example"
    docs = get(fastapi_app.app, "/docs", CHROME)
    assert docs.status_code == 200
    assert "contentguard" not in docs.text
