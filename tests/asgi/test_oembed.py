"""oEmbed over HTTP: cards of the site's own articles, made of what nobody in particular sees."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from contentguard import ContentGuardMiddleware
from tests.client import ARTICLE, CHROME, CURL, FACEBOOK, GPTBOT, get, settings

ORIGIN = "https://news.example"
SAID = "What the harbour master reads."
PAGE = ARTICLE.replace("</head>", f'<meta name=description content="{SAID}"></head>')
REST = "The lantern keeper wrote down every ship that passed the mole in that winter of fog."


class App:
    """An app that says who asked it, and what it answers by path."""

    def __init__(self, pages: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> None:
        self.pages = {"/news/tide": PAGE, "/about": "<p>About us</p>"} if pages is None else pages
        self.headers = {"content-type": "text/html; charset=utf-8", **(headers or {})}
        self.asked: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope)
        if scope["path"] == "/broken":
            raise RuntimeError("broken")
        page = self.pages.get(scope["path"])
        pairs = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": 404 if page is None else 200, "headers": pairs})
        await send({"type": "http.response.body", "body": (page or "").encode()})


def site(app: App | None = None, **chosen: Any) -> ContentGuardMiddleware:
    return ContentGuardMiddleware(app or App(), settings=settings(**chosen))


def at(url: str, **more: str) -> str:
    fields = {"url": url, **more}
    return "/.contentguard/oembed?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())


TIDE = at(f"{ORIGIN}/news/tide")


@pytest.mark.parametrize("asked", [CHROME, CURL, FACEBOOK, {"user-agent": "SomeNewNetwork/1.0"}])
def test_anybody_gets_an_articles_card(asked: dict[str, str]) -> None:
    answer = get(site(), TIDE, asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["x-robots-tag"] == "noindex"
    made = answer.json()
    assert (made["version"], made["type"], made["title"]) == ("1.0", "rich", "Tide & time")
    assert made["url"] == f"{ORIGIN}/news/tide"
    assert made["provider_name"] == "The Daily Test"
    assert SAID in made["html"]
    assert "harbour master read the tide tables" not in answer.text, "nothing of its text"
    assert "set-cookie" not in answer.headers


def test_xml_head_and_smaller_cards() -> None:
    answer = get(site(), at(f"{ORIGIN}/news/tide", format="xml"))
    assert answer.headers["content-type"].startswith("text/xml")
    assert ElementTree.fromstring(answer.content).findtext("title") == "Tide & time"
    assert get(site(), TIDE, method="HEAD").content == b""
    assert get(site(), at(f"{ORIGIN}/news/tide", maxwidth="150")).json()["type"] == "link"
    assert get(site(), TIDE, method="POST").status_code == 405


@pytest.mark.parametrize("name", ["yaml", "", "JSON", "jsonp"])
def test_another_format_is_not_implemented(name: str) -> None:
    wanted = 501 if name else 200  # an empty field is none
    assert get(site(), at(f"{ORIGIN}/news/tide", format=name)).status_code == wanted


@pytest.mark.parametrize("query", ["", "?", "?url=", "?format=json", "?" + "&".join(["a=b"] * 40)])
def test_without_an_url_there_is_nothing_to_answer(query: str) -> None:
    assert get(site(), "/.contentguard/oembed" + query).status_code == 400


FOREIGN = [
    *("https://evil.example/news/tide", "//news.example/news/tide", "https://news.example.evil.example/news/tide"),
    *("https://news.example@evil.example/", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd"),
    *("http://[::ffff:127.0.0.1]/", "http://127.0.0.1:6379/", "gopher://127.0.0.1/", "/news/tide", "news/tide"),
    *(f"{ORIGIN}//evil.example/", f"{ORIGIN}/\\evil.example", f"{ORIGIN}/\tx", f"{ORIGIN}/a b", f"{ORIGIN}/\r\nx: y"),
    *(ORIGIN, "javascript:alert(1)", "http://news.example/news/tide", f"{ORIGIN}/k\u00fcste", "x" * 9000),
]


@pytest.mark.parametrize("url", FOREIGN)
def test_ghsa_mrvx_jmjw_vggc_another_sites_url_is_never_asked_for(url: str) -> None:
    """A server that fetches what it is told can be sent to its own network. This one compares texts."""
    app = App()
    assert get(site(app), at(url)).status_code == 404
    assert not app.asked


@pytest.mark.parametrize("path", ["/about", "/nowhere", "/.contentguard/oembed", "/news/tide/"])
def test_what_is_no_article_has_no_card(path: str) -> None:
    assert get(site(), at(ORIGIN + path)).status_code == 404


def test_an_app_that_fails_has_none_either() -> None:
    app = site()
    assert get(app, at(f"{ORIGIN}/broken")).status_code == 404
    assert app.guard.counts["oembed-failed"] == 1


def test_the_app_is_asked_by_nobody() -> None:
    app = App()
    secret = {**CHROME, "cookie": "session=me", "authorization": "Bearer me", "x-user": "me"}
    assert get(site(app), TIDE, secret).status_code == 200
    (asked,) = app.asked
    assert asked["client"] is None
    assert {name for name, _ in asked["headers"]} == {b"accept", b"host"}
    assert not {"user", "auth", "session", "extensions"} & set(asked)


@pytest.mark.parametrize("said", ["private", "no-store", "private, max-age=9"])
def test_a_page_that_no_cache_keeps_has_a_card_that_none_keeps(said: str) -> None:
    assert get(site(App(headers={"cache-control": said})), TIDE).headers["cache-control"] == "private, no-store"


def test_pages_the_guard_leaves_alone_have_none() -> None:
    assert get(site(App(headers={"x-contentguard": "off"})), TIDE).status_code == 404


def test_robots_that_may_have_nothing_of_articles_have_no_cards() -> None:
    assert get(site(), TIDE, GPTBOT).status_code == 403


@pytest.mark.parametrize("url", ["/members/tide", "/members/%74ide", "/news/../members/tide", "/%6dembers/tide?a=1"])
def test_what_the_policy_closes_has_no_card(url: str) -> None:
    """The request for a card is one for ``/.contentguard/oembed``, which no rule about the article's path is about."""
    closed = {"name": "members", "action": "deny", "when": {"path": ["/members/"]}}
    app = App({"/members/tide": PAGE, "/news/../members/tide": PAGE, "/news/tide": PAGE})
    answer = get(site(app, policy={"rules": [closed]}), at(ORIGIN + url), FACEBOOK)
    assert (answer.status_code, app.asked) == (403, [])
    assert "Tide" not in answer.text
    assert get(site(app, policy={"rules": [closed]}), TIDE, FACEBOOK).status_code == 200


def test_it_is_limited_as_articles_are() -> None:
    app = site(limits={"articles": "2/minute"})
    answers = [get(app, TIDE) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert get(app, "/news/tide").status_code == 200, "and not at an article's cost"
    assert get(site(limits={"articles": ""}), TIDE).status_code == 200


def test_it_can_be_switched_off() -> None:
    app = site(oembed={"enabled": False})
    assert get(app, TIDE).status_code == 404
    assert b"oembed" not in get(app).content
    assert get(site(origin=""), TIDE).status_code == 404


def withheld(description: str) -> str:
    rest = "".join(f"<p>{REST} That was entry {n}.</p>" for n in range(40))
    page = PAGE.replace("</article>", rest + "</article>")
    return page.replace(SAID, description)


@pytest.mark.parametrize("marked", [False, True])
def test_a_card_tells_no_more_than_a_lead(marked: bool) -> None:
    more = {"watermark": {"enabled": True}, "evidence": {"url": ""}} if marked else {}
    for description, told in ((REST + " That was entry 39.", False), (SAID, True)):
        app = site(App({"/news/tide": withheld(description)}), reading={"mode": "progressive"}, **more)
        lead = get(app)
        assert "That was entry 39" not in lead.text
        answer = get(app, TIDE)
        assert answer.status_code == 200
        assert ("lantern" in answer.text) is False
        assert (description in answer.json()["html"]) is told
        assert json.loads(answer.text)["title"] == "Tide & time"


def test_a_page_leads_to_its_card_unless_it_does_already() -> None:
    app = site()
    found = re.search(r'type="application/json\+oembed" href="([^"]+)"', get(app).text)
    assert found
    assert get(app, unescape(found[1]).removeprefix(ORIGIN)).status_code == 200
    own = PAGE.replace("</head>", '<link rel=alternate type="application/json+oembed" href="/own"></head>')
    assert get(site(App({"/news/tide": own}))).text.count("+oembed") == 1
