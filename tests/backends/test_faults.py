"""Whatever becomes of Redis under load, no reader notices: a real server, real requests, a real redis-server.

Two hundred requests a second ask the store three questions each while Redis hangs, goes on, is killed, comes back
empty, is full and has room again. Every ticket is tried twice: what is to be spent once is spent once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.backends.app import REDIS
from tests.backends.servers import RedisServer, redis_server
from tests.servers.harness import HOST, PATIENCE, Server, fetch, server_command, serving

_VISITORS = 20
_RATE = 10.0
"""Requests a second of each visitor."""
_OUTAGE = 0.5
"""Seconds that an outage lasts at least, after the app has noticed it."""
_MEANWHILE = 5 * _VISITORS
"""Answers that come meanwhile at least: on a busy machine an outage lasts longer."""


class Answer(NamedTuple):
    """What a visitor got, and when."""

    ticket: str
    status: int
    said: dict[str, Any]
    asked: float
    came: float


class Visits:
    """Visitors on connections of their own, each of whom tries every ticket twice."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._over = asyncio.Event()
        self.answers: list[Answer] = []
        self.outages: list[tuple[float, float]] = []
        """From when the app knew of it until Redis was put right."""

    async def all(self, redis: RedisServer) -> None:
        """All the visits, and the faults meanwhile."""
        visits = asyncio.gather(*map(self._visit, range(_VISITORS)))
        try:
            await self._more(_MEANWHILE)
            for fault, mend in (
                (redis.pause, redis.resume),
                (redis.kill, redis.start),
                (
                    lambda: redis.say("CONFIG", "SET", "maxmemory", "1"),
                    lambda: redis.say("CONFIG", "SET", "maxmemory", "0"),
                ),
            ):
                await self._outage(fault, mend)
                await self._more(_MEANWHILE)
        finally:
            self._over.set()
            await visits

    async def _outage(self, fault: Callable[[], object], mend: Callable[[], object]) -> None:
        await asyncio.to_thread(fault)
        await self._until_degraded(True)
        noticed = time.monotonic()
        await asyncio.sleep(_OUTAGE)
        await self._more(_MEANWHILE)
        self.outages.append((noticed, time.monotonic()))
        await asyncio.to_thread(mend)
        await self._until_degraded(False)

    async def _visit(self, visitor: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, self._server.port)
        start, number = time.monotonic() + visitor / _VISITORS / _RATE, 0
        while not self._over.is_set():
            await asyncio.sleep(max(start + number / _RATE - time.monotonic(), 0))
            ticket = f"{visitor:02}-{number // 2:05}"
            asked = time.monotonic()
            writer.write(f"GET /?{ticket} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
            said = json.loads(await reader.readexactly(length))
            self.answers.append(Answer(ticket, int(head.split()[1]), said, asked, time.monotonic()))
            number += 1
        writer.close()
        await writer.wait_closed()

    async def _more(self, number: int) -> None:
        enough = len(self.answers) + number
        await _until(lambda: len(self.answers) >= enough)

    async def _until_degraded(self, expected: bool) -> None:
        deadline = time.monotonic() + 2 * PATIENCE
        while (await asyncio.to_thread(status, self._server))["degraded"] is not expected:
            assert time.monotonic() < deadline, "it stays as it is"
            await self._more(1)


async def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "nothing moves"
        await asyncio.sleep(0.02)


def status(server: Server) -> dict[str, Any]:
    """What the app tells of its store."""
    told: dict[str, Any] = json.loads(fetch(server, "/status").body)
    return told


def test_no_reader_notices_what_becomes_of_redis(tmp_path: Path) -> None:
    command = server_command("uvicorn", "tests.backends.app:app", "--factory", "--no-access-log")
    with (
        redis_server(tmp_path) as redis,
        serving(command, tmp_path / "log", ready="/status", **{REDIS: redis.url}) as server,
    ):
        visits = Visits(server)
        asyncio.run(visits.all(redis))
        told = status(server)
    answers = visits.answers
    times = sorted(answer.came - answer.asked for answer in answers)
    middle, late, slowest = (times[int(share * (len(times) - 1))] * 1000 for share in (0.5, 0.99, 1))
    print(
        f"{len(times)} answers: median {middle:.1f} ms, 99 % within {late:.0f} ms, all within {slowest:.0f} ms; {told}"
    )
    assert {answer.status for answer in answers} == {200}
    assert all(answer.said["allowed"] and answer.said["wait"] == 0.0 for answer in answers)
    spent = Counter(answer.ticket for answer in answers if answer.said["spent"])
    assert spent.keys() == {answer.ticket for answer in answers}
    assert set(spent.values()) == {1}
    assert len(visits.outages) == 3
    waited = [a for a in answers for noticed, mended in visits.outages if a.asked <= noticed and a.came >= mended]
    assert not waited, "nobody waits for Redis to come back"
    assert told["outages"] >= 3
    assert {"timeout", "connection", "full"} <= told["failures"].keys()
