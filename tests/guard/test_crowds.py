"""Passes farmed from one line: however they are dropped and dressed, together they are held to its budget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from contentguard.admission.difficulty import Algorithm, Difficulty
from contentguard.admission.maturity import Metering
from contentguard.admission.proof import solve
from contentguard.guard.crowds import GROWN, LONERS, PASSES
from contentguard.guard.staying import STAYS
from contentguard.limits import Decision, Limit
from tests.client import CHROME as PLAIN
from tests.guard.test_reading import LONG, PROGRESSIVE, SHEET, is_lead, is_whole, link, news, waited
from tests.guard.test_visits import Answer, Site

MOST = LONERS * Metering().new_reader_articles_per_hour
ONE = Metering().articles_per_hour
"""What a line has where nobody stays."""
_NUMBERS = count()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site where time stands still, and proofs take none."""
    easy = Difficulty(Algorithm.PBKDF2, 1, 1, 1)
    monkeypatch.setattr("contentguard.guard.admissions.difficulty", lambda *_: easy)
    made = news()
    made.pace = 0.0
    return made


def pages() -> Iterator[str]:
    """Articles that nobody has read yet."""
    return (f"/news/{next(_NUMBERS)}" for _ in count())


def farmed(site: Site, path: str, number: int = 0, *, sheet: bool = False, **scope: Any) -> Answer:
    """A new pass, for somebody who has none and sends headers of its own."""
    headers = {**PLAIN, "accept-language": f"en-GB,en;q=0.{number % 9 + 1},x{number}"}
    first = site.ask(path, headers, **scope)
    if sheet:
        site.ask(SHEET, {**headers, "accept": "text/css,*/*;q=0.1"}, first.cookie, **scope)
    ticket = link(first).rpartition("/")[2].encode()
    assert site.guard.admissions is not None
    asked = site.guard.admissions.read(ticket)
    assert asked is not None
    body = ticket + b" " + solve(ticket, asked.difficulty).encode()
    return site.ask("/.contentguard/rest", {**headers, "accept": "*/*"}, first.cookie, "POST", body, **scope)


def opened(site: Site, times: int, **how: Any) -> int:
    """How many of so many new passes open their first article."""
    return sum(farmed(site, next(pages()), number, **how).status == 200 for number in range(times))


def hoarded(site: Site, number: int, **scope: Any) -> list[str]:
    """The cookies of so many passes that were kept until they had matured."""
    young = [farmed(site, next(pages()), one, sheet=True, **scope).cookie for one in range(number)]
    cookies = [site.ask(SHEET, PLAIN, cookie, **scope).cookie for cookie in young]
    site.now += Metering().matures_after + 1
    return cookies


def read_on(site: Site, cookies: list[str], each: int, **scope: Any) -> int:
    """How many more articles these passes open."""
    return sum(is_whole(site.ask(next(pages()), PLAIN, cookie, **scope)) for cookie in cookies for _ in range(each))


def test_programs_on_one_line_are_one_program(site: Site) -> None:
    assert opened(site, MOST + 3) == MOST


def test_it_is_told_when_to_come_again(site: Site) -> None:
    opened(site, MOST)
    refused = farmed(site, next(pages()))
    assert refused.status == 429
    assert 0 < int(refused.get("retry-after")) <= 3600


def test_what_a_pass_opens_later_counts_as_well(site: Site) -> None:
    """Each opens what its meter lets it, until the line's is full."""
    for _ in range(LONERS):
        cookie = farmed(site, next(pages())).cookie
        later = [site.ask(next(pages()), PLAIN, cookie) for _ in range(MOST)]
        assert sum(map(is_whole, later)) == MOST // LONERS - 1
    refused = farmed(site, next(pages()))
    assert refused.status == 429
    assert is_lead(site.ask(next(pages()), PLAIN, refused.cookie)), "a pass more does not help"


def test_nor_do_passes_that_were_waited_for(site: Site) -> None:
    got = 0
    site.pace = 1.0
    for _ in range(MOST + 3):
        path = next(pages())
        entered = waited(site, site.ask(path, PLAIN))
        if entered.status == 303:
            got += is_whole(site.ask(path, PLAIN, entered.cookie))
    assert got == MOST


def test_reading_again_costs_nothing(site: Site) -> None:
    path = next(pages())
    cookie = farmed(site, path).cookie
    assert all(is_whole(site.ask(path, PLAIN, cookie)) for _ in range(3 * MOST))
    assert opened(site, MOST) == MOST - 1


def test_nor_does_it_in_another_process(site: Site) -> None:
    """Which remembers nothing of what was read, but asks the same ledger."""
    admissions, path = site.guard.admissions, next(pages())
    assert admissions is not None
    cookie = farmed(site, path).cookie
    for _ in range(3 * MOST):
        admissions._crowds._read.clear()
        assert is_whole(site.ask(path, PLAIN, cookie))


def test_a_browser_that_begins_anew_for_each_article_is_one_reader(site: Site) -> None:
    """Whether it fetches a style sheet each time or only now and then."""
    got = [farmed(site, next(pages()), number, sheet=number % 3 > 0).status for number in range(ONE + 10)]
    assert got.count(200) == ONE
    site.now += 3599.0
    assert opened(site, 3, sheet=True) == 0, "nothing comes back before its hour is over"
    site.now += 1.0
    assert opened(site, ONE + 3, sheet=True) == ONE


def test_nor_does_it_have_more_without_cookies(site: Site) -> None:
    """By the door where an article is opened once, which is part of the same budget."""
    assert sum(unasked(site) for _ in range(ONE + 5)) == ONE
    assert opened(site, 3, sheet=True) == 0


def unasked(site: Site) -> bool:
    """Whether a browser that keeps no cookies opens an article by waiting, with its style sheet fetched."""
    lead = site.ask(next(pages()), PLAIN)
    site.ask(SHEET, {**PLAIN, "accept": "text/css,*/*;q=0.1"})
    found = re.search(r"url=(/\.contentguard/enter/[\w-]+)", site.ask(link(lead), PLAIN).text)
    assert found is not None
    site.now += 2.0
    onward = site.ask(found[1], PLAIN).get("location")
    assert "?cg=" in onward
    return is_whole(site.ask(onward, PLAIN))


def test_a_program_s_articles_are_part_of_what_its_line_has(site: Site) -> None:
    assert opened(site, MOST + 3) == MOST
    assert opened(site, ONE, sheet=True) == ONE - MOST
    assert opened(site, 1) == 0


def test_each_reader_who_stays_brings_as_much_again(site: Site) -> None:
    cookies = hoarded(site, 2)
    assert read_on(site, cookies[:1], 2) == 2, "one that stays, however often it reads"
    assert opened(site, 2 * ONE + 3, sheet=True) == 2 * ONE - 2, "two were opened by the two while they were new"
    assert read_on(site, cookies[1:], 1) == 1
    assert opened(site, ONE + 3, sheet=True) == ONE
    site.now += STAYS
    assert opened(site, ONE + 3, sheet=True) == ONE, "and they have gone"


def test_up_to_what_a_crowd_has(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contentguard.guard.crowds.CROWD", 70)
    monkeypatch.setattr("contentguard.guard.crowds.PASSES", Limit(6000, 3600.0, 1200))
    site = news()
    site.pace = 0.0
    cookies = hoarded(site, 9)
    assert read_on(site, cookies, 1) == 9
    assert opened(site, 70 + 3, sheet=True) == 70 - 9


def test_what_everybody_reads_counts_for_nothing_where_a_browser_shows(site: Site) -> None:
    path, often = next(pages()), ONE + 8
    assert sum(farmed(site, path, number, sheet=True).status == 200 for number in range(often)) == often
    assert opened(site, ONE, sheet=True) == ONE - 1, "it was seldom read at first"
    assert farmed(site, path, sheet=True).status == 200, "and is free where nothing else is left"


def test_what_one_has_opened_its_neighbours_have_free(site: Site) -> None:
    paths = [next(pages()) for _ in range(ONE)]
    assert all(farmed(site, path, number, sheet=True).status == 200 for path in paths for number in range(2))


@pytest.mark.parametrize("sheet", [False, True], ids=["a program", "a browser"])
def test_another_line_is_another_matter(site: Site, sheet: bool) -> None:
    opened(site, ONE if sheet else MOST, sheet=sheet)
    assert opened(site, 2, sheet=sheet) == 0
    assert opened(site, 2, sheet=sheet, address="198.51.100.7") == 2


def test_an_ipv6_line_is_a_48(site: Site) -> None:
    addresses = [f"2001:db8:7:{number:x}::1" for number in range(MOST + 3)]
    got = [farmed(site, next(pages()), address=address).status for address in addresses]
    assert got.count(200) == MOST
    assert farmed(site, next(pages()), address="2001:db8:8::1").status == 200


def test_passes_are_earned_no_faster_than_that(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else passes could be gathered from one address and kept until they have matured."""
    few = Limit(PASSES.count, PASSES.period, 3)
    monkeypatch.setattr("contentguard.guard.crowds.PASSES", few)
    got = [farmed(site, next(pages()), number, sheet=True) for number in range(4)]
    assert [answer.status for answer in got] == [200, 200, 200, 429]
    assert got[-1].cookie == "", "there is none"


class TestPassesThatHaveMatured:
    """A script that proves and fetches one style sheet makes as many as it likes."""

    FEW = Limit(60, 3600.0, 12)

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("contentguard.guard.crowds.GROWN", self.FEW)

    def test_they_share_their_line_s_budget(self, site: Site) -> None:
        cookies = hoarded(site, 3)
        assert read_on(site, cookies, 6) == self.FEW.size
        assert is_lead(site.ask(next(pages()), PLAIN, cookies[0])), "never a refusal"
        site.now += 600.0
        assert read_on(site, cookies, 6) == 10, "it fills up again"

    def test_one_reader_has_all_of_the_meter(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("contentguard.guard.crowds.GROWN", GROWN)
        cookies, most = hoarded(site, 1), Metering().articles_per_hour
        assert read_on(site, cookies, most + 3) == most - 1

    def test_another_line_is_another_matter(self, site: Site) -> None:
        assert read_on(site, hoarded(site, 2), 8) == self.FEW.size
        elsewhere = {"address": "198.51.100.7"}
        assert read_on(site, hoarded(site, 2, **elsewhere), 2, **elsewhere) == 4

    def test_reading_again_costs_nothing(self, site: Site) -> None:
        (cookie,), path = hoarded(site, 1), next(pages())
        assert all(is_whole(site.ask(path, PLAIN, cookie)) for _ in range(self.FEW.size + 3))
        assert read_on(site, [cookie], self.FEW.size) == self.FEW.size - 1

    def test_what_everybody_reads_costs_nothing(self, site: Site) -> None:
        cookies, path = hoarded(site, 4), next(pages())
        assert sum(is_whole(site.ask(path, PLAIN, cookie)) for cookie in cookies) == 4
        assert read_on(site, cookies, 4) == self.FEW.size - 3, "it had to be read a few times first"
        young = farmed(site, next(pages()), sheet=True).cookie
        assert is_whole(site.ask(path, PLAIN, young))

    def test_an_app_s_own_readers_share_nothing(self) -> None:
        site = news(reader=lambda scope: dict(scope["headers"]).get(b"x-account", b"").decode() or None)
        assert all(is_whole(site.ask(next(pages()), PLAIN, x_account="Ada")) for _ in range(self.FEW.size + 3))

    def test_where_the_store_fails_nobody_waits(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        async def broken(*_: object) -> Decision:
            raise OSError

        cookies = hoarded(site, 2)
        for method in ("take", "peek"):
            monkeypatch.setattr(type(site.guard.store), method, broken)
        assert read_on(site, cookies, 8) == 16

    @pytest.mark.parametrize("fails", [False, True], ids=["the store answers", "the store fails"])
    def test_nor_is_more_streamed(self, fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """A page that leaves as it comes is counted when it is too late to withhold any of it."""
        easy = Difficulty(Algorithm.PBKDF2, 1, 1, 1)
        monkeypatch.setattr("contentguard.guard.admissions.difficulty", lambda *_: easy)
        site = Site(PROGRESSIVE, app=in_pieces, pace=0.0)
        cookies = hoarded(site, 2)

        async def broken(*_: object) -> Decision:
            raise OSError

        if fails:
            monkeypatch.setattr(type(site.guard.store), "peek", broken)
            assert read_on(site, cookies, 8) == 16, "no reader pays for that"
        else:
            assert read_on(site, cookies, 8) == self.FEW.size


async def in_pieces(scope: Any, receive: Any, send: Any) -> None:
    """The same articles, as an app streams them."""
    body = LONG.encode().replace(b"Tide &amp; time", b"Tide " + scope["path"].encode())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    for at in range(0, len(body), 1000):
        await send({"type": "http.response.body", "body": body[at : at + 1000], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def test_much_is_forgotten_rather_than_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contentguard.guard.crowds._REMEMBERED", 2)
    paths = [next(pages()) for _ in range(3)]
    cookie = farmed(site, paths[0], sheet=True).cookie
    for path in paths[1:]:
        assert is_whole(site.ask(path, PLAIN, cookie))
    assert is_whole(site.ask(paths[0], PLAIN, cookie)), "it counts once more, no worse"


@pytest.mark.parametrize(("hour", "most"), [(0, 1), (10**6, 400)], ids=["none", "very many"])
def test_a_meter_holds_whatever_it_is_set_to(site: Site, hour: int, most: int) -> None:
    """None at all is the least that a meter can hold; neither is taken for a store that fails."""
    site = news(meter={"articles_per_hour": hour, "new_reader_articles_per_hour": min(hour, 400)})
    site.pace = 0.0
    cookies = hoarded(site, 1)
    assert read_on(site, cookies, 12) == min(most - 1, 12)
    assert site.guard.counts["ledger-failed"] == 0


def test_where_the_store_fails_nobody_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> Decision:
        raise OSError

    cookies = hoarded(site, 1)
    assert read_on(site, cookies, 1) == 1
    for method in ("take", "meter"):
        monkeypatch.setattr(type(site.guard.store), method, broken)
    assert opened(site, MOST + 1) == MOST + 1
    assert opened(site, ONE + 1, sheet=True) == ONE + 1
