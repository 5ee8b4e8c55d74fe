"""Who may frame an article, as its response says it."""

from __future__ import annotations

import pytest

from contentguard import ContentGuardMiddleware
from tests.client import ARTICLE, CHROME, FACEBOOK, get, guarded, page, settings

ANCESTORS = ("'self'", "https://partner.example")
FRAMING = {"ancestors": ANCESTORS}
OURS = "frame-ancestors 'self' https://partner.example"


def policies(app: ContentGuardMiddleware, path: str = "/news/tide", **options: object) -> list[str]:
    return get(app, path, **options).headers.get_list("content-security-policy")  # type: ignore[arg-type]


def test_it_stands_beside_the_apps_own_policy() -> None:
    app = guarded(page(headers=[("content-security-policy", "default-src 'self'")]), framing=FRAMING)
    answer = get(app)
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'", OURS]
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize("named", ["frame-ancestors *", "Frame-Ancestors 'none'"])
def test_where_the_app_says_it_that_stands_alone(named: str) -> None:
    app = guarded(page(headers=[("Content-Security-Policy", named)]), framing=FRAMING)
    answer = get(app)
    assert answer.headers.get_list("content-security-policy") == [named]
    assert "x-frame-options" not in answer.headers


def test_the_apps_x_frame_options_is_not_put_out_of_force() -> None:
    app = guarded(page(headers=[("x-frame-options", "DENY")]), framing=FRAMING)
    answer = get(app)
    assert answer.headers.get_list("x-frame-options") == ["DENY"]
    assert "content-security-policy" not in answer.headers


def test_every_rendition_says_it_and_nothing_else_does() -> None:
    app = guarded(framing=FRAMING)
    assert policies(app, method="HEAD") == [OURS]
    assert policies(app, headers=FACEBOOK) == [OURS]
    lead = ContentGuardMiddleware(page(), settings=settings(framing=FRAMING, reading={}))
    assert policies(lead) == [OURS]
    assert policies(guarded(page("<p>No article</p>"), framing=FRAMING)) == []
    assert policies(guarded(page(headers=[("x-contentguard", "off")]), framing=FRAMING)) == []
    assert policies(guarded(page())) == []


def test_streamed_pages_say_it_too() -> None:
    raw = ARTICLE.encode()
    app = guarded(page(chunks=[raw[:700], raw[700:]]), framing=FRAMING)
    assert policies(app) == [OURS]


def test_one_guard_inside_another_says_it_once() -> None:
    app = ContentGuardMiddleware(guarded(framing=FRAMING), settings=settings(framing=FRAMING))
    for headers in (CHROME, FACEBOOK):
        assert policies(app, headers=headers) == [OURS]
