"""Load for a server on this machine: 32 connections that ask again as soon as they are answered.

Strategy: ``wrk`` where it is installed, because it costs the machine least; else a generator of our own on bare
asyncio transports, which is slower than wrk and so flattens every ratio a little.
"""

from __future__ import annotations

import asyncio
import math
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from tests.benchmarks.measure import MeasureError

CONNECTIONS = 32
Headers = Mapping[str, str]


class Load(NamedTuple):
    """What came of a load."""

    rate: float
    """Answers per second."""
    answers: int
    refused: int
    """Answers that were neither 2xx nor 3xx."""


def shortest() -> float:
    """The shortest load worth asking for, in seconds."""
    return 1.0 if shutil.which("wrk") else 0.4


def put(url: str, headers: Headers, seconds: float) -> Load:
    """Load ``url`` for ``seconds``."""
    found = shutil.which("wrk")
    return wrk(found, url, headers, seconds) if found else asyncio.run(own(url, headers, seconds))


def wrk(command: str, url: str, headers: Headers, seconds: float) -> Load:
    """Load by ``wrk``, which knows whole seconds only."""
    named = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    call = [command, "-t1", f"-c{CONNECTIONS}", f"-d{math.ceil(seconds)}s", "--timeout", "30s", *named, url]
    done = subprocess.run(call, capture_output=True, text=True, timeout=seconds + 60, check=False)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    answers = re.search(r"(\d+) requests in", done.stdout)
    if rate is None or answers is None:
        raise MeasureError(f"wrk says: {done.stderr.strip() or done.stdout.strip()}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    return Load(float(rate[1]), int(answers[1]), int(refused[1]) if refused else 0)


async def own(url: str, headers: Headers, seconds: float) -> Load:
    """Load by our own generator."""
    parts = urlsplit(url)
    lines = [f"GET {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}"]
    request = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Connection(request), parts.hostname or "", parts.port or 80)
        for _ in range(CONNECTIONS)
    ]
    start = time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - start
    for transport, _ in made:
        transport.abort()
    connections = [connection for _, connection in made]
    await asyncio.gather(*(connection.closed.wait() for connection in connections))
    lost = [connection.fault for connection in connections if connection.fault]
    if lost:
        raise MeasureError(f"{len(lost)} of {CONNECTIONS} connections were lost: {lost[0]}")
    answers = sum(connection.answers for connection in connections)
    return Load(answers / took, answers, sum(connection.refused for connection in connections))


class _Connection(asyncio.Protocol):
    """Asks, reads the answer to its end (by Content-Length), asks again."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.answers = self.refused = 0
        self.fault = ""
        self.closed = asyncio.Event()
        self._head = b""
        self._missing = 0
        self._refusal = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self.request)

    def connection_lost(self, exc: Exception | None) -> None:
        # Our own abort() comes without an exception; a server that hangs up comes through eof_received.
        self.fault = self.fault or str(exc or "")
        self.closed.set()

    def eof_received(self) -> None:
        self.fault = "the server closed it"

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = self._head[:end], self._head[end + 4 :]
            length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
            if length is None:
                self.fault = "an answer without Content-Length"
                self._transport.abort()
                return
            self._refusal = head[9:10] not in (b"2", b"3")
            self._missing = int(length[1])
            self._head = b""
        self._missing -= len(data)
        if self._missing <= 0:
            # Both are counted when an answer is whole: the one that the end of the load cuts off counts for neither.
            self.answers += 1
            self.refused += self._refusal
            self._missing = 0
            self._transport.write(self.request)
