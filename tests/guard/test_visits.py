"""Visits, as HTTP: who is recognised, what counts for whom, and what nobody can forge, flood or blame on a reader."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest

from contentguard import ContentGuardMiddleware
from contentguard.admission.passes import LENGTH
from contentguard.assets import PRINT, REPORT, SCRIPT
from contentguard.model import Action, Cluster, Facts, Session, Verdict
from contentguard.settings import Settings
from tests.client import ARTICLE, ASGI, CURL, GPTBOT, drive, http_scope, settings
from tests.client import CHROME as PLAIN

CHROME = {**PLAIN, "accept-encoding": "gzip, deflate, br, zstd"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SHEET = f"/.contentguard/{PRINT.file}"
SITEMAP = "".join(f"<url><loc>https://news.example/news/{n}</loc></url>" for n in range(20))


NO_MORE: Mapping[str, str] = {}


FROM_HERE = {"sec-fetch-site": "same-origin", "referer": "https://news.example/"}
FROM_NOWHERE = [
    {"sec-purpose": "prefetch;prerender", "sec-fetch-site": "none"},
    {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"},
]
"""How impersonators ask for pages with a header set that was copied from something else than a navigation."""


async def site(scope: Any, receive: Any, send: Any) -> None:
    """Articles, and what stands beside them."""
    path = scope["path"]
    kind, body = b"text/html; charset=utf-8", ARTICLE.encode()
    if path.endswith(".css"):
        kind, body = b"text/css", b"p{}"
    elif path.endswith(".xml"):
        kind, body = b"application/xml", f"<urlset>{SITEMAP}</urlset>".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    text: str

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def cookie(self) -> str:
        return self.get("set-cookie").partition(";")[0]


@dataclass
class Site:
    """The site behind a guard, a clock, and every verdict that fell."""

    options: Mapping[str, Any] = field(default_factory=dict)
    app: ASGI = site
    now: float = 1_800_000_000.0
    pace: float = 15.0
    asked: int = 0
    fell: list[tuple[Facts, Verdict]] = field(default_factory=list)

    def __post_init__(self) -> None:
        chosen: Settings = settings(hooks=(lambda facts, verdict: self.fell.append((facts, verdict)),), **self.options)
        self.guarded = ContentGuardMiddleware(self.app, settings=chosen, clock=lambda: self.now)

    @property
    def guard(self) -> Any:
        return self.guarded.guard

    def ask(
        self,
        path: str = "/news/tide",
        headers: Mapping[str, str] = CHROME,
        cookie: str = "",
        method: str = "GET",
        body: bytes = b"",
        address: str = "192.0.2.7",
        extra: Mapping[str, str] = NO_MORE,
        **more: str,
    ) -> Answer:
        """One request, a while after the last, by no clock. ``extra``, ``more``: further headers."""
        self.asked += 1
        self.now += self.pace * (1 + self.asked * 37 % 8)
        wanted = {**headers, **{name.replace("_", "-"): value for name, value in more.items()}, **extra}
        wanted |= {"cookie": cookie} if cookie else {}
        path, _, query = path.partition("?")
        more_of_it = {"raw_path": path.encode(), "query_string": query.encode()}
        scope = http_scope(unquote(path), wanted, method=method, client=(address, 1234), **more_of_it)
        sent = asyncio.run(_driven(self.guarded, scope, body))
        start, *rest = sent
        told = [(name.decode(), value.decode()) for name, value in start["headers"]]
        content = b"".join(message.get("body", b"") for message in rest)
        return Answer(start["status"], told, content.decode("latin-1"))

    def signals(self) -> set[str]:
        """What was noticed about the last request that was judged to its end."""
        return {signal.name for signal in self.fell[-1][1].signals}

    @property
    def session(self) -> Session | None:
        return self.fell[-1][0].session

    @property
    def score(self) -> float:
        return self.fell[-1][1].score


async def _driven(app: ASGI, scope: dict[str, Any], body: bytes) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


@pytest.fixture
def news() -> Site:
    return Site()


class TestCookie:
    def test_a_first_article_hands_one_out(self, news: Site) -> None:
        told = news.ask().get("set-cookie")
        name, value = told.partition(";")[0].split("=", 1)
        assert name == "__Host-contentguard"
        assert len(value) == LENGTH
        assert told.endswith("Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure")

    def test_over_plain_http_it_has_the_other_name(self) -> None:
        news = Site()
        scope = http_scope(headers=CHROME, scheme="http")
        told = dict(asyncio.run(drive(news.guarded, scope))[0]["headers"])[b"set-cookie"]
        assert told.startswith(b"contentguard=")
        assert b"Secure" not in told

    def test_what_any_subdomain_may_set_counts_on_https_under_no_circumstances(self) -> None:
        """A cookie tossed from there lacks the name that begins with ``__Host-``, however well it is known on http."""
        news = Site()

        def handed(cookie: bytes, scheme: str) -> bytes:
            scope = http_scope(headers={**CHROME, "cookie": cookie.decode()}, scheme=scheme)
            sent = asyncio.run(drive(news.guarded, scope))
            told: dict[bytes, bytes] = dict(sent[0]["headers"])
            return told.get(b"set-cookie", b"").partition(b";")[0]

        tossed = handed(b"a=b", "http")
        assert handed(tossed, "http") == b"", "known there"
        assert handed(tossed, "https").startswith(b"__Host-contentguard=")
        assert handed(tossed, "http") == b"", "and still so"

    def test_who_brings_it_back_gets_no_other(self, news: Site) -> None:
        cookie = news.ask().cookie
        assert news.ask(cookie=f"a=b; {cookie}; c=d").cookie == ""
        assert news.session is not None
        assert (news.session.views, news.session.returned) == (2, True)

    def test_a_cookie_header_for_each_cookie(self, news: Site) -> None:
        cookie = news.ask().cookie
        scope = http_scope(headers=CHROME, http_version="2")
        scope["headers"] += [(b"cookie", b"a=b"), (b"cookie", cookie.encode())]
        assert b"set-cookie" not in dict(asyncio.run(drive(news.guarded, scope))[0]["headers"])

    def test_it_ends_with_the_visit(self, news: Site) -> None:
        cookie = news.ask().cookie
        news.now += 25 * 3600.0
        assert news.ask(cookie=cookie).cookie != ""

    @pytest.mark.parametrize("value", ["A" * LENGTH, "A", "", "é" * LENGTH, "../" * 20])
    def test_a_forged_one_is_none(self, news: Site, value: str) -> None:
        assert news.ask(cookie=f"__Host-contentguard={value}").cookie != ""

    def test_another_site_s_is_none(self, news: Site) -> None:
        other = Site({"secret_key": "another-secret-key-altogether"})
        assert news.ask(cookie=other.ask().cookie).cookie != ""

    def test_after_a_change_of_keys_an_old_one_still_counts(self) -> None:
        before, after = (
            Site({"secret_key": "the-first-secret-key"}),
            Site({"secret_key": ["the-second-secret-key", "the-first-secret-key"]}),
        )
        assert after.ask(cookie=before.ask().cookie).cookie == ""

    def test_another_kind_of_browser_may_not_use_it(self, news: Site) -> None:
        cookie = news.ask().cookie
        assert news.ask(cookie=cookie, user_agent=FIREFOX).cookie != ""
        assert news.ask(cookie=cookie, user_agent=CHROME["user-agent"].replace("148", "149")).cookie == ""

    def test_readers_move_and_keep_it(self, news: Site) -> None:
        cookie = news.ask().cookie
        assert news.ask(cookie=cookie, address="2001:db8::7").cookie == ""
        assert news.session is not None
        assert news.session.views == 2

    @pytest.mark.parametrize("headers", [GPTBOT, CURL], ids=["GPTBot", "curl"])
    def test_robots_get_none(self, news: Site, headers: Mapping[str, str]) -> None:
        answer = news.ask(headers=headers)
        assert (answer.status, answer.cookie) == (403, "")

    def test_what_is_no_article_hands_none_out(self, news: Site) -> None:
        assert news.ask("/a.css").cookie == ""
        assert news.ask(SHEET).cookie == ""

    @pytest.mark.parametrize("options", [{"visits": {"cookie": False}}, {"visits": {"remember": False}}])
    def test_a_site_may_do_without(self, options: Mapping[str, Any]) -> None:
        news = Site(options)
        for _ in range(3):
            assert news.ask().cookie == ""
        assert "cookie-lost" not in news.signals()

    def test_a_page_that_is_everybody_s_hands_none_out(self) -> None:
        """It may be kept by a shared cache, and the cookie with it."""
        off = {"report": False, "honeylinks": False}
        assert Site({"visible": {"print": False}, "probes": off}).ask().cookie == ""

    def test_header_and_cookie_bombs(self, news: Site) -> None:
        bomb = "; ".join(f"__Host-contentguard={'A' * LENGTH}" for _ in range(200))
        assert news.ask(cookie=bomb).status == 200


class TestParts:
    def test_a_reader_who_fetches_them_leaves_no_mark(self, news: Site) -> None:
        cookie = news.ask().cookie
        for number in range(1, 9):
            answer = news.ask(SHEET, cookie=cookie, sec_fetch_dest="style", sec_fetch_site="same-origin")
            cookie = answer.cookie or cookie
            news.ask(f"/news/{number}", cookie=cookie, referer="https://news.example/", sec_fetch_site="same-origin")
            assert news.signals() == {"parts-fetched"}
            assert news.score < 0

    def test_a_program_in_a_browser_s_clothes_shows_at_its_second_article(self, news: Site) -> None:
        news.ask("/news/1")
        assert news.score == 0, "its headers are perfect"
        news.ask("/news/2")
        assert {"parts-missing", "cookie-lost", "none-again"} <= news.signals()
        assert news.score >= 3.0
        assert "lead-only" in news.fell[-1][1].shadow

    def test_with_a_cookie_jar_too(self, news: Site) -> None:
        cookie = news.ask("/news/1").cookie
        news.ask("/news/2", cookie=cookie)
        assert {"parts-missing", "none-again"} <= news.signals()
        assert news.score >= 3.0

    @pytest.mark.parametrize("path", ["/news/1", "/news/caf%C3%A9"])
    def test_who_goes_on_by_a_link_of_a_page_that_it_was_never_shown(self, news: Site, path: str) -> None:
        """Headers copied whole and adapted: a cookie, a Referer, and Sec-Fetch-Site to match."""
        cookie = news.ask(path).cookie
        link = {"referer": f"https://news.example{path}?utm=1", "sec-fetch-site": "same-origin"}
        news.ask("/news/2", cookie=cookie, extra=link)
        assert news.signals() == {"parts-missing", "went-on-unshown"}
        assert news.score >= 3.0

    @pytest.mark.parametrize(
        ("referer", "came"),
        [
            ("https://news.example/", "same-origin"),
            ("https://news.example/news/3", "same-origin"),
            ("https://news.example/news/2", "same-origin"),
            ("https://other.example/news/1", "cross-site"),
            ("https://[news/1", "same-origin"),
            ("https://news.example/news/1\xe9", "same-origin"),
            ("/" * 5000, "same-origin"),
        ],
    )
    def test_who_opens_two_at_once_on_a_slow_line_may_come_from_a_page_that_shows(
        self, news: Site, referer: str, came: str
    ) -> None:
        cookie = news.ask("/news/1").cookie
        news.ask("/news/2", cookie=cookie, extra={"referer": referer, "sec-fetch-site": came})
        assert news.signals() == {"parts-missing"}

    def test_chromium_without_scripts_sends_no_hints_with_a_page_s_parts(self, news: Site) -> None:
        """Captured in November 2026. Its reader may block cookies, too."""
        hints = {"sec-ch-ua": '"Not:A-Brand";v="8", "Chromium";v="156"', "sec-ch-ua-platform": '"Linux"'}
        for number in range(3):
            news.ask(f"/news/{number}", extra=hints)
            news.ask(SHEET, sec_fetch_dest="style", sec_fetch_site="same-origin")
        assert "parts-fetched" in news.signals()

    def test_the_first_pages_parts_count_for_who_drops_cookies_too(self, news: Site) -> None:
        """A reader who blocks cookies fetches the sheet without one."""
        news.ask("/news/1")
        news.ask(SHEET, sec_fetch_dest="style")
        news.ask("/news/2")
        assert news.signals() == {"parts-fetched"}

    def test_the_sheet_is_asked_for_each_time_and_mostly_unchanged(self, news: Site) -> None:
        first = news.ask(SHEET, PLAIN)
        assert first.get("cache-control") == "private, no-cache"
        assert first.text.encode() == PRINT.body
        again = news.ask(SHEET, PLAIN, if_none_match=first.get("etag"))
        assert (again.status, again.text, again.get("etag")) == (304, "", first.get("etag"))
        assert again.get("content-length") == ""
        assert news.ask(SHEET, method="HEAD").status == 200

    def test_the_other_files_may_be_kept(self, news: Site) -> None:
        for asset in (SCRIPT, REPORT):
            assert "immutable" in news.ask(f"/.contentguard/{asset.file}").get("cache-control")

    def test_the_app_s_own_parts_count(self, news: Site) -> None:
        cookie = news.ask("/news/1").cookie
        news.ask("/a.css", cookie=cookie)
        news.ask("/news/2", cookie=cookie)
        assert news.signals() == {"parts-fetched"}

    def test_two_processes_know_it_by_the_cookie(self) -> None:
        one, other = Site(), Site()
        cookie = one.ask("/news/1").cookie
        other.now = one.now
        renewed = other.ask(SHEET, cookie=cookie).cookie
        assert renewed not in ("", cookie)
        assert other.ask(SHEET, cookie=renewed).cookie == "", "once in five minutes is enough"
        for number in range(2, 6):
            one.ask(f"/news/{number}", cookie=renewed)
            assert one.session is not None
            assert one.session.dry == 0
        assert one.score <= 0

    def test_a_page_whose_policy_forbids_the_sheet_is_not_missed_it(self) -> None:
        async def strict(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-type", b"text/html"), (b"content-security-policy", b"style-src 'none'")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": ARTICLE.encode()})

        news = Site(app=strict)
        for number in range(4):
            news.ask(f"/news/{number}")
        assert "parts-missing" not in news.signals()
        assert news.session is not None
        assert news.session.dry == 0

    @pytest.mark.parametrize(
        "more",
        [
            {"sec-purpose": "prefetch", **FROM_HERE},
            {"sec-purpose": "prefetch", "sec-fetch-site": "cross-site"},
            {"sec-fetch-dest": "image"},
            {"sec-fetch-dest": "empty", **FROM_HERE},
            {"sec-fetch-dest": "empty", "sec-fetch-site": "cross-site"},
            {},
        ],
        ids=["prefetch", "prefetch from elsewhere", "image", "fetch", "fetch from elsewhere", "HEAD"],
    )
    def test_what_is_no_reading_does_not_count(self, news: Site, more: Mapping[str, str]) -> None:
        """Nor can another page make its visitors look like readers of many articles."""
        for number in range(5):
            news.ask(f"/news/{number}", method="GET" if more else "HEAD", extra=more)
        news.ask("/news/tide")
        assert news.session is not None
        assert news.session.views == 1

    @pytest.mark.parametrize("more", FROM_NOWHERE, ids=lambda more: " ".join(more.values()))
    def test_who_shows_nothing_reads_what_it_says_to_take_ahead(self, news: Site, more: Mapping[str, str]) -> None:
        cookie = ""
        for number in range(3):
            cookie = news.ask(f"/news/{number}", cookie=cookie, extra=more).cookie or cookie
        assert news.session is not None
        assert news.session.views == 3
        assert "parts-missing" in news.signals()
        assert news.score >= 3.0

    @pytest.mark.parametrize("more", FROM_NOWHERE, ids=lambda more: " ".join(more.values()))
    @pytest.mark.parametrize("later", [0.0, 600.0])
    def test_a_browser_that_shows_pages_may_take_some_ahead(
        self, news: Site, more: Mapping[str, str], later: float
    ) -> None:
        cookie = news.ask("/news/tide").cookie
        cookie = news.ask(SHEET, cookie=cookie, sec_fetch_dest="style", sec_fetch_site="same-origin").cookie or cookie
        news.now += later
        for number in range(3):
            news.ask(f"/news/{number}", cookie=cookie, extra=more)
        assert news.session is not None
        assert news.session.views == 1
        assert news.signals().isdisjoint({"parts-missing", "parts-never", "none-again", "bare-again"})

    def test_a_page_of_ours_that_no_referer_bears_out_is_nowhere(self, news: Site) -> None:
        cookie = ""
        for number in range(2):
            cookie = news.ask(f"/news/{number}", cookie=cookie, sec_fetch_site="same-origin").cookie or cookie
        assert {"parts-missing", "bare-again"} <= news.signals()

    def test_no_reader_is_refused_for_all_of_it_together(self, news: Site) -> None:
        """Parts blocked, cookies blocked, headers stripped, a restored window: still no more than a proof's worth."""
        bare = {name: value for name, value in CHROME.items() if not name.startswith(("sec-", "accept-"))}
        for number in range(30):
            assert news.ask(f"/news/{number}", {**bare, "via": "1.1 proxy"}).status == 200
        assert news.fell[-1][1].action is Action.ALLOW
        assert news.score <= 4.9


class TestHoneylinks:
    @staticmethod
    def link(answer: Answer) -> str:
        found = re.search(r'href="(/\.contentguard/more/[\w-]{22})"', answer.text)
        assert found is not None
        return found[1]

    def followed(self, news: Site, site: str) -> set[str]:
        link = self.link(news.ask("/news/1", PLAIN))
        answer = news.ask(link, PLAIN, sec_fetch_site=site)
        assert (answer.status, answer.get("cache-control")) == (404, "no-store")
        news.ask("/news/2", PLAIN)
        return news.signals()

    def test_who_follows_its_own_is_noticed(self, news: Site) -> None:
        assert "honeylink" in self.followed(news, "same-origin")
        assert news.guard.counts["honeylink"] == 1

    @pytest.mark.parametrize(
        "more",
        [
            {"sec-fetch-dest": "image"},
            {"sec-fetch-site": "cross-site"},
            {"sec-purpose": "prefetch;prerender"},
            {},
        ],
        ids=["picture", "another site", "prefetch", "another address"],
    )
    def test_nobody_can_make_somebody_else_look_guilty(self, news: Site, more: Mapping[str, str]) -> None:
        link = self.link(news.ask("/news/1", PLAIN))
        assert news.ask(link, PLAIN, address="192.0.2.7" if more else "198.51.100.9", extra=more).status == 404
        assert news.ask(link, PLAIN, method="POST").status == 405
        news.ask("/news/2", PLAIN)
        assert not {"honeylink", "honeylinks"} & news.signals()

    def test_a_made_up_one_counts_for_nothing(self, news: Site) -> None:
        for token in ("", "A" * 22, "x", "../" * 5):
            news.ask(f"/.contentguard/more/{token}", PLAIN)
        news.ask("/news/2", PLAIN)
        assert "honeylink" not in news.signals()
        assert news.guard.counts["honeylink-foreign"] == 4

    def test_every_reader_has_another(self, news: Site) -> None:
        assert len({self.link(news.ask(headers=PLAIN, address=f"192.0.2.{n}")) for n in range(1, 9)}) == 8


class TestReport:
    @staticmethod
    def token(answer: Answer) -> str:
        found = re.search(r'data-cg-report="/\.contentguard/report ([\w-]{19})"', answer.text)
        assert found is not None
        return found[1]

    def reported(self, news: Site, flags: int, address: str = "192.0.2.7") -> set[str]:
        first = news.ask("/news/1", PLAIN)
        body = f"{self.token(first)}.{flags}".encode()
        answer = news.ask("/.contentguard/report", PLAIN, first.cookie, "POST", body, address)
        assert (answer.status, answer.text) == (204, "")
        news.ask("/news/2", PLAIN, first.cookie)
        return news.signals()

    def test_a_driven_browser_is_noticed(self, news: Site) -> None:
        assert "webdriver" in self.reported(news, 3)
        assert news.guard.counts["report"] == 1

    def test_a_clean_one_is_worth_next_to_nothing(self, news: Site) -> None:
        assert "report-clean" in self.reported(news, 1)

    def test_nobody_reports_for_somebody_else(self, news: Site) -> None:
        assert not {"webdriver", "report-clean"} & self.reported(news, 3, address="198.51.100.9")

    @pytest.mark.parametrize("body", [b"", b"x" * 10_000, b"\xff" * 30, b"A" * 19 + b".3", b"A" * 19 + b".-1"])
    def test_any_other_body_is_thanked_for_and_forgotten(self, news: Site, body: bytes) -> None:
        assert news.ask("/.contentguard/report", PLAIN, "", "POST", body).status == 204
        assert news.guard.counts["report-foreign"] == 1
        assert news.ask("/.contentguard/report", PLAIN).status == 405

    def test_a_client_that_goes_away_is_answered_nothing(self, news: Site) -> None:
        async def gone() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(news.guarded(http_scope("/.contentguard/report", CHROME, method="POST"), gone, send))
        assert sent == []


class TestCourse:
    def test_who_walks_down_the_sitemap_is_noticed(self, news: Site) -> None:
        news.ask("/sitemap.xml")
        for number in range(7):
            news.ask(f"/news/{number}")
        assert "site-order" in news.signals()

    def test_without_having_seen_a_sitemap_nobody_walks_down_it(self, news: Site) -> None:
        for number in range(7):
            news.ask(f"/news/{number}")
        assert "site-order" not in news.signals()

    def test_the_sitemap_passes_byte_for_byte(self, news: Site) -> None:
        assert news.ask("/sitemap.xml", PLAIN).text == f"<urlset>{SITEMAP}</urlset>"


class TestNetwork:
    NAMED: ClassVar[Mapping[str, Any]] = {"network": {"asn": "x-asn", "ja4": "x-ja4"}}

    def test_what_a_trusted_proxy_says_counts(self) -> None:
        news = Site({**self.NAMED, "proxies": {"trusted": ["192.0.2.0/24"]}})
        news.ask(x_asn="AS16509", x_forwarded_for="203.0.113.9")
        assert "hosting" in news.signals()

    def test_anubis_1919_what_anybody_else_says_does_not(self) -> None:
        """Internal headers of a client that no proxy of ours has vouched for."""
        for options in (self.NAMED, {**self.NAMED, "proxies": {"trusted": ["10.0.0.0/8"]}}):
            news = Site(options)
            news.ask(x_asn="AS16509")
            assert "hosting" not in news.signals()
            assert news.fell[-1][0].network is None

    def test_a_bad_neighbourhood_is_a_hint_about_strangers_only(self, news: Site) -> None:
        news.pace = 0.5
        reader = news.ask("/news/0", address="198.51.100.200").cookie
        for number in range(20):
            for _ in range(3):
                news.ask("/news/1", address=f"198.51.100.{number}")
        news.ask("/news/2", address="198.51.100.99")
        assert "bad-neighbours" in news.signals()
        news.ask("/news/2", address="198.51.101.99")
        assert "bad-neighbours" not in news.signals()
        news.ask("/news/2", address="198.51.100.200", cookie=reader)
        assert "bad-neighbours" not in news.signals()


class Alarmed:
    """Aggregates that see an attack."""

    alarms = True

    def read(self, cluster: int, now: float) -> Cluster:
        return Cluster(views=1000, prefixes=900, follow_z=9.0, alarm=True)

    def view(self, cluster: int, prefix: str, page: str, now: float) -> None: ...

    def follow(self, cluster: int, prefix: str, viewed: float, now: float) -> None: ...


def test_an_alarmed_cluster_is_a_signal_for_its_members(news: Site) -> None:
    news.guard.visits.aggregates = Alarmed()
    news.ask()
    assert "cluster-alarm" in news.signals()
    assert news.fell[-1][1].action is Action.ALLOW


def test_views_and_sheets_reach_the_aggregates(news: Site) -> None:
    seen: list[str] = []

    class Recording(Alarmed):
        alarms = False

        def view(self, cluster: int, prefix: str, page: str, now: float) -> None:
            seen.append(f"view {prefix} {page}")

        def follow(self, cluster: int, prefix: str, viewed: float, now: float) -> None:
            seen.append(f"follow {prefix} {now - viewed:.0f}")

    news.guard.visits.aggregates = Recording()
    cookie = news.ask("/news/1").cookie
    news.ask(SHEET, cookie=cookie)
    assert [one.split()[:2] for one in seen] == [["view", "192.0.2"], ["follow", "192.0.2"]]
    assert 0 < float(seen[1].split()[-1]) <= 120


def test_facts_with_a_session_are_judged_again_alike(news: Site) -> None:
    for number in range(3):
        news.ask(f"/news/{number}")
    facts, verdict = news.fell[-1]
    again = Facts.from_dict(facts.as_dict())
    assert again == facts
    assert news.guard.judged(again)[1].score == verdict.score


@pytest.fixture(params=["sessions", "aggregates", "neighbours"])
def broken(request: pytest.FixtureRequest) -> Site:
    news = Site()
    setattr(news.guard.visits, request.param, None)
    return news


def test_a_fault_in_the_noticing_costs_no_reader_a_page(broken: Site) -> None:
    for path in ("/news/1", SHEET, "/a.css", "/.contentguard/more/x", "/sitemap.xml"):
        assert broken.ask(path, PLAIN).status in (200, 404)
    assert broken.ask("/.contentguard/report", PLAIN, "", "POST", b"x").status == 204


def test_a_flood_of_clients_takes_no_memory(news: Site) -> None:
    visits = news.guard.visits
    before = visits.sessions.bytes_used, visits.aggregates.bytes_used, visits.neighbours.bytes_used
    for number in range(300):
        news.ask(address=f"203.0.{number // 250}.{number % 250}", accept_language=f"en-{number}")
    assert (visits.sessions.bytes_used, visits.aggregates.bytes_used, visits.neighbours.bytes_used) == before
