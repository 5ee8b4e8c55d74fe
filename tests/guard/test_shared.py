"""Several processes with one Redis: what one of them knows all know, and what becomes of readers when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from contentguard import ContentGuardMiddleware, SettingsError
from contentguard.admission.passes import read
from contentguard.backends.fallback import FallbackStore
from tests.backends.servers import RedisServer, redis_server
from tests.client import CHROME, drive, http_scope, proof, settings
from tests.guard.test_reading import articles


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


def _failures(one: ContentGuardMiddleware) -> int:
    store = one.guard.store
    assert isinstance(store, FallbackStore)
    return store.failures.total()


class Reader:
    """One reader of guards that share a store."""

    def __init__(self, url: str) -> None:
        chosen = settings(reading={"mode": "progressive"}, store=url)
        self.guards = [ContentGuardMiddleware(articles, settings=chosen) for _ in range(2)]
        self.cookie = ""

    async def ask(self, number: int, path: str, body: bytes | None = None) -> tuple[int, str]:
        """Status and body of a request to one of the guards."""
        headers = {**CHROME, "cookie": self.cookie} if self.cookie else CHROME
        method = "GET" if body is None else "POST"
        sent = await drive(self.guards[number], http_scope(path, headers, method=method), body or b"")
        told = dict(sent[0]["headers"])
        if b"set-cookie" in told:
            self.cookie = told[b"set-cookie"].decode().partition(";")[0]
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()

    async def close(self) -> None:
        for one in self.guards:
            await one.guard.aclose()


def play(url: str, story: Callable[[Reader], Awaitable[None]], *, shared: bool = False) -> None:
    """``shared``: the story is told of a Redis that answered in time; on a machine too busy for that, once more."""

    async def run() -> bool:
        reader = Reader(url)
        try:
            await story(reader)
        except AssertionError:
            if not (shared and any(_failures(one) for one in reader.guards)):
                raise
            return False
        finally:
            await reader.close()
        return True

    assert any(asyncio.run(run()) for _ in range(5)), "Redis never answered in time"


def posted(lead: str) -> tuple[str, bytes]:
    found = proof(lead)
    assert found is not None, "no lead"
    return found


def test_a_ticket_that_one_process_has_taken_no_other_takes(redis: RedisServer) -> None:
    async def story(reader: Reader) -> None:
        _, lead = await reader.ask(0, "/news/tide")
        where, body = posted(lead)
        assert (await reader.ask(0, where, body))[0] == 200
        assert (await reader.ask(1, where, body))[0] == 403
        assert "tide29" in (await reader.ask(1, "/news/tide"))[1], "the pass holds everywhere"

    play(redis.url, story, shared=True)


def test_a_meter_is_one_meter(redis: RedisServer) -> None:
    async def story(reader: Reader) -> None:
        where, body = posted((await reader.ask(0, "/news/tide"))[1])
        await reader.ask(0, where, body)
        whole = [("tide29" in (await reader.ask(n % 2, f"/news/{n}"))[1]) for n in range(8)]
        assert whole == [True] * 4 + [False] * 4

    play(redis.url, story, shared=True)


def test_a_pass_that_is_taken_back_in_one_process_is_none_in_the_other(redis: RedisServer) -> None:
    async def story(reader: Reader) -> None:
        where, body = posted((await reader.ask(0, "/news/tide"))[1])
        await reader.ask(0, where, body)
        assert "tide29" in (await reader.ask(1, "/news/other"))[1]
        given = read(reader.guards[0].guard.signer.derived("pass"), reader.cookie.partition("=")[2].encode())
        assert given is not None
        assert await reader.guards[0].guard.revoke(given.id)
        before = reader.cookie
        assert "tide29" not in (await reader.ask(1, "/news/new"))[1]
        assert reader.cookie == before, "it was the store that said so"
        assert "tide29" not in (await reader.ask(1, "/news/other"))[1]
        assert reader.cookie != before, "from now on it is nobody's"

    play(redis.url, story, shared=True)


def test_a_link_has_one_budget_in_all_processes(redis: RedisServer) -> None:
    async def story(reader: Reader) -> None:
        links = [one.links for one in reader.guards]
        name = token_hex(4)  # a story may be told twice to one Redis
        path, _, query = links[0].share("/news/tide", name).removeprefix("https://news.example").partition("?")
        opened = 0
        for n in range(14):
            scope = http_scope(path, CHROME, query_string=query.encode(), client=(f"198.51.100.{n}", 1))
            sent = await drive(reader.guards[n % 2], scope)
            opened += b"tide29" in sent[1]["body"]
        assert opened == 10
        given = [await links[n % 2].gift(f"/news/{n}", name) for n in range(12)]
        assert [link is not None for link in given] == [True] * 10 + [False] * 2
        assert await links[1].revoke(given[0] or "")
        path, _, query = (given[0] or "").removeprefix("https://news.example").partition("?")
        sent = await drive(reader.guards[0], http_scope(path, CHROME, query_string=query.encode()))
        assert b"tide29" not in sent[1]["body"]

    play(redis.url, story, shared=True)


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_without_it_readers_read_on_and_a_ticket_is_still_taken_once(redis: RedisServer, fault: str) -> None:
    async def story(reader: Reader) -> None:
        where, body = posted((await reader.ask(0, "/news/tide"))[1])
        getattr(redis, fault)()
        assert (await reader.ask(0, where, body))[0] == 200
        assert (await reader.ask(0, where, body))[0] == 403, "by the same process"
        for n in range(4):
            status, page = await reader.ask(0, f"/news/{n}")
            assert status == 200
            assert "tide29" in page

    play(redis.url, story)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "127.0.0.1:6379", "redis"])
def test_an_address_that_is_none_is_a_fault_of_the_settings(url: str) -> None:
    with pytest.raises(SettingsError, match="redis://"):
        settings(store=url)


def test_without_the_client_the_settings_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "contentguard.backends.redis", None)
    with pytest.raises(SettingsError, match=r"contentguard\[redis\]"):
        ContentGuardMiddleware(_nothing, settings=settings(store="redis://127.0.0.1"))


async def _nothing(scope: Any, receive: Any, send: Any) -> None: ...
