"""Rewriting one page, without any HTTP: ours against a parser that writes the page anew.

*Cold* is a page never seen before: ``Guard.plan`` scans it and makes the plan, with no cache. *Warm* is every later
request: ``Guard.plan`` finds the plan by comparing the body (an equal one, but another object, as a template engine
hands it out), and ``Guard.render`` fills it in for one reader. The rivals do the same insertions by BeautifulSoup
(html.parser) and, where it is installed, selectolax's Lexbor; they have nothing to keep from one request to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from contentguard.asgi.request import read_facts
from contentguard.guard import Guard
from contentguard.model import Rendition
from contentguard.rewrite.page import Delivery
from tests.benchmarks.editors import bs4_editor, inserts, lexbor_editor
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Series, alternated, progress, ratio
from tests.benchmarks.pages import SIZES, page
from tests.client import http_scope, settings

DELIVERY = Delivery(path="/news/tide", routes="/.contentguard", content_type="text/html; charset=utf-8")


def run(options: Options) -> Figures:
    """Every size, every rewriter."""
    figures: Figures = {}
    for label, size in SIZES.items():
        progress(f"rewrite: {label}")
        works = rewriters(page(size))
        taken = alternated(works, options.rounds, 0.02 if options.quick else 0.15)
        figures |= _figures(label, taken)
    return figures


def rewriters(body: bytes) -> dict[str, Callable[[], object]]:
    """Name → one rewriting of ``body``."""
    cold, warm = cold_plan(body), warm_page(body)
    things = inserts(body, warm())
    bs4, lexbor = bs4_editor(things), lexbor_editor(things)
    made: dict[str, Callable[[], object]] = {"cold": cold, "warm": warm, "bs4": lambda: bs4(body)}
    if lexbor is not None:
        made["lexbor"] = lambda: lexbor(body)
    return made


def cold_plan(body: bytes) -> Callable[[], object]:
    """Scan and plan ``body``, each time anew."""
    guard = Guard(settings(cache_bytes=0))
    return lambda: guard.plan(body, DELIVERY)


def warm_page(body: bytes) -> Callable[[], bytes]:
    """Find the plan of ``body`` and fill it in."""
    guard = Guard(settings())
    guard.plan(body, DELIVERY)
    facts, again = read_facts(http_scope(), guard), bytes(bytearray(body))

    def work() -> bytes:
        plan, nonce = guard.plan(again, DELIVERY)
        rendered = guard.render(plan, Rendition.FULL, facts, DELIVERY, nonce)
        if rendered is None:
            raise MeasureError(f"the page of {len(body)} bytes is not rewritten: {plan.untouched}")
        return rendered.body

    return work


def _figures(label: str, taken: Series) -> Figures:
    milliseconds = {name: median(rounds) * 1e3 for name, rounds in taken.items()}
    figures = {
        f"rewrite.cold_ms_{label}": Figure(milliseconds["cold"], "ms", "scan and plan a page not seen before"),
        f"rewrite.warm_us_{label}": Figure(milliseconds["warm"] * 1e3, "µs", "find its plan and fill it in"),
    }
    for rival, name in (("bs4", "BeautifulSoup"), ("lexbor", "Lexbor")):
        if rival not in taken:
            continue
        figures[f"rewrite.{rival}_ms_{label}"] = Figure(milliseconds[rival], "ms", f"{name}, the same insertions")
        for ours in ("cold", "warm"):
            figures[f"rewrite.{ours}_over_{rival}_{label}"] = Figure(
                ratio(taken, rival, ours), "×", f"how many times faster than {name} our {ours} page is"
            )
    return figures
