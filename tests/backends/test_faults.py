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
from tests.servers.harness import HOST, Server, fetch, server_command, serving

_VISITORS = 20
_RATE = 10.0
"""Requests a second of each visitor."""
_STEP = 1.0
"""Seconds between one fault and the next."""
_SLOWEST = 1.0
"""Seconds. Each outage lasts as long; a request that waited for one would take longer."""


class Answer(NamedTuple):
    """What a visitor got."""

    ticket: str
    status: int
    seconds: float
    said: dict[str, Any]


async def visit(port: int, visitor: int, over: asyncio.Event) -> list[Answer]:
    """A visitor with a connection of its own, who tries every ticket twice."""
    reader, writer = await asyncio.open_connection(HOST, port)
    answers: list[Answer] = []
    start = time.monotonic() + visitor / _VISITORS / _RATE
    while not over.is_set():
        await asyncio.sleep(max(start + len(answers) / _RATE - time.monotonic(), 0))
        ticket = f"{visitor:02}-{len(answers) // 2:05}"
        asked = time.monotonic()
        writer.write(f"GET /?{ticket} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
        said = json.loads(await reader.readexactly(length))
        answers.append(Answer(ticket, int(head.split()[1]), time.monotonic() - asked, said))
    writer.close()
    await writer.wait_closed()
    return answers


async def fail(redis: RedisServer, healthy: Callable[[], bool]) -> None:
    """One fault after the other; each is mended, and the next comes when the app trusts Redis again."""
    for fault, mend in (
        (redis.pause, redis.resume),
        (redis.kill, redis.start),
        (lambda: redis.say("CONFIG", "SET", "maxmemory", "1"), lambda: redis.say("CONFIG", "SET", "maxmemory", "0")),
    ):
        await asyncio.sleep(_STEP)
        await asyncio.to_thread(fault)
        await asyncio.sleep(_STEP)
        assert not await asyncio.to_thread(healthy)
        await asyncio.to_thread(mend)
        for _ in range(200):
            if await asyncio.to_thread(healthy):
                break
            await asyncio.sleep(0.05)
        assert await asyncio.to_thread(healthy)


def status(server: Server) -> dict[str, Any]:
    """What the app tells of its store."""
    told: dict[str, Any] = json.loads(fetch(server, "/status").body)
    return told


async def story(server: Server, redis: RedisServer) -> list[Answer]:
    """All the visits, and the faults meanwhile."""
    over = asyncio.Event()
    visits = asyncio.gather(*(visit(server.port, visitor, over) for visitor in range(_VISITORS)))
    try:
        await fail(redis, lambda: not status(server)["degraded"])
    finally:
        over.set()
        answers = await visits
    return [answer for visited in answers for answer in visited]


def test_no_reader_notices_what_becomes_of_redis(tmp_path: Path) -> None:
    command = server_command("uvicorn", "tests.backends.app:app", "--factory", "--no-access-log")
    with (
        redis_server(tmp_path) as redis,
        serving(command, tmp_path / "log", ready="/status", **{REDIS: redis.url}) as server,
    ):
        answers = asyncio.run(story(server, redis))
        told = status(server)
    assert len(answers) > 500
    assert {answer.status for answer in answers} == {200}
    assert all(answer.said["allowed"] and answer.said["wait"] == 0.0 for answer in answers)
    spent = Counter(answer.ticket for answer in answers if answer.said["spent"])
    assert spent.keys() == {answer.ticket for answer in answers}
    assert set(spent.values()) == {1}
    times = sorted(answer.seconds for answer in answers)
    middle, late, slowest = (times[int(share * (len(times) - 1))] * 1000 for share in (0.5, 0.99, 1))
    print(
        f"{len(times)} answers: median {middle:.1f} ms, 99 % within {late:.0f} ms, all within {slowest:.0f} ms; {told}"
    )
    assert times[-1] < _SLOWEST
    assert told["outages"] >= 3
    assert {"timeout", "connection", "full"} <= told["failures"].keys()
