"""The corridor: what passes, what is refused, what is rewritten."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from typing import Any

import pytest
import segno
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Mount, Route

from contentguard import Action, ContentGuardMiddleware, Facts, Rendition, Settings, SettingsError, Verdict
from tests.client import (
    ARTICLE,
    ASGI,
    CHROME,
    CURL,
    FACEBOOK,
    GPTBOT,
    PARAGRAPH,
    drive,
    get,
    guarded,
    http_scope,
    page,
    settings,
)

PARA = PARAGRAPH.strip()


def test_a_reader_gets_the_article_with_all_inserts() -> None:
    response = get(guarded())
    assert response.status_code == 200
    assert response.text.count(PARA) == 12
    assert "Share your love" in response.text
    assert "/.contentguard/contentguard." in response.text
    assert "data-cg-print" in response.text
    assert '<link rel="canonical" href="https://news.example/news/tide">' in response.text
    assert response.headers["content-length"] == str(len(response.content))
    assert response.headers["cache-control"] == "private"


def test_the_words_of_the_refusal_are_nowhere_in_the_page() -> None:
    assert "Unauthorized" not in get(guarded(copying={"policy": "quote"})).text


def test_a_websocket_passes_straight_through() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    scope = {"type": "websocket"}
    receive, send = object(), object()
    asyncio.run(guarded(app)(scope, receive, send))  # type: ignore[arg-type]
    assert len(seen) == 1
    assert all(got is given for got, given in zip(seen[0], (scope, receive, send), strict=True))


def test_at_the_end_of_the_app_s_life_the_guard_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages of both sides are handed on as they are; the guard has ended before the app hears of its end."""
    told: list[Any] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    answers: list[Any] = [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
    seen: list[Any] = []
    heard: list[Any] = []
    said: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend((scope, send))
        for answer in answers:
            heard.append((await receive(), closed.count("after")))
            await send(answer)

    async def receive() -> Any:
        return told[len(heard)]

    async def send(message: Any) -> None:
        said.append(message)

    closed: list[str] = []

    async def aclose() -> None:
        closed.append("before")
        await asyncio.sleep(0)
        closed.append("after")

    site = guarded(app)
    monkeypatch.setattr(site.guard, "aclose", aclose)
    scope: dict[str, Any] = {"type": "lifespan", "state": {}}
    asyncio.run(site(scope, receive, send))
    assert seen[0] is scope
    assert seen[1] is send
    assert [message for message, _ in heard] == told
    assert all(message is given for (message, _), given in zip(heard, told, strict=True))
    assert [ended for _, ended in heard] == [0, 1]
    assert closed == ["before", "after"]
    assert said == answers
    assert all(message is given for message, given in zip(said, answers, strict=True))


@pytest.mark.parametrize(
    ("robot", "status"),
    [(GPTBOT, 403), (CURL, 403), ({"user-agent": "Scrapy/2.12"}, 403), (FACEBOOK, 200), (CHROME, 200)],
)
def test_who_gets_an_article(robot: dict[str, str], status: int) -> None:
    assert get(guarded(), headers=robot).status_code == status


@pytest.mark.parametrize("robot", [GPTBOT, CURL, FACEBOOK])
def test_a_restricted_robot_gets_no_paragraph(robot: dict[str, str]) -> None:
    response = get(guarded(), headers=robot)
    assert PARA not in response.text
    assert PARA[:40] not in response.text


def test_a_denied_robot_never_reaches_the_app() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("asked")

    assert get(guarded(app), headers=GPTBOT).status_code == 403


def test_a_tool_may_have_what_is_no_article() -> None:
    app = guarded(page("<p>short</p>"))
    assert get(app, headers=CURL).text == "<p>short</p>"
    assert get(guarded(page('{"a": 1}', headers=[("content-type", "application/json")])), headers=CURL).json() == {
        "a": 1
    }


def test_an_override_for_one_robot() -> None:
    assert get(guarded(policy={"crawlers": {"GPTBot": "allow"}}), headers=GPTBOT).text.count(PARA) == 12
    assert get(guarded(policy={"rights": {"tool": "allow"}}), headers=CURL).text.count(PARA) == 12


def test_a_link_preview_gets_the_card_and_nothing_else() -> None:
    article = ARTICLE.replace("<title>", '<script type="application/ld+json">{"articleBody":"secret"}</script><title>')
    response = get(guarded(page(article)), headers=FACEBOOK)
    assert response.status_code == 200
    assert "<title>Tide &amp; time</title>" in response.text
    assert 'property="og:title" content="Tide &amp; time"' in response.text
    assert "secret" not in response.text
    assert "private" in response.headers["cache-control"]


class TestRefusal:
    def test_problem_details_for_programs(self) -> None:
        response = get(guarded(contact="mailto:desk@news.example", licence_url="/licensing"), headers=CURL)
        assert response.status_code == 403
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["cache-control"] == "no-store"
        assert "noindex" in response.headers["x-robots-tag"]
        assert response.headers["link"] == '<https://news.example/licensing>; rel="license"'
        problem = response.json()
        assert problem["title"] == "Unauthorized Content Copy Is Not Allowed"
        assert problem["status"] == 403
        assert problem["contact"] == "mailto:desk@news.example"
        assert problem["licence"] == "https://news.example/licensing"
        assert problem["support_id"]
        assert "curl" not in response.text, "the private reason is for the log"

    def test_what_is_kept_of_a_refusal_names_no_earlier_request(self) -> None:
        app = guarded(contact="desk@news.example")
        for headers in (GPTBOT, {**CHROME, "user-agent": "Scrapy/2.12 (+https://scrapy.org)"}):
            bodies = [get(app, headers=headers).text for _ in range(3)]
            names = [re.findall(r"[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}", body) for body in bodies]
            assert all(found and len(set(found)) == 1 for found in names)
            assert len({found[0] for found in names}) == 3
            assert len({body.replace(found[0], "") for body, found in zip(bodies, names, strict=True)}) == 1

    def test_a_page_for_people(self) -> None:
        headers = {**CHROME, "user-agent": "Scrapy/2.12 (+https://scrapy.org)"}
        response = get(guarded(contact="desk@news.example"), headers=headers)
        assert response.status_code == 403
        assert response.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "<h1>Unauthorized Content Copy Is Not Allowed</h1>" in response.text
        assert 'href="mailto:desk@news.example"' in response.text
        assert "{" not in response.text.split("</style>")[1], "every place is filled in"

    def test_head_has_no_body(self) -> None:
        response = get(guarded(), headers=GPTBOT, method="HEAD")
        assert (response.status_code, response.content) == (403, b"")

    def test_throttled(self) -> None:
        app = guarded(limits={"articles": "2/minute"})
        assert [get(app).status_code for _ in range(3)] == [200, 200, 429]
        response = get(app)
        assert 1 <= int(response.headers["retry-after"]) <= 60
        assert PARA not in response.text
        assert "try this page again" in response.text
        assert get(app, client=("192.0.2.8", 1)).status_code == 200, "another client is another bucket"

    def test_what_is_no_article_is_not_counted(self) -> None:
        app = guarded(page("<p>short</p>"), limits={"articles": "1/hour"})
        assert {get(app).status_code for _ in range(5)} == {200}

    def test_the_limit_on_all_requests(self) -> None:
        app = guarded(page("x", headers=[("content-type", "text/plain")]), limits={"requests": "2/minute"})
        assert [get(app).status_code for _ in range(3)] == [200, 200, 429]

    @pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "172.16.0.9"])
    def test_private_addresses_are_clients_like_any_other(self, address: str) -> None:
        app = guarded(limits={"articles": "1/minute"})
        assert [get(app, client=(address, 1)).status_code for _ in range(2)] == [200, 429]

    def test_a_client_without_an_address(self) -> None:
        scope = http_scope(client=None)
        sent = asyncio.run(drive(guarded(), scope))
        assert sent[0]["status"] == 200

    @pytest.mark.parametrize(
        "attack", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{advice}", "\r\nX: y"]
    )
    def test_nothing_of_the_request_is_reflected(self, attack: str) -> None:
        headers = {**CHROME, "user-agent": "Scrapy/2.12 " + attack.replace("\r\n", " ")}
        response = get(guarded(), path="/" + attack.replace("\r\n", "%0d%0a"), headers=headers)
        assert response.status_code == 403
        assert "alert(1)" not in response.text
        assert "x" not in response.headers

    def test_a_hostile_host_header_builds_no_link(self) -> None:
        headers = {**CHROME, "user-agent": "Scrapy/2.12", "host": 'evil.example"><script>'}
        response = get(guarded(origin="", licence_url="/licensing"), headers=headers)
        assert "evil.example" not in response.text
        assert response.headers["link"] == '</licensing>; rel="license"'


class TestRobots:
    def test_served_where_the_app_has_none(self) -> None:
        app = guarded(page("no", status=404), robots={"sitemaps": ["/sitemap.xml"]})
        response = get(app, "/robots.txt", headers=GPTBOT)
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert "GPTBot" in response.text
        assert "Sitemap: https://news.example/sitemap.xml" in response.text

    @pytest.mark.parametrize("status", [404, 405, 410, 500, 503])
    def test_never_answered_with_an_error(self, status: int) -> None:
        assert get(guarded(page("no", status=status)), "/robots.txt").status_code == 200

    def test_the_app_s_own_goes_first(self) -> None:
        own = page("User-agent: *\nDisallow:\n", headers=[("content-type", "text/plain")])
        assert get(guarded(own), "/robots.txt", headers=GPTBOT).text == "User-agent: *\nDisallow:\n"

    def test_can_be_left_to_the_app(self) -> None:
        assert get(guarded(page("no", status=404), robots={"serve": False}), "/robots.txt").status_code == 404

    def test_well_known_paths_are_open_but_not_for_articles(self) -> None:
        app = guarded(page("x", headers=[("content-type", "text/plain")]))
        assert get(app, "/.well-known/security.txt", headers=GPTBOT).status_code == 200
        assert get(guarded(), "/.well-known/../news/tide", headers=GPTBOT).status_code == 403


class TestRoutes:
    def asset(self, name: str) -> str:
        return next(word for word in get(guarded()).text.split('"') if word.endswith(name))

    @pytest.mark.parametrize(("end", "kind"), [(".js", "javascript"), (".css", "text/css")])
    def test_assets(self, end: str, kind: str) -> None:
        response = get(guarded(), self.asset(end))
        assert response.status_code == 200
        assert kind in response.headers["content-type"]
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        packed = get(guarded(), self.asset(end), headers=[("accept-encoding", "br, gzip;q=0.5")])
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == response.content
        refused = get(guarded(), self.asset(end), headers=[("accept-encoding", "gzip;q=0")])
        assert "content-encoding" not in refused.headers

    def test_a_denied_robot_may_have_them(self) -> None:
        assert get(guarded(), self.asset(".js"), headers=GPTBOT).status_code == 200

    def test_other_paths_and_methods(self) -> None:
        assert get(guarded(), "/.contentguard/x").status_code == 404
        assert get(guarded(), "/.contentguard").status_code == 404
        assert get(guarded(), "/.contentguard/x", method="POST").status_code == 405
        assert get(guarded(page("x")), "/.contentguardian").text == "x"

    def test_the_qr_code_of_a_page(self) -> None:
        app = guarded(share={"targets": ["qr"]})
        url = next(word for word in get(app).text.split('"') if "/qr/" in word)
        picture = get(app, url)
        assert picture.headers["content-type"] == "image/svg+xml"
        assert picture.text.startswith("<svg")

    def test_without_the_extra_no_page_has_a_qr_code(self, monkeypatch: pytest.MonkeyPatch) -> None:
        code = f"/.contentguard/qr/{guarded().guard.signer.sign('qr', 'https://news.example/not-drawn-yet')}.svg"
        monkeypatch.setitem(sys.modules, "segno", None)
        with pytest.raises(SettingsError, match=r"share\.targets: found qr, and no segno .*contentguard\[qr\]"):
            guarded(share={"targets": ["email", "qr"]})
        assert "/qr/" not in get(guarded(share={"enabled": False, "targets": ["qr"]})).text
        assert get(guarded(), code).status_code == 404

    def test_a_qr_code_is_drawn_once_and_not_for_an_address_of_any_length(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One of a hundred characters takes 6 ms and one of 2,000 a tenth of a second, each time that anybody asks."""
        drawn: list[str] = []
        made = segno.make

        def noted(url: str, **more: Any) -> Any:
            drawn.append(url)
            return made(url, **more)

        monkeypatch.setattr(segno, "make", noted)
        app = guarded(share={"targets": ["qr"]})
        url = next(word for word in get(app, "/news/drawn-once").text.split('"') if "/qr/" in word)
        assert {get(app, url).status_code for _ in range(3)} == {200}
        assert drawn == ["https://news.example/news/drawn-once"]
        assert "/qr/" not in get(app, "/news/" + "a" * 600).text
        older = app.guard.signer.sign("qr", "https://news.example/news/" + "a" * 600)
        assert get(app, f"/.contentguard/qr/{older}.svg").status_code == 404
        assert len(drawn) == 1

    @pytest.mark.parametrize("token", ["x", "Imh0dHBzOi8vZXZpbC5leGFtcGxlIg.AAAA", ""])
    def test_no_qr_codes_for_strangers(self, token: str) -> None:
        assert get(guarded(), f"/.contentguard/qr/{token}.svg").status_code == 404


class TestMounting:
    def test_under_mount(self) -> None:
        inner = ContentGuardMiddleware(page(), settings=settings(origin=""))
        app = Starlette(routes=[Mount("/m", app=inner)])
        response = get(app, "/m/news/tide")
        asset = next(word for word in response.text.split('"') if word.endswith(".js"))
        assert asset.startswith("/m/.contentguard/")
        assert get(app, asset).status_code == 200
        assert "https%3A%2F%2Fnews.example%2Fm%2Fnews%2Ftide" in response.text
        assert get(app, "/m/news/tide", headers=CURL).status_code == 403

    def test_mount_path_probe_of_starlette(self) -> None:
        """A guard that matches on paths misses what is mounted elsewhere; this one decides on the response."""
        site = Starlette(routes=[Route("/articles/{x:path}", lambda r: HTMLResponse(ARTICLE))])
        app = guarded(Starlette(routes=[Mount("/m", app=site), Mount("/M2", app=site), Mount("/", app=site)]))
        for path in (
            "/articles/a",
            "/m/articles/a",
            "/M2/articles/a/../b",
            "/articles/a;x=1",
            "/%61rticles/a",
        ):
            response = get(app, path, headers=CURL)
            assert PARA not in response.text, path
            assert response.status_code in (403, 404), path

    def test_as_starlette_middleware(self) -> None:
        app = Starlette(
            routes=[
                Route("/news/tide", lambda r: HTMLResponse(ARTICLE)),
                Route("/x", lambda r: PlainTextResponse("x")),
            ],
            middleware=[Middleware(ContentGuardMiddleware, settings=settings())],
        )
        assert "Share your love" in get(app).text
        assert get(app, "/x").text == "x"

    def test_two_instances_share_nothing(self) -> None:
        one, other = guarded(limits={"articles": "1/minute"}), guarded(limits={"articles": "1/minute"})
        assert [get(one).status_code, get(one).status_code, get(other).status_code] == [200, 429, 200]
        assert one.guard.verdicts != other.guard.verdicts
        assert one.guard.store is not other.guard.store

    def test_nested_guards_insert_once(self) -> None:
        response = get(guarded(guarded()))
        assert response.text.count("Share your love") == 1

    def test_an_inner_guard_may_restrict_further(self) -> None:
        app = guarded(guarded(), policy={"rights": {"tool": "allow"}})
        assert get(app, headers=CURL).status_code == 403


class TestKey:
    def test_production_refuses_to_start_without_a_key(self) -> None:
        with pytest.raises(SettingsError, match="secret_key"):
            ContentGuardMiddleware(page(), settings=Settings(origin="https://news.example"))

    @pytest.mark.parametrize("origin", ["", "http://127.0.0.1:8000", "http://localhost:8000"])
    def test_development_gets_a_random_key_and_a_warning(self, origin: str, caplog: pytest.LogCaptureFixture) -> None:
        app = ContentGuardMiddleware(page(), settings=Settings(origin=origin))
        assert "no secret_key" in caplog.text
        assert get(app).status_code == 200

    def test_a_public_address_shows_production(self) -> None:
        app = ContentGuardMiddleware(page(), settings=Settings())
        with pytest.raises(SettingsError, match=r"listens on 203\.0\.113\.5"):
            asyncio.run(drive(app, http_scope(server=("203.0.113.5", 80))))
        assert asyncio.run(drive(app, http_scope(server=("/run/app.sock", None))))[0]["status"] == 200


class TestObservation:
    def test_one_structured_record_per_verdict(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "contentguard.verdict")
        response = get(guarded(), headers=GPTBOT)
        (record,) = [r for r in caplog.records if r.name == "contentguard.verdict"]
        verdict = record.verdict  # type: ignore[attr-defined]
        assert json.loads(json.dumps(verdict)) == verdict
        assert verdict["action"] == "deny"
        assert verdict["crawler"] == "GPTBot"
        assert verdict["rule"] == "rights.ai-training"
        assert verdict["id"] in response.text
        assert "192.0.2.7" not in json.dumps(verdict), "addresses are kept as keyed hashes only"

    def test_no_log_injection(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "contentguard.verdict")
        get(guarded(), path="/a%0a%1b[31mroot", headers=GPTBOT)
        assert "\n" not in caplog.records[-1].getMessage()
        assert "\x1b" not in caplog.text

    def test_hooks_see_facts_and_verdict(self) -> None:
        seen: list[tuple[Facts, Verdict]] = []
        get(guarded(hooks=(lambda f, v: seen.append((f, v)),)))
        ((facts, verdict),) = seen
        assert (verdict.action, verdict.rendition, facts.client) == (
            Action.ALLOW,
            Rendition.FULL,
            "192.0.2.7",
        )
        assert Facts.from_dict(json.loads(json.dumps(facts.as_dict()))) == facts

    def test_a_failing_hook_harms_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        def hook(facts: Facts, verdict: Verdict) -> None:
            raise RuntimeError("no")

        app = guarded(hooks=(hook,))
        assert [get(app).status_code, get(app).status_code] == [200, 200]
        assert app.guard.counts["hook-failed"] == 2
        assert len([r for r in caplog.records if "hook" in r.getMessage()]) == 1

    def test_a_broken_store_harms_no_reader(self) -> None:
        class Broken:
            async def take(self, *args: object, **more: object) -> Any:
                raise ConnectionError("gone")

            peek = take

        app = ContentGuardMiddleware(page(), settings=settings(), store=Broken())
        assert get(app).status_code == 200
        assert app.guard.counts["store-failed"] == 1
        streamed = ContentGuardMiddleware(page(chunks=[b"", ARTICLE.encode()]), settings=settings(), store=Broken())
        assert "Share your love" in get(streamed).text
        assert streamed.guard.counts["store-failed"] == 2


class TestServers:
    def test_uvicorn_s_state_is_left_alone(self) -> None:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["state"])
            await page()(scope, receive, send)

        state = {"a": 1}
        asyncio.run(drive(guarded(app), http_scope(state=state)))
        assert seen[0] is state

    def test_what_the_server_can_do_is_passed_on(self) -> None:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["extensions"])
            await page()(scope, receive, send)

        extensions: dict[str, Any] = {"http.response.pathsend": {}, "http.response.debug": {}}
        asyncio.run(drive(guarded(app), http_scope(extensions=extensions)))
        assert seen == [extensions]


def test_the_app_is_typed_as_any_asgi_app() -> None:
    app: ASGI = guarded()
    assert callable(app)
