"""What a request costs the server's process in all: uvicorn's own protocol, over a transport that leads nowhere.

Strategy: what goes over sockets shares the machine with its load generator and takes turns of a second; here every app
is asked a few times in every round, by the same bytes that a browser sends, and only the thread's own time counts, so
that a ratio is good to a hundredth on a busy machine. What is left out is the kernel's part, which is the same for
all: the ratios are a little worse than those over sockets. Without httptools uvicorn reads requests by h11, with it
by that, as it does when it serves.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.server import ServerState

from tests.benchmarks.answers import Kind, fault
from tests.benchmarks.apps import APPS
from tests.benchmarks.inprocess import Subject, warm
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Series, progress, there_and_back

SUBJECTS: Mapping[str, Subject] = {
    "noop": Subject("noop", "a pure ASGI middleware that does nothing"),
    "ready": Subject("ready", "nothing, where the app's answer is the guard's, made beforehand", Kind.GUARDED),
    "rewrite_only": Subject("rewrite_only", "contentguard without its limits", Kind.GUARDED),
    "guard": Subject("guarded", "contentguard", Kind.GUARDED),
}
"""Name in the figures → what the app stands behind."""
_BARE = "unguarded"
_TIMES = 25
"""Requests in one turn."""


class Nowhere(asyncio.Transport):
    """The client's end of a connection, as far as the protocol sees it."""

    def __init__(self, peer: tuple[str, int]) -> None:
        super().__init__()
        self._told = {"sockname": ("127.0.0.1", 443), "peername": peer, "sslcontext": True}
        self.sent = bytearray()
        self.keeps = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._told.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.keeps:
            self.sent += data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        raise MeasureError("the server has closed the connection")

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Connection:
    """A reader who comes back, on a connection that is kept."""

    def __init__(self, app: ASGIApp, scope: Mapping[str, Any]) -> None:
        config = Config(app, log_level="warning", access_log=False, proxy_headers=False, lifespan="off")
        config.load()
        self._state = ServerState()
        self.transport = Nowhere(tuple(scope["client"]))
        self._protocol = config.http_protocol_class(config, self._state, {})  # type: ignore[call-arg]
        self._protocol.connection_made(self.transport)
        lines = [b"%b: %b" % (name.title(), value) for name, value in scope["headers"]]
        self._request = b"\r\n".join([b"GET %b HTTP/1.1" % scope["path"].encode(), *lines, b"", b""])

    async def ask(self, times: int) -> float:
        """Seconds of the thread's own for one request."""
        start = time.thread_time()
        for _ in range(times):
            self._protocol.data_received(self._request)
            for task in tuple(self._state.tasks):
                await task
        return (time.thread_time() - start) / times

    async def fault(self, kind: Kind) -> str:
        """What is wrong with an answer; empty where nothing is."""
        self.transport.keeps = True
        await self.ask(1)
        self.transport.keeps = False
        head, _, body = bytes(self.transport.sent).partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return fault(kind, int(status.split()[1]), headers, body, gzip=False)


def served(options: Options) -> Figures:
    """What share of requests a server's process answers in the same time. Raises for who answers wrongly."""
    progress("serve: the server's own time")
    subjects = {_BARE: Subject(_BARE, ""), **SUBJECTS}
    apps = {name: APPS[subject.app]() for name, subject in subjects.items()}
    taken = asyncio.run(_rounds(apps, subjects, options))
    return {
        f"serve.protocol_{name}_over_unguarded": Figure(
            median(a / b for a, b in zip(taken[_BARE], taken[name], strict=True)),
            "×",
            f"in the server's process alone, the 60 KB page behind {subject.told} : alone",
        )
        for name, subject in SUBJECTS.items()
    }


async def _rounds(apps: Mapping[str, ASGIApp], subjects: Mapping[str, Subject], options: Options) -> Series:
    connections: dict[str, Connection] = {}
    for name, app in apps.items():
        connections[name] = Connection(app, (await warm(app, subjects[name]))[2])
        if why := await connections[name].fault(subjects[name].kind):
            raise MeasureError(f"by uvicorn's protocol, {name}: {why}")
    taken: dict[str, list[float]] = {name: [] for name in apps}
    for number in range(options.rounds * (2 if options.quick else 40)):
        if not number % 40:
            gc.collect()
        for name in there_and_back(apps, number):
            taken[name].append(await connections[name].ask(_TIMES))
    return taken
