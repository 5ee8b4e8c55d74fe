"""What a middleware adds to one request, without sockets: the app is called the way a server calls it.

Strategy: an app of 20 microseconds behind a server of 200 hides what a middleware costs; here nothing does. Every app
has its turn in every round, and a difference is formed only inside a round. The guard has everything on, and readers
come back with its cookie; what it is compared with does one thing.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Mapping
from statistics import median
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message

from tests.benchmarks.answers import GZIP, SHEET, Kind, fault, returning
from tests.benchmarks.apps import APPS, PATH
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Series, progress, there_and_back
from tests.client import CHROME, drive, http_scope, proof


class Subject(NamedTuple):
    """What is measured under one name."""

    app: str
    told: str
    kind: Kind = Kind.PLAIN
    gzip: bool = False

    def scope(self, path: str, cookie: Mapping[str, str]) -> dict[str, Any]:
        """One request to it."""
        return http_scope(path, {**CHROME, **GZIP, **cookie} if self.gzip else {**CHROME, **cookie})


SUBJECTS: Mapping[str, Subject] = {
    "guard": Subject("guarded", "contentguard", Kind.GUARDED),
    "rewrite_only": Subject("rewrite_only", "contentguard without its limits", Kind.GUARDED),
    "noop": Subject("noop", "a pure ASGI middleware that does nothing"),
    "basehttp": Subject("basehttp", "a BaseHTTPMiddleware that does nothing"),
    "slowapi": Subject("slowapi", "slowapi as documented (memory)"),
    "slowapi_asgi": Subject("slowapi_asgi", "slowapi's ASGI middleware (memory)"),
    "guard_gzip": Subject("guarded", "contentguard for who accepts gzip", Kind.GUARDED, gzip=True),
    "gzipmiddleware": Subject("gzip", "GZipMiddleware (level 9, its default)", gzip=True),
    "gzipmiddleware6": Subject("gzip6", "GZipMiddleware at level 6", gzip=True),
    "bs4": Subject("bs4", "the same insertions by BeautifulSoup", Kind.GUARDED),
}
"""Name in the figures → what it is."""

_BARE = "unguarded"
_OVER = {
    **dict.fromkeys(("slowapi", "slowapi_asgi", "basehttp"), "guard"),
    **dict.fromkeys(("gzipmiddleware", "gzipmiddleware6"), "guard_gzip"),
}
"""Rival → what of ours it is compared with."""


def added(options: Options) -> Figures:
    """Microseconds added per request over the bare app, and how much cheaper the guard is than the usual.

    Raises for the subjects that do not answer as they should, once the others are measured.
    """
    progress("serve: in process")
    subjects = {_BARE: Subject(_BARE, ""), **SUBJECTS}
    apps: dict[str, ASGIApp] = {name: APPS[subject.app]() for name, subject in subjects.items()}
    wrong = {name: why for name, subject in subjects.items() if (why := asyncio.run(_wrong(apps[name], subject)))}
    taken = asyncio.run(
        _rounds({name: (app, subjects[name]) for name, app in apps.items() if name not in wrong}, options)
    )
    figures = compared(taken)
    if wrong:
        raise MeasureError("\n".join(f"in process, {name}: {why}" for name, why in wrong.items()), figures)
    return figures


def compared(taken: Series) -> Figures:
    """What the seconds per request in each round say."""
    micros = {
        name: median(a - b for a, b in zip(taken[name], taken[_BARE], strict=True)) * 1e6
        for name in SUBJECTS
        if name in taken
    }
    figures = {
        f"serve.added_us_{name}": Figure(value, "µs", f"added to one request in process by {SUBJECTS[name].told}")
        for name, value in micros.items()
    }
    for rival, ours in _OVER.items():
        if rival in micros and ours in micros:
            told = f"how many times less {SUBJECTS[ours].told} adds than {SUBJECTS[rival].told}"
            # A difference of two times can come out as nothing on a busy machine; a ratio to it would be nonsense.
            figures[f"serve.added_us_over_{rival}"] = Figure(micros[rival] / max(micros[ours], 0.1), "×", told)
    return figures


async def warm(app: ASGIApp, subject: Subject) -> tuple[list[dict[str, Any]], dict[str, str], dict[str, Any]]:
    """The last of a few answers, its headers, and the request of a reader who comes back."""
    sent = await drive(app, http_scope(PATH, CHROME))
    cookie = returning(_named(sent))
    if cookie and (posted := proof(b"".join(message.get("body", b"") for message in sent).decode())):
        where, body = posted
        cookie = returning(_named(await drive(app, http_scope(where, {**CHROME, **cookie}, method="POST"), body)))
    if cookie:
        cookie = returning(_named(await drive(app, subject.scope(SHEET, cookie)))) or cookie
    scope = subject.scope(PATH, cookie)
    for _ in range(3):
        sent = await drive(app, scope)
    return sent, _named(sent), scope


def _named(sent: list[dict[str, Any]]) -> dict[str, str]:
    return {name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}


async def _wrong(app: ASGIApp, subject: Subject) -> str:
    """Why what an app answers is not what it is measured for; empty where it is. Warms it up, too."""
    sent, headers, _ = await warm(app, subject)
    body = b"".join(message.get("body", b"") for message in sent)
    return fault(subject.kind, sent[0]["status"], headers, body, gzip=subject.gzip)


async def _rounds(measured: Mapping[str, tuple[ASGIApp, Subject]], options: Options) -> Series:
    budget = 0.02 if options.quick else 0.06
    scopes = {name: (await warm(app, subject))[2] for name, (app, subject) in measured.items()}
    times = {
        name: max(1, int(budget / await seconds_per_request(app, scopes[name], 3)))
        for name, (app, _) in measured.items()
    }
    taken: dict[str, list[float]] = {name: [] for name in measured}
    for number in range(options.rounds * (2 if options.quick else 6)):
        gc.collect()
        for name in there_and_back(measured, number):
            app, _ = measured[name]
            await seconds_per_request(app, scopes[name], times[name] // 10)
            taken[name].append(await seconds_per_request(app, scopes[name], times[name]))
    return taken


async def seconds_per_request(app: ASGIApp, scope: Mapping[str, Any], times: int) -> float:
    """Seconds of one request, each with a scope of its own."""
    start = time.perf_counter()
    for _ in range(times):
        await app({**scope, "headers": scope["headers"].copy()}, _receive, _send)
    return (time.perf_counter() - start) / max(times, 1)


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Message) -> None:
    """Where the answer goes."""
