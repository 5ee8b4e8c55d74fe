"""Pictures over HTTP: the placeholder, signed addresses in a page and on their way in, and what stays as it was."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import Any

import pytest

from contentguard import ContentGuardMiddleware
from contentguard.guard.status import status
from tests.client import ARTICLE, CHROME, CURL, FACEBOOK, GPTBOT, PARAGRAPH, drive, get, http_scope, proof, settings

CROSS = {
    **CHROME,
    "sec-fetch-site": "cross-site",
    "sec-fetch-dest": "image",
    "sec-fetch-mode": "no-cors",
    "accept": "*/*",
}
OWN = {**CROSS, "sec-fetch-site": "same-origin"}
OLD = {"user-agent": CHROME["user-agent"], "accept": "image/*"}
PICTURE = b"\xff\xd8\xff picture"
PAGE = ARTICLE.replace(
    "</head>",
    '<meta property="og:image" content="https://news.example/images/card.jpg">\n'
    '<script type="application/ld+json">{"@type":"NewsArticle","image":"https://news.example/images/tide.jpg"}</script>\n'
    "</head>",
).replace(
    "<p>",
    '<p><img src="/images/tide.jpg" srcset="/images/tide.jpg 1x, /images/tide-2.jpg 2x" loading="lazy" alt="">',
    1,
)


def site(clock: Any = None, headers: dict[str, str] | None = None, **chosen: Any) -> ContentGuardMiddleware:
    """A site with articles and pictures; each picture says what query it was asked with."""
    said = {"etag": '"1"', **(headers or {})}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kind, body, code = "text/html", PAGE.encode(), 200
        if scope["path"].startswith("/images/"):
            kind, body = "image/jpeg", PICTURE + scope["query_string"]
        elif scope["path"].endswith(".css"):
            kind, body = "text/css", b"a{}"
        if any(name == b"if-none-match" for name, _ in scope["headers"]) and kind == "image/jpeg":
            kind, body, code = "", b"", 304
        pairs = [(b"content-type", kind.encode())] if kind else []
        pairs += [(name.encode(), value.encode()) for name, value in said.items()]
        await send({"type": "http.response.start", "status": code, "headers": pairs})
        await send({"type": "http.response.body", "body": body[:5], "more_body": True})
        await send({"type": "http.response.body", "body": body[5:]})

    return ContentGuardMiddleware(app, settings=settings(**chosen), clock=clock)


HOTLINKS: dict[str, Any] = {"media": {"hotlinks": "placeholder"}}
SIGNED: dict[str, Any] = {"media": {"signed": ["/images/"], "days": 1}}


def sources(html: str) -> list[str]:
    found = re.search(r'<img src="([^"]+)" srcset="(\S+) 1x, (\S+) 2x" loading="lazy"', html)
    assert found, html
    return [unescape(url) for url in found.groups()]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("asked", [CROSS, {**OLD, "referer": "https://elsewhere.example/x"}])
def test_another_sites_page_shows_a_placeholder_that_no_cache_keeps(method: str, asked: dict[str, str]) -> None:
    app = site(**HOTLINKS)
    answer = get(app, "/images/tide.jpg", asked, method=method)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "image/svg+xml")
    assert answer.headers["cache-control"] == "private, no-store"
    assert "Sec-Fetch-Site" in answer.headers["vary"]
    assert "etag" not in answer.headers
    assert PICTURE not in answer.content
    assert ("The Daily Test" in answer.text) is (method == "GET")
    assert int(answer.headers["content-length"]) < 1000
    assert status(app.guard)["media"] == {"embedded": 1}


@pytest.mark.parametrize(
    "asked", [OWN, OLD, CURL, {**CROSS, "sec-fetch-dest": "document"}, {**CROSS, "referer": "https://www.google.de/"}]
)
def test_everybody_else_gets_the_picture_as_it_came(asked: dict[str, str]) -> None:
    answer = get(site(**HOTLINKS), "/images/tide.jpg", asked)
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert sorted(answer.headers) == ["content-type", "etag"]


def test_it_is_off_by_default() -> None:
    assert get(site(), "/images/tide.jpg", CROSS).content == PICTURE


def test_only_pictures_are_replaced() -> None:
    app = site(**HOTLINKS)
    assert get(app, "/style.css", CROSS).content == b"a{}"
    assert "harbour" in get(app, "/news/tide", CROSS).text


def test_what_is_held_is_not_confirmed() -> None:
    app = site(**HOTLINKS)
    assert get(app, "/images/tide.jpg", {**CROSS, "if-none-match": '"1"'}).status_code == 403
    assert get(app, "/images/tide.jpg", {**OWN, "if-none-match": '"1"'}).status_code == 304


def test_a_placeholder_names_no_more_than_fits_and_nothing_that_is_markup() -> None:
    answer = get(site(site="<b>&" + "x" * 60, **HOTLINKS), "/images/tide.jpg", CROSS)
    assert "&lt;b&gt;&amp;xxx" in answer.text
    assert "…" in answer.text


def test_a_card_is_reachable_by_anybody_once_its_article_was_seen() -> None:
    app = site(media={"hotlinks": "placeholder", "signed": ["/images/"]})
    assert get(app, "/images/card.jpg", CURL).status_code == 403
    get(app, "/news/tide")
    for asked in (CURL, FACEBOOK, OWN):
        assert get(app, "/images/card.jpg", asked).content == PICTURE


@pytest.mark.parametrize(("cards", "status"), [("fetch", 403), ("show", 200)])
@pytest.mark.parametrize("signed", [[], ["/images/"]])
def test_another_sites_page_shows_a_card_only_where_it_may(cards: str, status: int, signed: list[str]) -> None:
    app = site(media={"hotlinks": "placeholder", "cards": cards, "signed": signed})
    get(app, "/news/tide")
    for asked in (CROSS, {**OLD, "referer": "https://elsewhere.example/x"}):
        assert get(app, "/images/card.jpg", asked).status_code == status


@pytest.mark.parametrize("streamed", [False, True])
def test_it_is_learned_from_streamed_pages_too(streamed: bool) -> None:
    media = {"hotlinks": "placeholder", "cards": "show"}
    app = site(reading={"mode": "off"}, visits={"remember": not streamed}, media=media)
    get(app, "/news/tide")
    assert get(app, "/images/card.jpg", CROSS).content == PICTURE


def test_robots_that_fetch_for_others_see_pictures_and_those_that_collect_do_not() -> None:
    app = site(**SIGNED)
    assert get(app, "/images/tide.jpg", FACEBOOK).content == PICTURE
    assert get(app, "/images/tide.jpg", GPTBOT).status_code == 403
    assert get(app, "/images/tide.jpg", CURL).headers["content-type"] == "image/svg+xml"


def test_an_articles_pictures_are_signed_and_what_it_says_of_itself_is_not() -> None:
    app = site(**SIGNED)
    answer = get(app)
    for url in sources(answer.text):
        assert re.fullmatch(r"/images/tide(-2)?\.jpg\?cgm=[0-9a-f]+-[\w-]{16}", url)
        shown = get(app, url, OWN)
        assert (shown.status_code, shown.content) == (200, PICTURE), "the app never sees the token"
        assert get(app, url.partition("?")[0], OWN).status_code == 403
        assert get(app, url + "&w=3", OWN).content == PICTURE + b"w=3"
        assert get(app, url.replace("cgm=", "xcgm="), OWN).status_code == 403
    assert "https://news.example/images/card.jpg" in answer.text
    assert '"image":"https://news.example/images/tide.jpg"' in answer.text


def test_every_rendition_is_signed() -> None:
    lead = site(reading={"mode": "progressive"}, **SIGNED)
    assert len(sources(get(lead).text)) == 3
    marked = site(watermark={"enabled": True}, evidence={"url": ""}, **SIGNED)
    assert len(sources(get(marked).text)) == 3
    assert len(sources(get(site(**SIGNED), "/news/tide", {**CHROME, "accept-encoding": "gzip"}).text)) == 3


def test_within_an_hour_all_readers_get_one_page_and_then_another() -> None:
    now = [1_800_000_000.0]
    app = site(lambda: now[0], **SIGNED, visits={"remember": False}, visible={"copy_number": False})
    first = get(app)
    assert first.headers["etag"]
    assert get(app).text == first.text
    held = {**CHROME, "if-none-match": first.headers["etag"]}
    now[0] += 3600
    later = get(app, headers=held)
    assert later.status_code == 200, "what was held has addresses that end earlier"
    assert sources(later.text) != sources(first.text)
    now[0] += 22 * 3600
    assert get(app, sources(later.text)[0], OWN).status_code == 200
    assert get(app, sources(first.text)[0], OWN).status_code == 200
    now[0] += 3600
    assert get(app, sources(first.text)[0], OWN).status_code == 403


def test_the_rest_of_an_article_is_signed_also_where_it_is_the_first_thing_asked_for() -> None:
    now = 1_800_000_000.0
    page = PAGE.replace(
        "</article>", "".join(f"<p>{PARAGRAPH}</p>" for _ in range(9)) + '<img src="/images/z.jpg"></article>'
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": page.encode()})

    def made() -> ContentGuardMiddleware:
        return ContentGuardMiddleware(app, settings=settings(**SIGNED, reading={}), clock=lambda: now)

    where, body = proof(get(made(), "/news/tide").text) or ("", b"")
    restarted = made()
    answer = asyncio.run(drive(restarted, http_scope(where, CHROME, method="POST"), body))
    found = re.search(r'src="(/images/z\.jpg\?cgm=[^"]+)"', answer[1]["body"].decode())
    assert found
    token = found[1].partition("cgm=")[2]
    assert int(token.partition("-")[0], 16) == now // 3600 + 24


def test_the_app_signs_what_the_guard_does_not_rewrite() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["contentguard.media"].signed("/images/front.jpg"))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/jpeg")]})
        await send({"type": "http.response.body", "body": PICTURE})

    guard = ContentGuardMiddleware(app, settings=settings(**SIGNED))
    get(guard, "/front")
    assert get(guard, seen[0], OWN).content == PICTURE


def test_the_app_finds_the_same_in_its_scope_when_it_is_asked_again() -> None:
    """HEAD is answered by what GET would be: its page may sign pictures and hold a comment form as well."""
    seen: list[tuple[str, dict[str, Any]]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["method"], {name: scope[name] for name in scope if name.startswith("contentguard.")}))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<article>"})

    guard = ContentGuardMiddleware(app, settings=settings(**SIGNED))
    asyncio.run(drive(guard, http_scope("/news/tide", CHROME, method="HEAD")))
    assert [method for method, _ in seen] == ["HEAD", "GET"]
    assert {"contentguard.media", "contentguard.comments", "contentguard.links"} <= seen[0][1].keys()
    assert seen[0][1] == seen[1][1]


def test_below_a_mount() -> None:
    app = site(media={"signed": ["/app/images/"]}, origin="")
    html = get(app, "/app/news/tide", root_path="/app").text
    assert "cgm=" not in html, "its pictures are not below the mount"
    signed = app.guard.media.signed("/app/images/tide.jpg")
    assert get(app, signed, OWN, root_path="/app").status_code == 200
    assert get(app, "/app/images/tide.jpg", OWN, root_path="/app").status_code != 403, "the app has no picture there"


def test_one_guard_inside_another_asks_once() -> None:
    outer = ContentGuardMiddleware(site(**SIGNED), settings=settings(**SIGNED))
    url = sources(get(outer).text)[0]
    assert url.count("cgm=") == 1
    assert get(outer, url, OWN).content == PICTURE


@pytest.mark.parametrize(
    ("own", "sent"), [({}, "same-site"), ({"Cross-Origin-Resource-Policy": "cross-origin"}, "cross-origin")]
)
def test_the_resource_policy_is_said_where_the_app_says_none(own: dict[str, str], sent: str) -> None:
    app = site(headers=own, media={"resource_policy": "same-site", "cards": "show"})
    answer = get(app, "/images/tide.jpg", OWN)
    assert answer.headers.get_list("cross-origin-resource-policy") == [sent]
    assert "cross-origin-resource-policy" not in get(app, "/style.css", OWN).headers or own
    get(app, "/news/tide")
    assert get(app, "/images/card.jpg", OWN).headers.get("cross-origin-resource-policy") == own.get(
        "Cross-Origin-Resource-Policy"
    )


def test_trailing_messages_of_a_replaced_picture_go_nowhere() -> None:
    sent = asyncio.run(drive(site(**HOTLINKS), http_scope("/images/tide.jpg", CROSS)))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
