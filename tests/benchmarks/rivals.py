"""Deciding, against what others do at the same place: middlewares that decide, and a list of crawlers' patterns.

Strategy: what is compared decides whether a request may pass and nothing more, so the app behind answers two bytes that
are no page and nobody rewrites. Everything is in memory, counts every request against a limit that is never reached,
and is set up as its documentation says; of several ways to mount one the fastest is taken. What is not installed is
left out, by name.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from itertools import count
from statistics import median

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from contentguard import ContentGuardMiddleware
from contentguard.crawlers import CATALOGUE
from contentguard.data import crawlers
from tests.benchmarks.apps import PATH, UNREACHED
from tests.benchmarks.inprocess import seconds_per_request
from tests.benchmarks.measure import (
    Figure,
    Figures,
    Fresh,
    MeasureError,
    Options,
    Series,
    alternated,
    progress,
    ratio,
    there_and_back,
)
from tests.client import drive, http_scope, settings

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
ROBOT = "Mozilla/5.0 (compatible; {}/{}.1; +http://robots.example/)"


async def answer(request: Request) -> PlainTextResponse:
    """What is no page."""
    return PlainTextResponse("ok")


def bare() -> Starlette:
    """The app alone."""
    return Starlette(routes=[Route(PATH, answer)])


def guarded() -> Starlette:
    """Behind contentguard, which counts requests as the others do."""
    app = bare()
    app.add_middleware(ContentGuardMiddleware, settings=settings(limits={"requests": UNREACHED}))
    return app


def slowapi() -> Starlette:
    """Behind slowapi's ASGI middleware, the faster of its two."""
    from slowapi import Limiter
    from slowapi.middleware import SlowAPIASGIMiddleware
    from slowapi.util import get_remote_address

    app = bare()
    app.state.limiter = Limiter(key_func=get_remote_address, default_limits=[UNREACHED])
    app.add_middleware(SlowAPIASGIMiddleware)
    return app


def fastapi_guard() -> Starlette:
    """Behind fastapi-guard's pure ASGI middleware, the faster of its two, without penetration detection and Redis."""
    from guard import PureASGISecurityMiddleware, SecurityConfig

    logging.getLogger("guard_core").setLevel(logging.WARNING)
    config = SecurityConfig(
        enable_penetration_detection=False, enable_redis=False, rate_limit=10**9, rate_limit_window=60
    )
    app = bare()
    app.add_middleware(PureASGISecurityMiddleware, config=config)
    return app


RIVALS: Mapping[str, tuple[str, Callable[[], Starlette]]] = {
    "slowapi": ("slowapi", slowapi),
    "fastapi_guard": ("guard", fastapi_guard),
}
"""Name in the figures → the module that must be there, and how its app is made."""
PATTERNS = "crawleruseragents"
"""The module of the PyPI package crawler-user-agents."""


def compared(options: Options) -> Figures:
    """How many times less contentguard adds, and how many times faster its catalogue answers."""
    there = {name: make for name, (module, make) in RIVALS.items() if find_spec(module)}
    missing = [name.replace("_", "-") for name in RIVALS if name not in there]
    missing += [] if find_spec(PATTERNS) else ["crawler-user-agents"]
    if missing:
        progress(f"decide: left out, because not installed: {', '.join(missing)}")
    return {**asyncio.run(_added(there, options)), **(_matched(options) if find_spec(PATTERNS) else {})}


async def _added(rivals: Mapping[str, Callable[[], Starlette]], options: Options) -> Figures:
    apps: dict[str, ASGIApp] = {name: make() for name, make in {"bare": bare, "guard": guarded, **rivals}.items()}
    for name, app in apps.items():
        sent = await drive(app, http_scope(PATH))
        if sent[0]["status"] != 200 or sent[1]["body"] != b"ok":
            raise MeasureError(f"decide: {name} does not let a reader pass: {sent[0]['status']}")
    taken = await _rounds(apps, options)
    told = "how many times less contentguard adds to a request that is let through than {}"
    return {
        f"decide.over_{name}": Figure(_times(taken, name), "×", told.format(name.replace("_", "-"))) for name in rivals
    }


async def _rounds(apps: Mapping[str, ASGIApp], options: Options) -> Series:
    taken: dict[str, list[float]] = {name: [] for name in apps}
    times = 50 if options.quick else 500
    for number in range(options.rounds):
        for name in there_and_back(apps, number):
            await seconds_per_request(apps[name], http_scope(PATH), times // 10)
            taken[name].append(await seconds_per_request(apps[name], http_scope(PATH), times))
    return taken


def _times(taken: Series, rival: str) -> float:
    """What a rival adds over what we add, each inside one round. A difference that comes out as nothing is 0.1 µs."""
    rounds = zip(taken[rival], taken["guard"], taken["bare"], strict=True)
    return median((theirs - base) / max(ours - base, 1e-7) for theirs, ours, base in rounds)


def _matched(options: Options) -> Figures:
    from crawleruseragents import is_crawler

    agents = _agents()
    works = {
        "ours": Fresh(agents.__next__, CATALOGUE.match),
        "theirs": Fresh(agents.__next__, lambda agent: is_crawler(agent.decode())),
    }
    taken = alternated(works, options.rounds, 0.02 if options.quick else 0.1)
    told = "how many times faster the catalogue tells robots from browsers never seen than crawler-user-agents"
    return {"decide.match_over_crawler_user_agents": Figure(ratio(taken, "theirs", "ours"), "×", told)}


def _agents() -> Iterator[bytes]:
    """User-Agents never seen, a browser's and a robot's in turn."""
    names = [crawler.token.removeprefix("^").removesuffix("$") for crawler in crawlers() if not crawler.control]
    for number in count():
        yield BROWSER.format(f"140.0.{number}.1").encode()
        yield ROBOT.format(names[number % len(names)], number).encode()
