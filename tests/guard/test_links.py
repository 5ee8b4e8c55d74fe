"""Share and gift links, as HTTP: they open one article to so many visitors, cookies or not, and nothing else."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard import Links, Settings, SettingsError
from contentguard.admission.links import GiftLinks, SharedLinks
from contentguard.asgi.headers import discreet
from contentguard.guard.links import _bare, token_of
from tests.client import CHROME as PLAIN
from tests.client import CURL, FACEBOOK, KEY, drive, http_scope
from tests.guard.test_reading import GOOGLEBOT, LYNX, PROGRESSIVE, articles, asked, is_lead, is_whole, news, proved
from tests.guard.test_visits import Answer, Site

DAY = 86400.0


@pytest.fixture
def site() -> Site:
    return news()


def links(site: Site) -> Links:
    return site.guarded.links


def target(link: str | None) -> str:
    assert link is not None
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc) == ("https", "news.example")
    return f"{parts.path}?{parts.query}"


def visits(site: Site, link: str | None, number: int, **more: Any) -> list[Answer]:
    """So many visitors, each from an address of their own, without a cookie."""
    return [site.ask(target(link), PLAIN, address=f"198.51.100.{n}", **more) for n in range(number)]


def gave(site: Site, page: str = "/news/tide", account: str = "anna") -> str | None:
    return asyncio.run(links(site).gift(page, account))


def is_pristine(answer: Answer) -> bool:
    """Whether nothing in a page names a token."""
    return re.search(r"[?&;]cg=|cg%3D", answer.text) is None


class TestShared:
    def test_it_opens_its_article_to_ten_visitors(self, site: Site) -> None:
        answers = visits(site, links(site).share("/news/tide"), 12)
        assert [is_whole(one) for one in answers] == [True] * 10 + [False] * 2
        assert is_lead(answers[-1]), "never a refusal"
        assert all(is_pristine(one) for one in answers), "its canonical URL, and what it says of itself"

    def test_without_cookies_and_scripts_a_visitor_counts_once(self, site: Site) -> None:
        where = target(links(site).share("/news/tide"))
        assert all(is_whole(site.ask(where, LYNX)) for _ in range(20))
        assert sum(is_whole(one) for one in visits(site, f"https://news.example{where}", 12)) == 9

    def test_the_app_never_sees_it_and_nobody_is_sent_anywhere(self, site: Site) -> None:
        path, query = target(links(site).share("/news/tide")).split("?")
        answer = asked(site, path, f"a=1&{query}&fbclid=x&utm_source=mail")
        assert is_lead(answer), "another page than the one it was made for: a=1 is no network's"
        answer = asked(site, path, f"fbclid=x&{query}&utm_source=mail")
        assert (is_whole(answer), answer.get("location")) == (True, "")

    def test_an_address_of_any_length_is_not_looked_into(self, site: Site) -> None:
        """60,000 bytes of what networks add took 7 ms, and need no genuine link."""
        where = target(links(site).share("/news/tide"))
        assert is_whole(site.ask(f"{where}&{'utm_x=1&' * 200}", PLAIN))
        assert is_lead(site.ask(f"{where}&{'utm_x=1&' * 600}", PLAIN))

    @pytest.mark.parametrize("path", ["/news/other", "/news/tide/", "/news/tide%00", "/news/TIDE"])
    def test_moved_to_another_article_it_opens_nothing(self, site: Site, path: str) -> None:
        query = target(links(site).share("/news/tide")).split("?")[1]
        assert is_lead(site.ask(f"{path}?{query}", PLAIN))

    def test_where_the_query_names_the_article_a_link_opens_that_one(self, site: Site) -> None:
        where = target(links(site).share("/?p=12"))
        assert is_whole(site.ask(where, PLAIN))
        assert is_lead(site.ask(where.replace("12", "13", 1), PLAIN))
        assert is_lead(site.ask(target(links(site).share("/")) + "&p=13", PLAIN)), "nor does the front page's"

    def test_a_canonical_url_is_as_good_as_the_page_s_own(self) -> None:
        async def canonical(scope: Any, receive: Any, send: Any) -> None:
            async def named(message: Any) -> None:
                link = b'<link rel=canonical href="https://news.example/?p=7"></head>'
                if message["type"] == "http.response.body":
                    message = {**message, "body": message["body"].replace(b"</head>", link)}
                await send(message)

            await articles(scope, receive, named)

        site = Site(PROGRESSIVE, app=canonical)
        token = links(site).share("https://news.example/?p=7").partition("cg=")[2]
        assert is_whole(site.ask(f"/news/seven?from=feed&cg={token}", PLAIN))

    @pytest.mark.parametrize("tail", ["x", "A" * 60, "A" * 2000, "%00", "é", "", "&cg=A"])
    def test_forged_ones_open_nothing(self, site: Site, tail: str) -> None:
        assert is_lead(site.ask(f"/news/tide?cg={tail}", PLAIN))
        whole = target(links(site).share("/news/tide"))
        assert is_lead(site.ask(whole[:-1] + ("A" if whole[-1] != "A" else "B"), PLAIN))

    def test_it_ends(self, site: Site) -> None:
        where = target(links(site).share("/news/tide"))
        site.now += 364 * DAY
        assert is_whole(site.ask(where, PLAIN))
        site.now += 2 * DAY
        assert is_lead(site.ask(where, PLAIN))

    def test_each_who_shares_has_a_budget_of_their_own(self) -> None:
        site = news(shared_links={"readings": 1})
        one, other = (links(site).share("/news/tide", by) for by in ("mail", "anna"))
        assert one == links(site).share("/news/tide", "mail") != other
        assert [is_whole(answer) for link in (one, other) for answer in visits(site, link, 2)] == [True, False] * 2

    def test_no_readings_open_nothing(self) -> None:
        site = news(shared_links={"readings": 0})
        assert is_lead(site.ask(target(links(site).share("/news/tide")), PLAIN))

    def test_whoever_reads_it_anyway_uses_nothing_up(self) -> None:
        site = news(shared_links={"readings": 1})
        where = target(links(site).share("/news/tide"))
        first = site.ask("/news/x", PLAIN, address="203.0.113.9")
        cookie = proved(site, first, first.cookie, address="203.0.113.9").cookie
        assert is_whole(site.ask(where, PLAIN, cookie, address="203.0.113.9"))
        assert is_whole(site.ask(where, PLAIN))

    def test_robots_get_what_they_get(self, site: Site) -> None:
        where = target(links(site).share("/news/tide"))
        card = site.ask(where, FACEBOOK)
        assert "og:title" in card.text
        assert "<p>" not in card.text
        assert '<meta property="og:url" content="https://news.example/news/tide">' in card.text
        assert site.ask(where, CURL).status == 403
        assert "tide29" in site.ask(where, GOOGLEBOT, address="66.249.66.1").text
        assert not site.guard.links.counts["shared.opened"]

    def test_only_reading_counts(self) -> None:
        site = news(shared_links={"readings": 1})
        where = target(links(site).share("/news/tide"))
        for headers in ({"sec-purpose": "prefetch"}, {"sec-fetch-dest": "image"}):
            assert not is_whole(site.ask(where, {**PLAIN, **headers}, address="198.51.100.9"))
        site.ask(where, PLAIN, method="HEAD", address="198.51.100.8")
        assert is_whole(site.ask(where, PLAIN))

    def test_a_crowd_of_links_is_no_way_round_the_limit_on_articles(self) -> None:
        site = news(limits={"articles": "5/hour"})
        answers = [site.ask(target(links(site).share(f"/news/{n}")), PLAIN) for n in range(8)]
        assert [is_whole(one) for one in answers] == [True] * 5 + [False] * 3

    def test_taken_back(self, site: Site) -> None:
        link = links(site).share("/news/tide")
        assert is_whole(site.ask(target(link), PLAIN))
        assert asyncio.run(links(site).revoke(link))
        assert is_lead(site.ask(target(link), PLAIN))
        assert is_whole(site.ask(target(links(site).share("/news/tide", "another")), PLAIN))
        assert not asyncio.run(links(site).revoke("https://news.example/news/tide"))

    def test_a_broken_store_opens_nothing_and_harms_nobody(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        link = links(site).share("/news/tide")

        async def broken(*_: Any) -> bool:
            raise OSError

        class Broken:
            join = revoked = staticmethod(broken)

        monkeypatch.setattr(links(site), "_store", Broken())
        assert is_lead(site.ask(target(link), PLAIN))
        assert site.guard.counts["links-failed"] == 2

    @pytest.mark.parametrize(
        "page", ["", "news", "//evil.example/a", "https://evil.example/", "/\\evil", "/a\tb", "/" * 2]
    )
    def test_cve_2026_83589_and_cve_2020_11053_a_link_is_always_of_this_site(self, site: Site, page: str) -> None:
        with pytest.raises(ValueError, match="expected a page of this site"):
            links(site).share(page)

    def test_what_stands_in_the_address_already(self, site: Site) -> None:
        link = links(site).share("https://news.example/é?a=1&utm_source=x&cg=old#part")
        assert re.fullmatch(r"https://news\.example/%C3%A9\?a=1&cg=[\w-]+", link)
        assert is_whole(site.ask(target(link), PLAIN))

    def test_in_the_share_box_where_the_owner_wants_it(self) -> None:
        site = news(share={"signed": True})
        first = site.ask("/news/tide", PLAIN)
        assert "cg%3D" not in first.text, "a lead gives no key to its rest away"
        cookie = proved(site, first, first.cookie).cookie
        whole = site.ask("/news/tide", PLAIN, cookie)
        found = re.findall(r"=(https%3A[^\"&]*%3Fcg%3D[\w-]+)|%3Fcg%3D", whole.text)
        assert len(found) == 4
        link = unquote(unquote(found[0]))
        assert is_whole(site.ask(target(link), PLAIN, address="198.51.100.1"))
        assert '<link rel="canonical" href="https://news.example/news/tide">' in whole.text

    def test_and_not_by_itself(self, site: Site) -> None:
        first = site.ask("/news/tide", PLAIN)
        whole = site.ask("/news/tide", PLAIN, proved(site, first, first.cookie).cookie)
        assert is_whole(whole)
        assert is_pristine(whole)

    def test_nor_where_a_page_does_not_say_where_it_is(self) -> None:
        site = news(share={"signed": True}, origin="")
        first = site.ask("/news/tide", PLAIN)
        assert is_pristine(site.ask("/news/tide", PLAIN, proved(site, first, first.cookie).cookie))
        elsewhere = links(site).in_box(site.guard.visits, "https://other.example/a", 0.0)
        assert elsewhere == {}


class TestGifts:
    def test_it_opens_on_ten_devices_for_two_weeks(self, site: Site) -> None:
        link = gave(site)
        assert [is_whole(one) for one in visits(site, link, 12)] == [True] * 10 + [False] * 2
        late = gave(site)
        site.now += 13.9 * DAY
        assert is_whole(site.ask(target(late), PLAIN))
        site.now += DAY
        assert is_lead(site.ask(target(late), PLAIN))

    def test_ten_in_a_month_and_again_is_free(self, site: Site) -> None:
        made = [gave(site, f"/news/{n}") for n in range(11)]
        assert [link is not None for link in made] == [True] * 10 + [False]
        assert gave(site, "/news/3") not in (None, made[3])
        assert gave(site, "/news/10", "bert") is not None
        site.now += 32 * DAY
        assert gave(site, "/news/10") is not None

    def test_nobody_gives_where_nobody_may(self) -> None:
        assert gave(news(gift_links={"monthly": 0})) is None

    def test_taken_back(self, site: Site) -> None:
        link = gave(site)
        assert asyncio.run(links(site).revoke(link or ""))
        assert is_lead(site.ask(target(link), PLAIN))

    def test_what_the_app_finds_in_its_scope(self) -> None:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["contentguard.links"])
            await articles(scope, receive, send)

        site = Site(PROGRESSIVE, app=app)
        site.ask("/news/tide", PLAIN)
        assert seen == [site.guarded.links]


class TestReferrer:
    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ([], b"strict-origin-when-cross-origin"),
            ([b"unsafe-url"], b"strict-origin-when-cross-origin"),
            ([b"no-referrer", b"unsafe-url"], b"strict-origin-when-cross-origin"),
            ([b" No-Referrer"], b" No-Referrer"),
        ],
    )
    def test_other_sites_do_not_learn_the_address(self, said: list[bytes], told: bytes) -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def story() -> None:
            headers = [(b"a", b"b"), *((b"Referrer-Policy", value) for value in said)]
            await discreet(send)({"type": "http.response.start", "status": 200, "headers": headers})
            await discreet(send)({"type": "http.response.body"})

        asyncio.run(story())
        assert [value for name, value in sent[0]["headers"] if name.lower() == b"referrer-policy"] == [told]
        assert sent[1] == {"type": "http.response.body"}

    def test_on_whatever_is_answered(self, site: Site) -> None:
        where = target(links(site).share("/news/tide"))
        assert site.ask(where, PLAIN).get("referrer-policy") == "strict-origin-when-cross-origin"
        assert site.ask("/news/tide", PLAIN).get("referrer-policy") == ""


class TestMade:
    def test_without_a_server(self, site: Site) -> None:
        chosen: Settings = site.guard.settings
        made = Links.of(chosen, lambda: site.now)
        assert is_whole(site.ask(target(made.share("/news/tide")), PLAIN))
        asyncio.run(made.aclose())

    def test_not_with_a_random_key(self) -> None:
        with pytest.raises(SettingsError, match="void"):
            Links.of(Settings())

    def test_without_an_origin_it_is_a_path(self) -> None:
        made = Links.of(Settings(secret_key=KEY)).share("/news/tide")
        assert made.startswith("/news/tide?cg=")

    def test_numbers_that_no_store_can_keep(self) -> None:
        for make in (
            lambda: SharedLinks(readings=65),
            lambda: GiftLinks(monthly=65),
            lambda: GiftLinks(devices=65),
        ):
            with pytest.raises(ValueError, match="64"):
                make()


@given(st.text(alphabet="abcg=&?#/%_utm", max_size=40))
def test_an_address_without_what_is_added_stays_so(line: str) -> None:
    bare = _bare(line)
    assert _bare(bare) == bare
    assert "cg=" not in bare.partition("?")[2].split("&")
    assert bare.partition("?")[0] == line.partition("?")[0]


@given(st.text(max_size=60))
def test_whatever_is_taken_for_a_link(text: str) -> None:
    token = token_of(text)
    assert token == "" or token in text


def test_the_app_s_own_pages_have_it_too() -> None:
    """A page that is no article carries the header all the same; a link's address is on its screen too."""

    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"gone"})

    site = Site(PROGRESSIVE, app=plain)
    sent = asyncio.run(drive(site.guarded, http_scope("/gone", PLAIN, query_string=b"cg=x")))
    assert dict(sent[0]["headers"])[b"referrer-policy"] == b"strict-origin-when-cross-origin"
