"""``contentguard status`` and ``contentguard revoke``, with a server that runs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

import httpx
import pytest

from contentguard import Settings
from contentguard.admission.maturity import Quota
from contentguard.admission.passes import read
from contentguard.backends.fallback import FallbackStore
from contentguard.backends.orders import OrderError, carry
from contentguard.cli import main, ordering
from contentguard.guard import Guard
from contentguard.guard.status import status
from contentguard.tokens import Signer
from tests.backends.servers import RedisServer, redis_server
from tests.cli.test_check import SAFE
from tests.client import CHROME, KEY, proof
from tests.guard.test_reading import news as news_site
from tests.servers.harness import Answer, Server, fetch, free_port, news


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = tmp_path_factory.mktemp("settings") / "guard.toml"
    made.write_text(f'secret_key = "{KEY}"\nsite = "The Daily Test"\n')
    return str(made)


@pytest.fixture(scope="module")
def server(file: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with news(tmp_path_factory.mktemp("paper") / "log", "--settings", file) as running:
        yield running


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def article(server: Server, **more: str) -> Answer:
    return fetch(server, "/news/tide-mill-turns-again", {**CHROME, **more})


def test_a_running_server_says_how_it_stands(server: Server, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    article(server)
    assert main(["status", url(server), "--settings", file]) == 0
    told = capsys.readouterr().out
    assert "reading progressive" in told
    assert "archive: no alarm" in told
    assert "store: kind memory" in told
    assert "1  leads" in told
    assert main(["status", url(server), "--settings", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["funnel"]["leads"] >= 1


def test_a_pass_is_taken_back(server: Server, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = proof(article(server).text)
    assert found is not None
    where, body = found
    with httpx.Client(base_url=url(server), headers=CHROME) as client:
        cookie = client.post(where, content=body).headers["set-cookie"].partition(";")[0]
    assert "cg-continue" not in article(server, cookie=cookie).text
    name = read_id(cookie)
    assert main(["revoke", name, "nonsense", "--url", url(server), "--settings", file]) == 1
    assert capsys.readouterr().out.splitlines() == [f"{name}: taken back", "nonsense: neither a pass nor a link"]
    assert "cg-continue" in article(server, cookie=cookie).text


def read_id(cookie: str) -> str:
    found = read(Signer([KEY.encode()]).derived("pass"), cookie.partition("=")[2].encode())
    assert found is not None
    return found.id


def test_with_a_shared_store_no_server_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with redis_server(tmp_path) as redis:
        chosen = tmp_path / "guard.toml"
        learned = tmp_path / "governor.json"
        chosen.write_text(f'store = "{redis.url}"\n{SAFE}[governor]\nfile = "{learned}"\n')
        name = "0123456789abcdef"
        assert main(["revoke", name, "--settings", str(chosen)]) == 0
        assert not learned.exists(), "that is the servers' affair"
        assert asyncio.run(_wait(redis, chosen, name)) == inf
    capsys.readouterr()
    assert main(["revoke", name, "--settings", str(chosen)]) == 1
    assert "the store does not answer: connection" in capsys.readouterr().err


async def _wait(redis: RedisServer, chosen: Path, name: str) -> float:
    guard = Guard(Settings.load(chosen))
    store = guard.store
    assert isinstance(store, FallbackStore)
    try:
        return await store.meter(name, 1, Quota(1, 1), time.time())
    finally:
        await guard.aclose()


@pytest.mark.parametrize(
    ("command", "toml", "said"),
    [
        (["status", "ftp://x"], SAFE, "where the site is"),
        (["status", "http://127.0.0.1"], "", "nothing else proves"),
        (["revoke", "0" * 16], SAFE, "a store that all processes share"),
        (["revoke", "0" * 16], 'store = "redis://127.0.0.1"', "by any other nothing would be found"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, command: list[str], toml: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = tmp_path / "guard.toml"
    chosen.write_text(toml)
    assert main([*command, "--settings", str(chosen)]) == 2
    assert said in capsys.readouterr().err


def test_another_key_and_nobody_there(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = tmp_path / "guard.toml"
    chosen.write_text('secret_key = "some-other-secret-key"')
    assert main(["status", url(server), "--settings", str(chosen)]) == 1
    assert "another secret key" in capsys.readouterr().err
    for command in (["status", "URL"], ["revoke", "0" * 16, "--url", "URL"]):
        there = [f"http://127.0.0.1:{free_port()}" if word == "URL" else word for word in command]
        assert main([*there, "--settings", str(chosen)]) == 1
        assert "gives no answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b"", "knows nothing"),
        (302, b"", "status 302"),
        (500, b"", "status 500"),
        (200, b"x" * 2**21, "status 200"),
    ],
)
def test_an_answer_that_is_none(status: int, body: bytes, said: str) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, content=body))
    with pytest.raises(OrderError, match=said):
        asyncio.run(carry("http://127.0.0.1/", "x", transport=transport))


def test_an_answer_that_is_no_json(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def carried(*_: Any) -> bytes:
        return b"<html>"

    monkeypatch.setattr(ordering, "carry", carried)
    assert main(["status", "http://127.0.0.1:1", "--settings", file]) == 1
    assert "not JSON" in capsys.readouterr().err


def test_an_alarm_and_a_store_that_is_gone_are_seen_by_scripts(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = status(news_site().guard)
    state["governor"] |= {"alarm": True, "alarm_since": 0.0, "normal_per_hour": 12.0}
    state["store"] = {"kind": "redis", "degraded": True, "failures": {"timeout": 3}, "answered_from_memory": {}}
    monkeypatch.setattr("contentguard.cli.status.order", lambda *_: state)
    assert main(["status", "http://127.0.0.1:1", "--settings", file]) == 3
    told = capsys.readouterr().out
    assert "ALARM since 1970-01-01 00:00:00 UTC" in told
    assert "12 an hour at a busy time" in told
    assert "failures timeout=3, answered_from_memory nothing" in told
    state |= {"governor": None, "reading": "off"}
    assert main(["status", "http://127.0.0.1:1", "--settings", file]) == 3
    assert "archive" not in capsys.readouterr().out
