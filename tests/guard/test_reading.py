"""Progressive reading, as HTTP: who gets what, by which way, and what nobody gets past."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from contentguard import ContentGuardMiddleware
from contentguard.admission.proof import solve
from contentguard.assets import PRINT, REST
from tests.client import CHROME as PLAIN
from tests.client import CURL, FACEBOOK, settings
from tests.guard.test_visits import Answer, Site, site

HOSTILE = ["//evil.example/a", "/\\evil.example", "/a?next=//evil.example", "/a\tb", "/%0d%0aSet-Cookie:a", "/é"]
GOOGLEBOT = {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
LYNX = {
    "accept": "text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01",
    "accept-language": "en",
    "user-agent": "Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.7.8",
}
UNTILS = {"99999999999": "86400", "1": "2", "-5": "2", "": "2", "x": "2", "9" * 40: "2", "٣": "2"}
"""What may stand in the address of the page for a moment, and the seconds that it then says."""
PROGRESSIVE: Mapping[str, Any] = {"reading": {"mode": "progressive"}}
SHEET = f"/.contentguard/{PRINT.file}"
WORDS = ("harbour", "tide", "council", "water", "morning", "ledger", "clerk", "lamp", "quay", "rope", "ferry", "salt")
PARAGRAPHS = [
    f"<p>tide{n} {' '.join(f'{WORDS[(n * 7 + k * k) % 12]}{n}' for k in range(40))}.</p>\n" for n in range(30)
]
LONG = (
    "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<title>Tide &amp; time</title>\n</head>\n<body>\n"
    f"<main><article class=story>\n<h1>Tide &amp; time</h1>\n{''.join(PARAGRAPHS)}</article></main>\n</body>\n</html>\n"
)


async def articles(scope: Any, receive: Any, send: Any) -> None:
    """A long article at every path."""
    path = scope["path"].encode()
    body = LONG.encode().replace(b"Tide &amp; time", b"Tide " + path)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": body})


async def by_query(scope: Any, receive: Any, send: Any) -> None:
    """A long article for each id in the query."""
    wanted = scope["query_string"].partition(b"&")[0]
    body = LONG.encode().replace(b"Tide &amp; time", b"Tide " + wanted)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": body})


def news(**options: Any) -> Site:
    return Site({**PROGRESSIVE, **options}, app=articles)


@pytest.fixture
def reading() -> Site:
    return news()


def link(answer: Answer) -> str:
    found = re.search(
        r'<a[^<>]* class="cg-continue" rel="nofollow" href="(/\.contentguard/wait/[\w-]+)(\?until=\d+)?">', answer.text
    )
    assert found is not None, answer.text[-600:]
    return found[1]


def shown(answer: Answer) -> str:
    """Where the link of a lead leads, as it stands in the page."""
    return str(re.findall(r'class="cg-continue" rel="nofollow" href="([^"]+)"', answer.text)[0])


def is_lead(answer: Answer) -> bool:
    return answer.status == 200 and "cg-continue" in answer.text and "tide29" not in answer.text


def is_whole(answer: Answer) -> bool:
    return answer.status == 200 and "tide29" in answer.text and "cg-continue" not in answer.text


def proved(news: Site, answer: Answer, cookie: str = "", **more: Any) -> Answer:
    """What a browser's script does with a lead."""
    ticket = link(answer).rpartition("/")[2].encode()
    asked = news.guard.admissions.read(ticket)
    body = ticket + b" " + solve(ticket, asked.difficulty).encode()
    return news.ask("/.contentguard/rest", {**PLAIN, "accept": "*/*"}, cookie, "POST", body, **more)


def waited(news: Site, answer: Answer, cookie: str = "", headers: Mapping[str, str] = PLAIN) -> Answer:
    """What a browser without scripts does with a lead."""
    page = news.ask(link(answer), headers, cookie)
    assert page.status == 503
    found = re.search(r'<a class="on" href="(/\.contentguard/enter/[\w-]+)">', page.text)
    assert found is not None
    return news.ask(found[1], headers, cookie)


class TestReaders:
    def test_the_lead_is_there_at_once_and_the_rest_in_no_form(self, reading: Site) -> None:
        answer = reading.ask("/news/tide", PLAIN)
        assert is_lead(answer)
        assert "<p>tide0 " in answer.text
        assert REST.file in answer.text
        assert "no-store" not in answer.get("cache-control")
        assert "private" in answer.get("cache-control")
        assert answer.get("etag") == ""

    def test_a_proof_brings_the_rest_and_from_then_on_pages_come_whole(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        rest = proved(reading, first, first.cookie)
        assert (rest.status, rest.get("content-type")) == (200, "text/html")
        assert "tide29" in rest.text
        assert "<p>tide0 " not in rest.text
        assert rest.text.startswith('<div class="cg-rest" data-cg-rest>')
        assert "no-store" in rest.get("cache-control")
        assert is_whole(reading.ask("/news/other", PLAIN, rest.cookie))

    def test_lead_and_rest_are_the_article(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        rest = proved(reading, first, first.cookie)
        whole = reading.ask("/news/tide", PLAIN, rest.cookie)
        paragraphs = re.findall(r"<p>[^<]+</p>", first.text) + re.findall(r"<p>[^<]+</p>", rest.text)
        assert paragraphs == re.findall(r"<p>[^<]+</p>", whole.text)

    @pytest.mark.parametrize("headers", [PLAIN, LYNX], ids=["Chrome without scripts", "lynx"])
    def test_without_scripts_a_link_and_two_seconds(self, reading: Site, headers: Mapping[str, str]) -> None:
        first = reading.ask("/news/tide?a=1", headers)
        assert is_lead(first)
        page = reading.ask(link(first), headers, first.cookie)
        assert re.search(r'<meta http-equiv="refresh" content="2; url=/\.contentguard/enter/[\w-]+">', page.text)
        entered = waited(reading, first, first.cookie, headers)
        assert (entered.status, entered.get("location")) == (303, "/news/tide?a=1")
        assert is_whole(reading.ask("/news/tide?a=1", headers, entered.cookie))
        assert is_whole(reading.ask("/news/other", headers, entered.cookie))

    def test_who_does_not_wait_waits_on(self, reading: Site) -> None:
        reading.pace = 0.1
        first = reading.ask("/news/tide", PLAIN)
        again = waited(reading, first, first.cookie)
        assert again.status == 503
        assert "/.contentguard/enter/" in again.text
        assert again.cookie == ""
        reading.pace = 15.0
        assert reading.ask(re.findall(r"url=([^\"]+)", again.text)[0], PLAIN, first.cookie).status == 303

    def test_without_cookies_one_article_is_opened_once(self, reading: Site) -> None:
        first = reading.ask("/news/tide?a=1", PLAIN)
        entered = waited(reading, first)
        onward = entered.get("location")
        assert re.fullmatch(r"/news/tide\?a=1&cg=[\w-]+", onward)
        path, query = onward.split("?")
        assert is_whole(asked(reading, path, query))
        assert is_lead(asked(reading, path, query)), "once"
        assert is_lead(asked(reading, "/news/other", query))

    def test_two_tabs_and_ten(self, reading: Site) -> None:
        tabs = [reading.ask(f"/news/{n}", PLAIN) for n in range(4)]
        answers = [proved(reading, tab, tab.cookie) for tab in tabs]
        assert [answer.status for answer in answers] == [200] * 4
        assert all(is_whole(reading.ask("/news/0", PLAIN, answer.cookie)) for answer in answers)

    def test_a_moved_reader_keeps_reading(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        rest = proved(reading, first, first.cookie)
        assert is_whole(reading.ask("/news/other", PLAIN, rest.cookie, address="2001:db8::7"))

    def test_a_matured_pass_reads_on_where_a_young_one_waits(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        cookie = proved(reading, first, first.cookie).cookie
        young = [reading.ask(f"/news/{n}", PLAIN, cookie) for n in range(6)]
        assert [is_whole(one) for one in young] == [True] * 4 + [False] * 2
        assert is_lead(young[-1]), "never a refusal"
        cookie = reading.ask(SHEET, PLAIN, cookie).cookie
        reading.now += 400
        assert all(is_whole(reading.ask(f"/news/{n}", PLAIN, cookie)) for n in range(12))

    @pytest.mark.parametrize("options", [{}, {"origin": "https://news.example"}], ids=["", "with an origin"])
    def test_articles_that_only_a_query_tells_apart_count_each(self, options: Mapping[str, Any]) -> None:
        """Their path says nothing of which one it is, and they name no canonical URL."""
        site = Site({**PROGRESSIVE, **options}, app=by_query)
        first = site.ask("/article?id=0", PLAIN)
        rest = proved(site, first, first.cookie)
        assert (rest.status, "tide29" in rest.text) == (200, True)
        pages = [site.ask(f"/article?id={n}", PLAIN, rest.cookie) for n in range(12)]
        assert [is_whole(page) for page in pages] == [True] * 5 + [False] * 7
        followed = [site.ask(f"/article?id=0&fbclid={n}", PLAIN, rest.cookie) for n in range(12)]
        assert all(map(is_whole, followed)), "what follows a reader about makes no other article of it"

    @pytest.mark.parametrize("scripts", [True, False])
    def test_a_brisk_reader_is_past_the_young_meter_as_soon_as_a_slow_one(self, reading: Site, scripts: bool) -> None:
        """Each lead beyond it asks for a proof or for patience, neither of which makes the pass young again."""
        first = reading.ask("/news/tide", PLAIN)
        cookie = (proved if scripts else waited)(reading, first, first.cookie).cookie
        reading.pace, whole = 2.0, []
        for n in range(12 if scripts else 30):
            page = reading.ask(f"/news/{n}", PLAIN, cookie)
            cookie = reading.ask(SHEET, PLAIN, cookie).cookie or cookie
            whole.append(is_whole(page))
            if not whole[-1]:
                cookie = (proved if scripts else waited)(reading, page, cookie).cookie or cookie
        assert not all(whole)
        assert all(whole[-3:])

    def test_who_is_over_the_meter_does_not_lose_it(self, reading: Site) -> None:
        """A page's script asks for the rest of each lead, also where there is none to be had yet."""
        first = reading.ask("/news/tide", PLAIN)
        cookie = reading.ask(SHEET, PLAIN, proved(reading, first, first.cookie).cookie).cookie
        reading.now += 3600
        reading.pace, start = 1.0, reading.now
        pages = [reading.ask(f"/news/{n}", PLAIN, cookie) for n in range(31)]
        assert [is_whole(page) for page in pages] == [True] * 30 + [False]
        reading.now, reading.pace = start + 3590, 0.0
        over = proved(reading, reading.ask("/news/more", PLAIN, cookie), cookie)
        assert over.status == 429
        reading.now += 60
        again = [reading.ask(f"/news/x{n}", PLAIN, over.cookie) for n in range(8)]
        assert all(map(is_whole, again)), "and not what somebody new may read"

    @pytest.mark.parametrize("scripts", [True, False])
    def test_who_is_over_the_meter_is_told_how_long_and_not_sent_in_a_circle(self, scripts: bool) -> None:
        site = news(meter={"matures_after": 900.0, "matures_without_script": 900.0})
        first = site.ask("/news/tide", PLAIN)
        cookie = (proved if scripts else waited)(site, first, first.cookie).cookie
        site.pace = 0.1
        pages = [site.ask(f"/news/{n}", PLAIN, cookie) for n in range(6)]
        assert is_lead(pages[-1])
        there = shown(pages[-1])
        said = site.ask(there, PLAIN, cookie)
        assert "can be read in 60 minutes. It is enough to keep this page" in said.text
        assert int(said.get("retry-after")) > 3500
        assert said.get("refresh") == ""
        assert "http-equiv" not in said.text
        assert "can be read in 60 minutes" in site.ask(link(pages[-1]), PLAIN, cookie).text, "as far as is remembered"
        site.now += 3500
        assert site.ask(there, PLAIN, cookie).get("refresh").startswith("9")
        site.now += 100
        onward = re.findall(r'class="on" href="([^"]+)"', said.text)[0]
        entered = site.ask(onward, PLAIN, cookie)
        assert (entered.status, entered.get("location")) == (303, "/news/5")
        assert is_whole(site.ask("/news/5", PLAIN, cookie))

    def test_no_longer_than_it_takes_to_come_of_age(self, reading: Site) -> None:
        reading.pace = 0.1
        first = reading.ask("/news/tide", PLAIN)
        cookie = proved(reading, first, first.cookie).cookie
        cookie = reading.ask(SHEET, PLAIN, cookie).cookie
        pages = [reading.ask(f"/news/{n}", PLAIN, cookie) for n in range(6)]
        said = reading.ask(shown(pages[-1]), PLAIN, cookie)
        assert re.search(r"in 1[01]\d seconds", said.text)
        wait = int(said.get("refresh").partition(";")[0])
        assert wait < 120
        reading.now += wait
        assert is_whole(reading.ask("/news/5", PLAIN, cookie))

    def test_a_page_says_no_more_than_a_day_whatever_its_address_does(self, reading: Site) -> None:
        there = link(reading.ask("/news/tide", PLAIN))
        told = {until: reading.ask(f"{there}?until={until}", PLAIN).get("retry-after") for until in UNTILS}
        assert told == UNTILS

    def test_who_has_no_cookie_and_comes_into_a_crush_is_told_so_too(self) -> None:
        """Who was let in once and finds the archive's ceiling reached has done all there is to be done."""
        site = news(governor={"cold_articles_per_hour": 1, "cold_articles_per_hour_most": 1})
        site.pace, told = 0.1, list[str]()
        for n in range(40):
            first = site.ask(f"/news/{n}", PLAIN, address=f"192.0.{n}.7")
            page = site.ask(link(first), PLAIN, address=f"192.0.{n}.7")
            site.now += 2
            onward = re.findall(r'class="on" href="([^"]+)"', page.text)[0]
            entered = site.ask(onward, PLAIN, address=f"192.0.{n}.7")
            if entered.status != 303:
                continue
            answer = site.ask(entered.get("location"), PLAIN, address=f"192.0.{n}.7")
            told += [] if is_whole(answer) else [shown(answer)]
        assert told
        assert all("?until=" in there for there in told)

    @pytest.mark.parametrize("late", [True, False], ids=["late", "spent"])
    @pytest.mark.parametrize("known", [True, False], ids=["with a pass", "without"])
    def test_who_comes_with_an_old_page_gets_another_ticket(self, reading: Site, late: bool, known: bool) -> None:
        """A service worker of the site's may answer with the same page for ever. The ticket comes as a lead has it, so
        the script goes on and the page need not be fetched again; one itself is good once, whoever comes with it."""
        first = reading.ask("/news/tide", PLAIN)
        cookie = proved(reading, first, first.cookie).cookie if known or not late else ""
        cookie = cookie if known else ""
        reading.now += 2000 if late else 1
        again = proved(reading, first, cookie)
        assert (again.status, again.cookie) == (403, "")
        assert "tide" not in again.text
        assert reading.guard.admissions.read(link(again).rpartition("/")[2].encode()).path == "/news/tide"
        rest = proved(reading, again, cookie)
        assert (rest.status, "tide29" in rest.text) == (200, True)

    def test_and_no_more_of_it_than_the_meter_allows(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        cookie = proved(reading, reading.ask("/news/0", PLAIN, first.cookie), first.cookie).cookie
        pages = [reading.ask(f"/news/{n}", PLAIN, cookie) for n in range(6)]
        assert is_lead(pages[-1])
        reading.now += 1800
        over = proved(reading, proved(reading, pages[-1], cookie), cookie)
        assert (over.status, over.text) == (429, "")

    def test_but_not_for_a_wrong_answer(self, reading: Site) -> None:
        ticket = link(reading.ask("/news/tide", PLAIN)).rpartition("/")[2].encode()
        answer = reading.ask("/.contentguard/rest", PLAIN, "", "POST", ticket + b" 1.1")
        assert (answer.status, answer.text) == (403, "")

    @pytest.mark.parametrize("said", ["prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip"])
    def test_what_is_fetched_ahead_is_not_counted_and_not_given(self, reading: Site, said: str) -> None:
        """Browsers and sites fetch whatever a reader might follow: it would use up the meter before he reads."""
        first = reading.ask("/news/tide", PLAIN, sec_purpose=said)
        assert is_lead(first), "which costs nothing"
        cookie = proved(reading, first, first.cookie).cookie
        ahead = [reading.ask(f"/news/{n}", PLAIN, cookie, sec_purpose=said) for n in range(9)]
        assert {(answer.status, answer.get("cache-control")) for answer in ahead} == {(503, "no-store")}
        assert not any("tide" in answer.text for answer in ahead)
        assert [is_whole(reading.ask(f"/news/{n}", PLAIN, cookie)) for n in range(5)] == [True] * 4 + [False]

    def test_what_is_fetched_ahead_where_nothing_is_counted(self) -> None:
        site = Site({"reading": {"mode": "off"}}, app=articles)
        assert is_whole(site.ask("/news/tide", PLAIN, sec_purpose="prefetch"))

    def test_what_is_fetched_ahead_is_no_article(self, reading: Site) -> None:
        plain = Site(PROGRESSIVE, app=site)
        assert plain.ask("/a.css", PLAIN, sec_purpose="prefetch").status == 200

    def test_nor_does_a_stream_begin_that_would_be_counted(self) -> None:
        async def streamed(scope: Any, receive: Any, send: Any) -> None:
            body = LONG.encode()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": body[:9000], "more_body": True})
            await send({"type": "http.response.body", "body": body[9000:]})

        paper = Site(PROGRESSIVE, app=streamed)
        first = paper.ask("/news/tide", PLAIN)
        cookie = paper.ask(SHEET, PLAIN, proved(paper, first, first.cookie).cookie).cookie
        paper.now += 400
        assert is_whole(paper.ask("/news/other", PLAIN, cookie))
        assert paper.ask("/news/more", PLAIN, cookie, sec_purpose="prefetch").status == 503

    def test_the_page_for_a_moment_may_be_framed_where_articles_may(self, reading: Site) -> None:
        framed = news(framing={"ancestors": ["https://partner.example"]})
        for paper, ancestors in ((reading, 0), (framed, 1)):
            page = paper.ask(link(paper.ask("/news/tide", PLAIN)), PLAIN)
            said = [value for name, value in page.headers if name == "content-security-policy"]
            assert sum("frame-ancestors https://partner.example" in value for value in said) == ancestors
            assert sum("frame-ancestors" in value for value in said) == ancestors

    def test_a_rest_that_has_to_come_with_its_page_is_asked_for_with_it(self) -> None:
        """A script that writes into the page would wipe it out if it came later."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            body = LONG.encode().replace(b"<p>tide20 ", b"<script>document.write('tide')</script><p>tide20 ")
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": body})

        site = Site(PROGRESSIVE, app=app)
        first = site.ask("/news/tide", PLAIN)
        assert is_lead(first)
        answer = proved(site, first, first.cookie)
        assert (answer.status, answer.text) == (204, "")
        assert is_whole(site.ask("/news/tide", PLAIN, answer.cookie))
        pages = [is_whole(site.ask(f"/news/{n}", PLAIN, answer.cookie)) for n in range(5)]
        assert pages == [True] * 4 + [False], "it counts once"

    def test_to_read_again_is_free(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        cookie = proved(reading, first, first.cookie).cookie
        for n in range(8):
            reading.ask(f"/news/{n}", PLAIN, cookie)
        assert is_whole(reading.ask("/news/tide", PLAIN, cookie))

    def test_an_app_may_vouch_for_its_readers(self) -> None:
        site = news(reader=lambda scope: dict(scope["headers"]).get(b"x-account", b"").decode() or None)
        assert is_lead(site.ask("/news/tide", PLAIN))
        assert all(is_whole(site.ask(f"/news/{n}", PLAIN, x_account="Ada")) for n in range(20))
        broken = news(reader=lambda scope: 1 / 0)
        assert is_lead(broken.ask("/news/tide", PLAIN))

    def test_what_is_no_article_is_nobody_s_affair(self) -> None:
        plain = Site(PROGRESSIVE, app=site)
        assert plain.ask("/a.css", PLAIN).text == "p{}"

    def test_a_page_that_cannot_be_divided_comes_whole(self) -> None:
        site = block()
        answer = site.ask("/news/tide", PLAIN)
        assert "has no end" in answer.text
        assert answer.status == 200
        assert site.guard.counts["undivided.no-cut"] == 1, "the owner is told which pages these are"

    def test_but_not_to_who_looks_suspicious(self) -> None:
        site = block()
        answer = site.ask("/news/tide", POSING)
        assert answer.status == 303
        assert "has no end" not in answer.text
        assert not is_on_its_way(site, answer, POSING), (
            "to wait does not earn what it lacks, and it is not sent on again"
        )

    def test_nor_where_the_owner_says_so(self) -> None:
        site = block(reading={"mode": "progressive", "undivided": "wait"})
        first = site.ask("/news/tide?a=1", PLAIN)
        assert first.status == 303
        assert first.get("cache-control") == "no-store"
        assert "has no end" not in first.text
        assert is_on_its_way(site, first, PLAIN)
        head = site.ask("/news/tide", PLAIN, method="HEAD")
        assert (head.status, head.text) == (303, "")
        short = Site({"reading": {"mode": "progressive", "undivided": "wait"}}, app=short_article)
        assert short.ask("/news/tide", PLAIN).status == 200, "hardly longer than a lead"

    def test_robots_get_the_head_of_it(self) -> None:
        site = block(reading={"mode": "progressive", "undivided": "wait"})
        assert "has no end" in site.ask("/news/tide", GOOGLEBOT, address="66.249.66.1").text
        stranger = {"user-agent": "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)"}
        answer = site.ask("/news/tide", stranger)
        assert "has no end" not in answer.text
        assert "has no end" in block().ask("/news/tide", stranger).text

    def test_without_cookies_it_is_opened_once(self) -> None:
        site = block(reading={"mode": "progressive", "undivided": "wait"})
        first = site.ask("/news/tide", PLAIN)
        page = site.ask(first.get("location"), PLAIN)
        found = re.search(r"url=(/\.contentguard/enter/[\w-]+)", page.text)
        assert found is not None
        site.now += 2
        path, query = site.ask(found[1], PLAIN).get("location").split("?")
        assert "has no end" in site.ask(f"{path}?{query}", PLAIN).text
        again = site.ask(f"{path}?{query}", PLAIN)
        assert again.status == 303
        assert "has no end" not in again.text


POSING = {"user-agent": PLAIN["user-agent"], "accept": "*/*", "accept-encoding": "gzip, deflate"}
"""A program by a browser's name."""


def block(**options: Any) -> Site:
    """A site whose articles are one block each."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        text = "<p>" + "One long block of words that has no end. " * 60 + "</p>"
        body = f"<!doctype html><html><head><title>T</title></head><body><article>{text}</article></body></html>"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": body.encode()})

    return Site({**PROGRESSIVE, **options}, app=app)


async def short_article(scope: Any, receive: Any, send: Any) -> None:
    """An article that is hardly longer than a lead."""
    body = f"<!doctype html><title>T</title><article><p>{'Word ' * 70}</p></article>"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": body.encode()})


def is_on_its_way(site: Site, answer: Answer, headers: Mapping[str, str]) -> bool:
    """Whether who is sent away comes to the article by the page of two seconds, with a pass."""
    page = site.ask(answer.get("location"), headers, answer.cookie)
    assert page.status == 503
    found = re.search(r"url=(/\.contentguard/enter/[\w-]+)", page.text)
    assert found is not None
    site.now += 30
    entered = site.ask(found[1], headers, answer.cookie)
    assert entered.status == 303
    path = entered.get("location").partition("?")[0]
    assert path == "/news/tide"
    return "has no end" in site.ask(path, headers, entered.cookie or answer.cookie).text


def asked(site: Site, path: str, query: str) -> Answer:
    """A request with a query; the app must never see our token."""
    seen: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["query_string"])
        await articles(scope, receive, send)

    site.guarded.app, before = app, site.guarded.app
    try:
        answer = site.ask(f"{path}?{query}", PLAIN)
    finally:
        site.guarded.app = before
    assert all(b"cg=" not in query for query in seen)
    return answer


class TestRobots:
    def test_an_unfurler_gets_the_head(self, reading: Site) -> None:
        card = reading.ask("/news/tide", FACEBOOK)
        assert "og:title" in card.text
        assert "<p>" not in card.text

    def test_a_verified_search_engine_gets_all_and_the_word_for_it(self, reading: Site) -> None:
        answer = reading.ask("/news/tide", GOOGLEBOT, address="66.249.66.1")
        assert answer.status == 200
        assert "tide29" in answer.text
        assert '"isAccessibleForFree":false' in answer.text.replace(" ", "")
        assert "cg-continue" not in answer.text
        assert answer.cookie == ""

    def test_one_that_cannot_prove_it_gets_what_strangers_get(self) -> None:
        seznam = {
            "user-agent": "Mozilla/5.0 (compatible; SeznamBot/4.0; +https://o-seznam.cz/napoveda/vyhledavani/en/seznambot-crawler/)"
        }
        options = {"identification": {"dns": False}}
        answer = news(**options).ask("/news/tide", seznam)
        assert "tide29" not in answer.text
        named = news(**options, policy={"crawlers": {"SeznamBot": "allow"}})
        assert "tide29" in named.ask("/news/tide", seznam).text

    def test_a_tool_gets_nothing(self, reading: Site) -> None:
        assert reading.ask("/news/tide", CURL).status == 403


class TestScrapers:
    """Full Chrome headers, each with its own idea of cookies; what they get of 60 articles."""

    def whole(self, answers: list[Answer]) -> int:
        return sum("tide29" in answer.text for answer in answers)

    def test_one_that_just_asks(self, reading: Site) -> None:
        assert self.whole([reading.ask(f"/news/{n}", PLAIN) for n in range(60)]) == 0

    def test_one_with_a_cookie_jar(self, reading: Site) -> None:
        cookie = reading.ask("/news/x", PLAIN).cookie
        assert self.whole([reading.ask(f"/news/{n}", PLAIN, cookie) for n in range(60)]) == 0

    def test_one_that_has_learned_to_wait(self, reading: Site) -> None:
        """No more than its meter, while it keeps its pass."""
        reading.pace = 2.0
        first = reading.ask("/news/x", PLAIN)
        cookie = waited(reading, first, first.cookie).cookie
        answers = [reading.ask(f"/news/{n}", PLAIN, cookie) for n in range(60)]
        assert self.whole(answers) <= 6

    @pytest.mark.no_cover
    def test_one_that_throws_its_passes_away(self, reading: Site) -> None:
        """A new identity for each article from one address: that address waits."""
        reading.pace = 0.3
        got = 0
        for n in range(36):
            first = reading.ask(f"/news/{n}", PLAIN)
            got += "tide29" in proved(reading, first).text
        assert got <= 30

    def test_one_that_throws_them_away_and_waits(self, reading: Site) -> None:
        reading.pace = 0.3
        got = 0
        for n in range(60):
            reading.now += 2.0
            entered = waited(reading, reading.ask(f"/news/{n}", PLAIN))
            if entered.status == 303:
                got += is_whole(reading.ask(entered.get("location"), PLAIN))
        assert got <= 30


class TestForgery:
    def test_anubis_pr_1003_a_ticket_is_spent_once(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        assert proved(reading, first, first.cookie).status == 200
        again = proved(reading, first, first.cookie)
        assert (again.status, again.cookie) == (403, "")
        assert "tide" not in again.text

    def test_a_ticket_for_another_browser(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        other = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        assert proved(reading, first, user_agent=other).status == 403

    def test_a_late_one(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        reading.now += 3600
        assert proved(reading, first, first.cookie).status == 403

    @pytest.mark.parametrize("body", [b"", b" ", b"x", b"A" * 200 + b" 1", b"\xff" * 4000, b"x" * 100_000])
    def test_no_ticket_at_all(self, reading: Site, body: bytes) -> None:
        answer = reading.ask("/.contentguard/rest", PLAIN, "", "POST", body)
        assert (answer.status, answer.cookie) == (403, "")

    def test_a_wrong_proof_costs_the_ticket(self, reading: Site) -> None:
        first = reading.ask("/news/tide", PLAIN)
        ticket = link(first).rpartition("/")[2].encode()
        wrong = ticket + b" " + b".".join([b"0"] * 16)
        assert reading.ask("/.contentguard/rest", PLAIN, "", "POST", wrong).status == 403
        assert proved(reading, first).status == 403

    def test_a_proof_s_ticket_does_not_open_the_waiting_door(self, reading: Site) -> None:
        ticket = link(reading.ask("/news/tide", PLAIN)).rpartition("/")[2]
        answer = reading.ask(f"/.contentguard/enter/{ticket}", PLAIN)
        assert (answer.status, answer.cookie) == (303, "")

    @pytest.mark.parametrize("way", ["wait", "enter"])
    @pytest.mark.parametrize("text", ["", "A" * 200, "//evil.example", "%00", "é"])
    def test_ghsa_cf57_c578_7jvv_nobody_is_sent_anywhere_by_a_client(self, reading: Site, way: str, text: str) -> None:
        answer = reading.ask(f"/.contentguard/{way}/{text}", PLAIN)
        assert (answer.status, answer.get("location")) == (404, "")

    @pytest.mark.parametrize(
        "path", ["//evil.example/a", "/\\evil.example", "/a?next=//evil.example", "/a\tb", "/%0d%0aSet-Cookie:a"]
    )
    def test_a_location_is_always_of_this_site(self, reading: Site, path: str) -> None:
        first = reading.ask(path, PLAIN)
        if "cg-continue" not in first.text:
            return
        onward = waited(reading, first, first.cookie).get("location")
        assert onward.startswith("/")
        assert not onward.startswith(("//", "/\\"))
        assert onward.isascii()
        assert onward.isprintable()

    def test_a_ticket_of_one_article_does_not_open_another(self, reading: Site) -> None:
        """The app sends another article at the ticket's path by now."""
        first = reading.ask("/news/tide", PLAIN)

        text = LONG.replace("</head>", '<link rel=canonical href="https://news.example/elsewhere"></head>')

        async def other(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": text.encode()})

        reading.guarded._routes._app = other
        assert proved(reading, first, first.cookie).status == 403

    def test_other_methods(self, reading: Site) -> None:
        ticket = link(reading.ask("/news/tide", PLAIN))
        assert reading.ask(ticket, PLAIN, "", "POST").status == 405
        assert reading.ask("/.contentguard/rest", PLAIN).status == 404
        assert reading.ask(ticket.replace("wait", "enter"), PLAIN, "", "HEAD").status in (404, 405)


class TestApp:
    @pytest.mark.parametrize("status", [404, 500])
    def test_an_app_that_has_nothing_there_any_more(self, reading: Site, status: int) -> None:
        first = reading.ask("/news/tide", PLAIN)

        async def gone(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"gone"})

        reading.guarded._routes._app = gone
        answer = proved(reading, first, first.cookie)
        assert (answer.status, answer.text) == (204, "")
        assert answer.cookie != "", "the pass is earned; the browser asks for the page itself"

    def test_the_reader_s_own_cookies_and_nothing_of_the_post_reach_the_app(self, reading: Site) -> None:
        first = reading.ask("/news/tide?x=%C3%A9", PLAIN)
        seen: list[dict[str, Any]] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope)
            assert (await receive())["body"] == b""
            await articles(scope, receive, send)

        reading.guarded._routes._app = app
        proved(reading, first, f"session=1; {first.cookie}", content_type="text/plain", origin="https://news.example")
        (scope,) = seen
        headers = dict(scope["headers"])
        assert (scope["method"], scope["path"], scope["query_string"]) == ("GET", "/news/tide", b"x=%C3%A9")
        assert b"session=1" in headers[b"cookie"]
        assert not {b"content-type", b"content-length", b"origin", b"accept-encoding"} & headers.keys()

    def test_posts_to_the_app_are_none_of_ours(self, reading: Site) -> None:
        assert reading.ask("/comment", PLAIN, "", "POST", b"text=hello").status == 200

    def test_the_mode_off(self) -> None:
        site = Site({"reading": {"mode": "off"}}, app=articles)
        assert is_whole(site.ask("/news/tide", PLAIN))
        assert site.ask("/.contentguard/rest", PLAIN, "", "POST", b"x").status == 405

    def test_the_mode_open(self) -> None:
        site = Site({"reading": {"mode": "open"}}, app=articles)
        assert is_whole(site.ask("/news/0", PLAIN))
        answers = [site.ask(f"/news/{n}", PLAIN) for n in range(1, 8)]
        assert is_lead(answers[-1]), "pages without parts, no cookie: the policy's lead-only"
        rest = proved(site, answers[-1])
        assert rest.status == 200


def test_while_no_passes_are_given_out_what_everybody_reads_is_for_everybody(reading: Site) -> None:
    """Else an attack would close the front page's articles to whoever comes for the first time."""
    governor = reading.guard.admissions.governor
    governor.issue, hot = (lambda now: 600.0), {"https://news.example/news/hot"}
    governor.hot = lambda article: article.partition("#")[0] in hot
    for path, status in (("/news/hot", 200), ("/news/cold", 429)):
        answer = proved(reading, reading.ask(path, PLAIN))
        assert (answer.status, answer.cookie) == (status, "")
        assert ("tide29" in answer.text) is (status == 200)
    assert answer.get("retry-after") == "600"


class Broken:
    """A ledger that fails."""

    async def spend(self, key: str, until: float, now: float) -> bool:
        raise ConnectionError("gone")

    async def meter(self, key: str, article: int, quota: Any, now: float) -> float:
        raise ConnectionError("gone")


def test_a_broken_ledger_costs_no_reader_an_article(reading: Site) -> None:
    reading.guard.admissions._ledger = Broken()
    first = reading.ask("/news/tide", PLAIN)
    rest = proved(reading, first, first.cookie)
    assert rest.status == 200
    assert all(is_whole(reading.ask(f"/news/{n}", PLAIN, rest.cookie)) for n in range(3))


def test_an_app_that_is_asked_for_the_rest_finds_what_the_guard_offers() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["contentguard.comments"].form(scope, "/news/tide").html
        assert scope["contentguard.links"].share("/news/tide", by="newsletter")
        assert scope["contentguard.media"]
        await articles(scope, receive, send)

    reading = Site(PROGRESSIVE, app=app)
    assert "tide29" in proved(reading, reading.ask("/news/tide", PLAIN)).text


def test_a_guard_inside_another_leaves_the_rest_to_it() -> None:
    inner = ContentGuardMiddleware(articles, settings=settings(**PROGRESSIVE))
    reading = Site(PROGRESSIVE, app=inner)
    assert "tide29" in proved(reading, reading.ask("/news/tide", PLAIN)).text
