"""Throughput over real sockets, what a request costs the server's process, and what a middleware adds in process.

Real uvicorn and granian servers on 127.0.0.1, one worker each, started together and loaded one after the other, round
by round, every other round backwards; every figure is the median of ratios inside one round. Server and load generator
share the machine, so only the ratios mean something. Readers send what Chrome sends (``tests.client.CHROME``), without
Accept-Encoding unless the figure is about gzip, and are served in full.

Readers come back: whoever was handed a cookie sends it, has earned the rest of its first article, and has fetched the
parts of that page.

Before anything is measured every answer is looked at (see ``answers``): a guarded page must hold the inserts, a
compressed one must come compressed and unpack to the right page, a refusal must be one. Who answers otherwise is left
out of the run and named at its end.

All load comes from one address, so the guard's limit on articles is one that is never reached; it counts all the same.
The example site otherwise runs with every line of ``examples/news/contentguard.toml``.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.message import Message
from functools import partial
from pathlib import Path
from statistics import median
from urllib.error import HTTPError
from urllib.parse import urljoin

from tests.benchmarks import load
from tests.benchmarks.answers import GZIP, SHEET, Kind, fault, returning
from tests.benchmarks.apps import APPS, UNREACHED
from tests.benchmarks.inprocess import added
from tests.benchmarks.measure import (
    Figure,
    Figures,
    MeasureError,
    Options,
    Series,
    gathered,
    progress,
    ratio,
    there_and_back,
)
from tests.benchmarks.protocol import served
from tests.benchmarks.servers import ROOT, running
from tests.client import CHROME, GPTBOT, proof

EXAMPLE = ROOT / "examples" / "news" / "contentguard.toml"


@dataclass(frozen=True, slots=True)
class Visitors:
    """Who puts load on which server, and what they must be answered with."""

    server: str
    kind: Kind = Kind.PLAIN
    gzip: bool = False
    cookie: str = ""
    """What they were handed before."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What they send."""
        who = GPTBOT if self.kind is Kind.REFUSED else CHROME
        told = {**who, **GZIP} if self.gzip else who
        return {**told, "cookie": self.cookie} if self.cookie else told


VISITORS = {
    "news_unguarded": Visitors("news_unguarded", Kind.NEWS),
    "news_guarded": Visitors("news_guarded", Kind.GUARDED),
    "news_refused": Visitors("news_guarded", Kind.REFUSED),
    "refused": Visitors("guarded", Kind.REFUSED),
    "guarded": Visitors("guarded", Kind.GUARDED),
    "unguarded": Visitors("unguarded"),
    "marked": Visitors("marked", Kind.GUARDED),
    "rewrite_only": Visitors("rewrite_only", Kind.GUARDED),
    "ready": Visitors("ready", Kind.GUARDED),
    "noop": Visitors("noop"),
    "basehttp": Visitors("basehttp"),
    "slowapi": Visitors("slowapi"),
    "slowapi_asgi": Visitors("slowapi_asgi"),
    "bs4": Visitors("bs4", Kind.GUARDED),
    "gzip": Visitors("gzip", gzip=True),
    "guarded_gzip": Visitors("guarded", Kind.GUARDED, gzip=True),
    "marked_gzip": Visitors("marked", Kind.GUARDED, gzip=True),
    "gzip6": Visitors("gzip6", gzip=True),
    "granian_gzip": Visitors("granian_gzip", gzip=True),
    "granian_guarded_gzip": Visitors("granian_guarded", Kind.GUARDED, gzip=True),
    "granian_gzip6": Visitors("granian_gzip6", gzip=True),
    "granian_guarded": Visitors("granian_guarded", Kind.GUARDED),
    "granian_unguarded": Visitors("granian_unguarded"),
}
"""In the order of a round: what is compared stands side by side."""

RATIOS = {
    "guarded_over_unguarded": ("guarded", "unguarded", "a ready-made 60 KB page with the guard : without"),
    "news_guarded_over_unguarded": ("news_guarded", "news_unguarded", "the example site with the guard : without"),
    "rewrite_only_over_unguarded": ("rewrite_only", "unguarded", "the 60 KB page, the guard without limits : alone"),
    "guarded_gzip_over_gzipmiddleware": ("guarded_gzip", "gzip", "… guarded and compressed : behind GZipMiddleware"),
    "guarded_gzip_over_gzipmiddleware6": ("guarded_gzip", "gzip6", "… the same : behind GZipMiddleware at level 6"),
    "marked_over_unguarded": ("marked", "unguarded", "… with marks in 5,000 words of article : without the guard"),
    "marked_gzip_over_gzipmiddleware": ("marked_gzip", "gzip", "… marked and compressed : behind GZipMiddleware"),
    "refused_over_served": ("refused", "guarded", "… refusing GPTBot : serving readers"),
    "news_refused_over_served": ("news_refused", "news_guarded", "the example site refusing GPTBot : serving readers"),
    "ready_over_unguarded": ("ready", "unguarded", "… the guard's answer, made beforehand, without the guard : alone"),
    "noop_over_unguarded": ("noop", "unguarded", "the 60 KB page behind a pure ASGI no-op : alone"),
    "basehttp_over_unguarded": ("basehttp", "unguarded", "… behind a BaseHTTPMiddleware no-op : alone"),
    "slowapi_over_unguarded": ("slowapi", "unguarded", "… behind slowapi as documented (memory) : alone"),
    "slowapi_asgi_over_unguarded": ("slowapi_asgi", "unguarded", "… behind slowapi's ASGI middleware : alone"),
    "bs4_over_unguarded": ("bs4", "unguarded", "… with our insertions made by BeautifulSoup : alone"),
    "gzip_over_unguarded": ("gzip", "unguarded", "… behind GZipMiddleware (level 9, its default) : alone"),
    "granian_guarded_over_unguarded": ("granian_guarded", "granian_unguarded", "under granian: guarded : alone"),
    "granian_gzip_over_gzipmiddleware": (
        "granian_guarded_gzip",
        "granian_gzip",
        "under granian: guarded and compressed : behind GZipMiddleware",
    ),
    "granian_gzip_over_gzipmiddleware6": (
        "granian_guarded_gzip",
        "granian_gzip6",
        "under granian: the same : behind GZipMiddleware at level 6",
    ),
}
"""Name of the figure → whose rate, over whose, and that in words."""


def run(options: Options) -> Figures:
    """All parts."""
    return gathered([partial(loaded, options, VISITORS), partial(served, options), partial(added, options)])


def loaded(options: Options, visitors: Mapping[str, Visitors]) -> Figures:
    """The figures over sockets, as far as these visitors go. Raises for who is answered wrongly, at the end."""
    with tempfile.TemporaryDirectory(prefix="contentguard-bench-") as folder:
        rates, wrong = _rates(Path(folder), options, visitors)
    figures = compared(rates)
    if wrong:
        raise MeasureError("\n".join(f"{name}: {why}" for name, why in wrong.items()), figures)
    return figures


def compared(rates: Series) -> Figures:
    """What the answers per second in each round say."""
    figures = {
        f"serve.{name}": Figure(ratio(rates, a, b), "×", told)
        for name, (a, b, told) in RATIOS.items()
        if a in rates and b in rates
    }
    for name, rounds in rates.items():
        figures[f"serve.rps_{name}"] = Figure(median(rounds), "/s", "answers per second (this machine, this run)")
    return figures


def _rates(folder: Path, options: Options, visitors: Mapping[str, Visitors]) -> tuple[Series, Mapping[str, str]]:
    """Answers per second, round by round, and who could not be measured and why."""
    available = commands(folder)
    wanted = {one.server: available[one.server] for one in visitors.values()}
    progress(f"serve: starting {len(wanted)} servers")
    with running(wanted, folder) as addresses:
        wrong: dict[str, str] = {}
        right: dict[str, Visitors] = {}
        for name, one in visitors.items():
            why, cookie = _wrong(one, addresses[one.server])
            if why:
                wrong[name] = why
            else:
                right[name] = replace(one, cookie=cookie)
        return _loads(addresses, right, options), wrong


def commands(folder: Path) -> dict[str, list[str]]:
    """Name → what follows ``python -m``."""
    unlimited = folder / "settings.toml"
    unlimited.write_text(with_unreached_limit(EXAMPLE.read_text("utf-8")), "utf-8")
    apps = "tests.benchmarks.apps"
    news = ["examples.news", "--port", "0", "--database"]
    return {
        "news_unguarded": [*news, str(folder / "unguarded.sqlite3"), "--unguarded"],
        "news_guarded": [*news, str(folder / "guarded.sqlite3"), "--settings", str(unlimited)],
        **{name: [apps, name] for name in APPS},
        **{f"granian_{name}": [apps, name, "granian"] for name in APPS},
    }


def _loads(addresses: Mapping[str, str], visitors: Mapping[str, Visitors], options: Options) -> Series:
    rates: dict[str, list[float]] = {name: [] for name in visitors}
    # wrk knows whole seconds only; more and shorter rounds see more of what else goes on than fewer and longer ones.
    rounds, seconds = (1, load.shortest()) if options.quick else (options.rounds, 1.0)
    for number in range(rounds):
        progress(f"serve: round {number + 1} of {rounds}")
        for name in there_and_back(visitors, number):
            rates[name].append(_load(name, visitors[name], addresses[visitors[name].server], seconds))
    return rates


def _load(name: str, one: Visitors, address: str, seconds: float) -> float:
    done = load.put(address, one.headers, seconds)
    if done.refused != (done.answers if one.kind is Kind.REFUSED else 0):
        raise MeasureError(f"{name}: {done.refused} of {done.answers} answers were refusals")
    # Answered only when all that the load left behind is done with.
    _fetch(address, one.headers)
    return max(done.rate, 0.01)


def _wrong(one: Visitors, address: str) -> tuple[str, str]:
    """Why a server's answer is not what it is measured for, empty where it is; and the cookie it hands out.

    Warms it up, too.
    """
    _, headers, page = _fetch(address, replace(one, gzip=False).headers)
    again = replace(one, cookie=returning(headers).get("cookie", ""))
    if again.cookie and (posted := proof(page.decode("utf-8", "replace"))):
        where, body = posted
        _, headers, _ = _fetch(urljoin(address, where), replace(again, gzip=False).headers, body)
        again = replace(again, cookie=returning(headers).get("cookie", again.cookie))
    if again.cookie:
        _, headers, _ = _fetch(urljoin(address, SHEET), again.headers)
        again = replace(again, cookie=returning(headers).get("cookie", again.cookie))
    for _ in range(3):
        status, headers, body = _fetch(address, again.headers)
    return fault(one.kind, status, headers, body, gzip=one.gzip), again.cookie


def _fetch(address: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, Mapping[str, str], bytes]:
    request = urllib.request.Request(address, body, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, _lower(answer.headers), answer.read()
    except HTTPError as refusal:
        with refusal:
            return refusal.code, _lower(refusal.headers), refusal.read()


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def with_unreached_limit(settings: str) -> str:
    """The same settings file with a limit on articles that is never reached, and nothing else changed."""
    before = tomllib.loads(settings)
    if "limits" in before:
        text = re.sub(r"(?m)^articles\s*=.*\n?", "", settings)
        text = re.sub(r"(?m)^\[limits\].*$", f'[limits]\narticles = "{UNREACHED}"', text)
    else:
        text = f'{settings}\n[limits]\narticles = "{UNREACHED}"\n'
    wanted = {**before, "limits": {**before.get("limits", {}), "articles": UNREACHED}}
    if tomllib.loads(text) != wanted:
        raise MeasureError("the example's settings file is written in a way this benchmark cannot edit")
    return text
