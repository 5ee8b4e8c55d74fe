"""Throughput over real sockets, and what a middleware adds in process.

Real uvicorn processes on 127.0.0.1, one worker each, started together and loaded one after the other, round by round;
every figure is the median of ratios inside one round. Server and load generator share the machine, so only the ratios
mean something. Readers send what Chrome sends (``tests.client.CHROME``) and are served in full; before anything is
measured the answers are looked at: a guarded page must hold the inserts, a refusal must be one.

The guard's limit on articles is off (``limits.articles = ""``), because all load comes from one address; the example
site otherwise runs with every line of ``examples/news/contentguard.toml``.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.error import HTTPError

from contentguard.assets import ASSETS
from tests.benchmarks import load
from tests.benchmarks.apps import APPS
from tests.benchmarks.inprocess import added
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Series, progress, ratio
from tests.benchmarks.servers import ROOT, running
from tests.client import CHROME, GPTBOT

EXAMPLE = ROOT / "examples" / "news" / "contentguard.toml"


@dataclass(frozen=True, slots=True)
class Visitors:
    """Who puts load on which server."""

    server: str
    headers: Mapping[str, str]
    refused: bool = False


VISITORS = {
    "news_unguarded": Visitors("news_unguarded", CHROME),
    "news_guarded": Visitors("news_guarded", CHROME),
    "news_refused": Visitors("news_guarded", GPTBOT, refused=True),
    **{name: Visitors(name, CHROME) for name in APPS},
    "gzip": Visitors("gzip", {**CHROME, "accept-encoding": "gzip"}),
    "refused": Visitors("guarded", GPTBOT, refused=True),
}
"""In the order of a round: what is compared most stands side by side."""

RATIOS = {
    "guarded_over_unguarded": ("news_guarded", "news_unguarded", "the example site with the guard : without"),
    "static_guarded_over_unguarded": ("guarded", "unguarded", "a ready-made 60 KB page with the guard : without"),
    "refused_over_served": ("news_refused", "news_guarded", "the example site refusing GPTBot : serving readers"),
    "static_refused_over_served": ("refused", "guarded", "the 60 KB page: refusing GPTBot : serving readers"),
    "noop_over_unguarded": ("noop", "unguarded", "the 60 KB page behind a pure ASGI no-op : alone"),
    "basehttp_over_unguarded": ("basehttp", "unguarded", "… behind a BaseHTTPMiddleware no-op : alone"),
    "slowapi_over_unguarded": ("slowapi", "unguarded", "… behind slowapi (ASGI, memory) : alone"),
    "bs4_over_unguarded": ("bs4", "unguarded", "… with our insertions made by BeautifulSoup : alone"),
    "gzip_over_unguarded": ("gzip", "unguarded", "… behind GZipMiddleware (level 9, its default) : alone"),
}


def run(options: Options) -> Figures:
    """Both parts."""
    with tempfile.TemporaryDirectory(prefix="contentguard-bench-") as folder:
        rates = _loaded(Path(folder), options)
    figures = {f"serve.{name}": Figure(ratio(rates, a, b), "×", told) for name, (a, b, told) in RATIOS.items()}
    for name, rounds in rates.items():
        figures[f"serve.rps_{name}"] = Figure(median(rounds), "/s", "answers per second (this machine, this run)")
    return {**figures, **added(options)}


def _loaded(folder: Path, options: Options) -> Series:
    unlimited = folder / "settings.toml"
    unlimited.write_text(without_article_limit(EXAMPLE.read_text("utf-8")), "utf-8")
    commands = {
        "news_unguarded": ["examples.news", "--port", "0", "--unguarded"],
        "news_guarded": ["examples.news", "--port", "0", "--settings", str(unlimited)],
        **{name: ["tests.benchmarks.apps", name] for name in APPS},
    }
    progress(f"serve: starting {len(commands)} servers")
    with running(commands, folder) as addresses:
        for name, visitors in VISITORS.items():
            _check(name, visitors, addresses[visitors.server])
        return _rates(addresses, options)


def _rates(addresses: Mapping[str, str], options: Options) -> Series:
    rates: dict[str, list[float]] = {name: [] for name in VISITORS}
    rounds, seconds = (1, load.shortest()) if options.quick else (options.rounds, 2.0)
    for number in range(1, rounds + 1):
        progress(f"serve: round {number} of {rounds}")
        for name, visitors in VISITORS.items():
            address = addresses[visitors.server]
            done = load.put(address, visitors.headers, seconds)
            if done.refused != (done.answers if visitors.refused else 0):
                raise MeasureError(f"{name}: {done.refused} of {done.answers} answers were refusals")
            # Answered only when all that the load left behind is done with.
            _fetch(address, visitors.headers)
            rates[name].append(max(done.rate, 0.01))
    return rates


def _check(name: str, visitors: Visitors, address: str) -> None:
    """Raise where a server does not answer with what it is measured for; warms it up, too."""
    for _ in range(3):
        status, body = _fetch(address, visitors.headers)
    holds = all(file.encode() in body for file in ASSETS)
    wanted = visitors.server in ("news_guarded", "guarded", "bs4") and not visitors.refused
    if status != (403 if visitors.refused else 200) or holds is not wanted:
        raise MeasureError(f"{name}: status {status}, the inserts are {'there' if holds else 'missing'}")


def _fetch(address: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(address, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def without_article_limit(settings: str) -> str:
    """The same settings file with ``limits.articles`` switched off, and nothing else changed."""
    before = tomllib.loads(settings)
    if "limits" in before:
        text = re.sub(r"(?m)^articles\s*=.*\n?", "", settings)
        text = re.sub(r"(?m)^\[limits\].*$", '[limits]\narticles = ""', text)
    else:
        text = f'{settings}\n[limits]\narticles = ""\n'
    wanted = {**before, "limits": {**before.get("limits", {}), "articles": ""}}
    if tomllib.loads(text) != wanted:
        raise MeasureError("the example's settings file is written in a way this benchmark cannot edit")
    return text
