"""What the operator may ask of a running server, and nobody else; and what becomes of a pass that is taken back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from contentguard.admission import orders
from contentguard.admission.orders import REVOKE, STATUS
from contentguard.guard.status import status
from contentguard.tokens import Signer
from tests.client import CHROME as PLAIN
from tests.client import KEY, drive, http_scope
from tests.guard.test_reading import is_lead, is_whole, news, proved
from tests.guard.test_visits import Answer, Site


@pytest.fixture
def reading() -> Site:
    return news()


def ordered(
    site: Site, route: str, body: bytes = b"", *, key: str = KEY, late: float = 0.0, signed: bytes | None = None
) -> Answer:
    text = orders.write(
        Signer([key.encode()]).derive("orders"), route, body if signed is None else signed, site.now + late, b"12345678"
    )
    site.pace = 0.0
    method = "GET" if route == STATUS else "POST"
    return site.ask(f"/.contentguard{route}", PLAIN, "", method, body, authorization=f"ContentGuard {text}")


def pass_of(site: Site) -> str:
    first = site.ask("/news/tide", PLAIN)
    return proved(site, first, first.cookie).cookie


def id_of(site: Site, cookie: str) -> str:
    from contentguard.admission.passes import read

    found = read(site.guard.signer.derived("pass"), cookie.partition("=")[2].encode())
    assert found is not None
    return found.id


class TestStatus:
    def test_who_has_the_key_is_told(self, reading: Site) -> None:
        pass_of(reading)
        answer = ordered(reading, STATUS)
        assert (answer.status, answer.get("content-type")) == (200, "application/json")
        assert answer.get("cache-control") == "no-store"
        found = json.loads(answer.text)
        assert found["funnel"] == {"leads": 1, "tickets.redeemed": 1}
        assert found["governor"]["alarm"] is False
        assert found["governor"]["counts"]["passes"] == 1
        assert found["store"]["kind"] == "memory"
        assert found["rules"]
        assert "192.0.2.7" not in answer.text

    @pytest.mark.parametrize(
        "how",
        [{"key": "another-key-of-somebody-else"}, {"late": 61.0}, {"late": -61.0}, {"signed": b"other"}],
        ids=["key", "early", "late", "body"],
    )
    @pytest.mark.parametrize("route", [STATUS, REVOKE])
    def test_nobody_else_finds_anything_there(self, reading: Site, route: str, how: dict[str, Any]) -> None:
        assert ordered(reading, route, **how).status == 404

    @pytest.mark.parametrize(
        "order", ["", "Basic eDp5", "ContentGuard ", "ContentGuard x", "ContentGuard " + "A" * 2000]
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
    def test_nor_what_is_no_order(self, reading: Site, order: str, method: str) -> None:
        extra = {"authorization": order} if order else {}
        assert reading.ask("/.contentguard/status", PLAIN, "", method, extra=extra).status == 404

    @pytest.mark.parametrize("agent", ["kube-probe/1.31", "GoogleHC/1.0", "ELB-HealthChecker/2.0"])
    def test_cve_2026_34457_nobody_s_name_opens_it(self, reading: Site, agent: str) -> None:
        assert reading.ask("/.contentguard/status", {"user-agent": agent}).status == 404

    @pytest.mark.parametrize("path", ["/news/tide?/.contentguard/status", "/news/tide?x=/.contentguard/revoke"])
    def test_cve_2025_54576_a_query_is_no_path(self, reading: Site, path: str) -> None:
        assert is_lead(reading.ask(path, PLAIN))

    def test_an_order_for_one_thing_is_none_for_another(self, reading: Site) -> None:
        text = orders.write(Signer([KEY.encode()]).derive("orders"), STATUS, b"", reading.now, b"12345678")
        extra = {"authorization": f"ContentGuard {text}"}
        reading.pace = 0.0
        assert reading.ask(f"/.contentguard{REVOKE}", PLAIN, "", "POST", b"", extra=extra).status == 404

    def test_without_visits_there_is_less_to_tell(self) -> None:
        found = status(Site({"visits": {"remember": False}}).guard)
        assert (found["governor"], found["funnel"]) == (None, {})

    def test_a_store_of_the_app_s_own(self, reading: Site) -> None:
        reading.guard.store = object()
        assert status(reading.guard)["store"] == {"kind": "object"}

    def test_a_client_that_goes_away(self, reading: Site) -> None:
        scope = http_scope("/.contentguard/revoke", {"authorization": "ContentGuard x"}, method="POST")
        sent: list[Any] = []

        async def gone() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(reading.guarded(scope, gone, send))
        assert sent == []

    def test_a_long_body_is_not_read_to_its_end(self, reading: Site) -> None:
        scope = http_scope("/.contentguard/revoke", {"authorization": "ContentGuard x"}, method="POST")
        assert asyncio.run(drive(reading.guarded, scope, b"x" * 200_000))[0]["status"] == 404


class TestRevoked:
    def test_a_pass_is_as_if_there_were_none(self, reading: Site) -> None:
        cookie = pass_of(reading)
        assert is_whole(reading.ask("/news/other", PLAIN, cookie))
        name = id_of(reading, cookie)
        assert json.loads(ordered(reading, REVOKE, f"{name}\n\nnonsense".encode()).text) == {
            name: True,
            "nonsense": False,
        }
        again = reading.ask("/news/other", PLAIN, cookie)
        assert is_lead(again)
        assert again.cookie, "a new visit"
        assert again.cookie != cookie
        rest = proved(reading, again, cookie)
        assert rest.status == 200
        assert id_of(reading, rest.cookie) != name
        assert is_whole(reading.ask("/news/other", PLAIN, rest.cookie))

    def test_it_stays_so_until_no_clock_takes_it_for_a_pass(self, reading: Site) -> None:
        cookie = pass_of(reading)
        asyncio.run(reading.guard.revoke(id_of(reading, cookie)))
        reading.now += 86_400 - 1800
        assert is_lead(reading.ask("/news/other", PLAIN, cookie))
        reading.now += 3600
        assert is_lead(reading.ask("/news/other", PLAIN, cookie))

    def test_a_link_too(self, reading: Site) -> None:
        link = reading.guard.links.share("/news/tide")
        assert json.loads(ordered(reading, REVOKE, link.encode()).text) == {link: True}
        assert is_lead(reading.ask(link.removeprefix("https://news.example"), PLAIN))

    def test_what_another_process_was_told(self, reading: Site) -> None:
        """The store knows, this process does not yet: it learns when the pass is used."""
        cookie = pass_of(reading)
        name = id_of(reading, cookie)
        reading.guard._own.revoke_now(name, reading.now + 1e6, reading.now)
        assert is_lead(reading.ask("/news/other", PLAIN, cookie))
        again = reading.ask("/news/other", PLAIN, cookie)
        assert again.cookie, "from now on it is nobody's"

    def test_how_many_are_remembered(self, reading: Site) -> None:
        visits = reading.guard.visits
        for n in range(5000):
            visits.revoke(f"{n:016x}", reading.now)
        assert len(visits._revoked) == 4096
        assert f"{4999:016x}" in visits._revoked

    def test_nothing_to_take_back_where_nothing_is_given(self) -> None:
        assert asyncio.run(Site({"visits": {"remember": False}}).guard.revoke("0" * 16)) is False
