"""What a middleware adds to one request, without sockets: the app is called the way a server calls it.

Strategy: an app of 20 microseconds behind a server of 200 hides what a middleware costs; here nothing does. Every app
has its turn in every round, and a difference is formed only inside a round.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

from starlette.types import ASGIApp, Message

from contentguard.assets import ASSETS
from tests.benchmarks.apps import APPS, PAGE, PATH
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Series, progress
from tests.client import drive, http_scope

MEASURED = ("guard", "noop", "basehttp", "slowapi", "bs4")
_BARE = "unguarded"
_NAMES = {"guard": "guarded"}


def added(options: Options) -> Figures:
    """Microseconds added per request over the bare app, and how much cheaper the guard is than the usual."""
    progress("serve: in process")
    apps: dict[str, ASGIApp] = {name: APPS[_NAMES.get(name, name)]() for name in (_BARE, *MEASURED)}
    taken = asyncio.run(_rounds(apps, options))
    micros = {name: median(a - b for a, b in zip(taken[name], taken[_BARE], strict=True)) * 1e6 for name in MEASURED}
    figures = {
        f"serve.added_us_{name}": Figure(value, "µs", f"added to one request in process by {_TOLD[name]}")
        for name, value in micros.items()
    }
    for rival in ("slowapi", "basehttp"):
        figures[f"serve.added_us_over_{rival}"] = Figure(
            micros[rival] / micros["guard"], "×", f"how many times less the guard adds than {_TOLD[rival]}"
        )
    return figures


_TOLD = {
    "guard": "contentguard",
    "noop": "a pure ASGI middleware that does nothing",
    "basehttp": "a BaseHTTPMiddleware that does nothing",
    "slowapi": "slowapi (ASGI, memory)",
    "bs4": "the same insertions by BeautifulSoup",
}


async def _rounds(apps: Mapping[str, ASGIApp], options: Options) -> Series:
    budget = 0.02 if options.quick else 0.06
    times: dict[str, int] = {}
    for name, app in apps.items():
        await _check(name, app)
        times[name] = max(1, int(budget / await seconds_per_request(app, 3)))
    taken: dict[str, list[float]] = {name: [] for name in apps}
    for _ in range(options.rounds * (2 if options.quick else 6)):
        gc.collect()
        for name, app in apps.items():
            await seconds_per_request(app, times[name] // 10)
            taken[name].append(await seconds_per_request(app, times[name]))
    return taken


async def _check(name: str, app: ASGIApp) -> None:
    """Raise where an app does not answer with what it is measured for."""
    sent = await drive(app, http_scope(PATH))
    body = b"".join(message.get("body", b"") for message in sent)
    wanted = all(file.encode() in body for file in ASSETS) if name in ("guard", "bs4") else body == PAGE
    if sent[0]["status"] != 200 or not wanted:
        raise MeasureError(f"the app behind {name} does not answer as it should (status {sent[0]['status']})")


async def seconds_per_request(app: ASGIApp, times: int) -> float:
    """Seconds of one request, each with a scope of its own."""
    scope = http_scope(PATH)
    start = time.perf_counter()
    for _ in range(times):
        await app({**scope, "headers": scope["headers"].copy()}, _receive, _send)
    return (time.perf_counter() - start) / max(times, 1)


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Message) -> None:
    """Where the answer goes."""
