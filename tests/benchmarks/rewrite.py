"""Rewriting one page, without any HTTP: ours against everything else that can put two things into a page.

*Cold* is a page never seen before: ``Guard.plan`` scans it and makes the plan, with no cache. *Warm* is every later
request: ``Guard.plan`` finds the plan by comparing the body (an equal one, but another object, as a template engine
hands it out), and ``Guard.render`` fills it in for one reader. *Token change* is a page that differs from the last one
by its tokens: plan and render with the cache on, a body never seen before each time, against cold, which does not even
render. The rivals do the same insertions (see ``editors``); they have nothing to keep from one request to the next.

lol-html is measured twice. What its figure compares is the task of a page with a mark in every text of the article's
paragraphs, done by both sides, to the finished page (``cold_over_lolhtml``); with two insertions and no mark
(``cold_over_lolhtml_inserts``) its time is that of C code alone, and ours is not.

Every rival's page, and every page made by way of the cache, is compared with the one made from scratch before any of
them is timed. What the guard holds meanwhile, the event loop and memory, is measured in ``stall`` and ``memory``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import cycle
from random import Random
from statistics import median

from contentguard.asgi.request import read_facts
from contentguard.guard import Guard
from contentguard.model import Facts, Rendition
from contentguard.rewrite.article import Article, Finder
from contentguard.rewrite.page import Delivery
from contentguard.rewrite.plan import full
from tests.benchmarks import memory, stall
from tests.benchmarks.editors import MARK, RIVALS, Inserts, Rival, checked, inserts
from tests.benchmarks.measure import (
    Figure,
    Figures,
    Fresh,
    MeasureError,
    Options,
    Series,
    Work,
    alternated,
    gathered,
    progress,
    ratio,
)
from tests.benchmarks.pages import ARTICLE_END, SIZES, page, with_tokens
from tests.benchmarks.versions import installed
from tests.client import http_scope, settings

DELIVERY = Delivery(path="/news/tide", routes="/.contentguard", content_type="text/html; charset=utf-8")

Scratch = Callable[[bytes], bytes]
"""What makes the guarded page from a plain one without knowing anything."""

TOKEN_CHANGES = {
    "token_change": (("head", "form"), False, "the tokens of its head and of a form are new, their lengths too"),
    "token_same_length": (("head", "form"), True, "the tokens of its head and of a form are new, as long as before"),
    "token_in_script": (("head", "script"), False, "the tokens of its head and of an inline script are new"),
}
"""Name → where tokens change, whether they keep their length, and that in words."""


def run(options: Options) -> Figures:
    """Every size, every rewriter; then what is held meanwhile."""
    sizes = [partial(measured, label, size, options) for label, size in SIZES.items()]
    return gathered([*sizes, partial(stall.run, options), memory.run])


def measured(label: str, size: int, options: Options) -> Figures:
    """The figures of one size of page. Raises for who makes another page than the others, at the end."""
    progress(f"rewrite: {label}")
    works, faults = rewriters(page(size))
    taken = alternated(works, options.rounds, 0.02 if options.quick else 0.1)
    figures = {f"rewrite.{name}_{label}": figure for name, figure in {**_ours(taken), **_against_rivals(taken)}.items()}
    if faults:
        raise MeasureError("\n".join(f"rewrite, {label}: {fault}" for fault in faults), figures)
    return figures


def rewriters(body: bytes) -> tuple[dict[str, Work], list[str]]:
    """Name → one rewriting of ``body``; and what is wrong with those that are left out."""
    guard = Guard(settings(cache_bytes=0))
    facts = read_facts(http_scope(), guard)
    scratch = partial(rewritten, guard, facts)
    things = inserts(body, scratch(body))
    works: dict[str, Work] = {
        "cold": partial(guard.plan, body, DELIVERY),
        "cold_marks": cold_marks(guard, body, things),
    }
    faults: list[str] = []
    for name, make in _makers(body, facts, scratch, things).items():
        try:
            works[name] = make()
        except MeasureError as fault:
            faults.append(str(fault))
    return works, faults


def _makers(body: bytes, facts: Facts, scratch: Scratch, things: Inserts) -> dict[str, Callable[[], Work]]:
    """Name → what makes and checks one rewriting."""
    makers: dict[str, Callable[[], Work]] = {"warm": partial(warm, body, facts, scratch)}
    for name, (places, same, _) in TOKEN_CHANGES.items():
        makers[name] = partial(token_change, body, facts, scratch, places, same_length=same)
    for name, rival in RIVALS.items():
        if installed(rival.package):
            makers[name] = partial(_rival, rival, body, things)
    return makers


def _rival(rival: Rival, body: bytes, things: Inserts) -> Work:
    return partial(checked(rival, body, things), body)


def rewritten(guard: Guard, facts: Facts, body: bytes) -> bytes:
    """``body`` as it leaves for the reader whom ``facts`` describe."""
    plan, nonce = guard.plan(body, DELIVERY)
    rendered = guard.render(plan, Rendition.FULL, facts, DELIVERY, nonce)
    if rendered is None:
        raise MeasureError(f"the page of {len(body)} bytes is not rewritten: {plan.untouched}")
    return rendered.body


def cold_marks(guard: Guard, body: bytes, things: Inserts) -> Work:
    """Scan ``body``, plan it, and write it with a mark behind every text of the article's paragraphs."""
    finder, planner = Finder(Article(), texts=True), guard.pages.planner
    allowed, mark = guard.pages.shelf(DELIVERY).allowed, (MARK.encode(),)

    def work() -> bytes:
        scan = finder.scanner().scan(body)
        assert scan.article is not None
        planner.read(body, finder.found(scan), DELIVERY, allowed)
        marks = [(end, mark) for _, end in scan.article.runs]
        return full(body, [(scan.head_end, (things.head,)), *marks, (scan.article.place, (things.article,))]).fill({})

    count = work().count(MARK.encode())
    if count < body.count(b"<p") // 4 or work().replace(MARK.encode(), b"") != _plain(body, things):
        raise MeasureError(f"{count} marks, or more than marks")
    return work


def _plain(body: bytes, things: Inserts) -> bytes:
    head, article = body.index(b"</head>"), body.index(ARTICLE_END)
    return body[:head] + things.head + body[head:article] + things.article + body[article:]


def warm(body: bytes, facts: Facts, scratch: Scratch) -> Work:
    """Find the plan of ``body`` and fill it in; two equal objects take turns, so that it is never the last one seen."""
    work = partial(rewritten, Guard(settings()), facts)
    bodies = [bytes(bytearray(body)) for _ in range(2)]
    if any(work(again) != scratch(body) for again in (body, *bodies)):
        raise MeasureError("a page from the cache is not the one made from scratch")
    turns = cycle(bodies)
    return lambda: work(next(turns))


def token_change(body: bytes, facts: Facts, scratch: Scratch, places: Iterable[str], *, same_length: bool) -> Fresh:
    """Rewrite a page of which an older edition is known."""
    work, dice = partial(rewritten, Guard(settings()), facts), Random(len(body))
    work(body)
    fresh = partial(with_tokens, body, dice, tuple(places), same_length=same_length)
    for again in (fresh(), fresh(), fresh()):
        if work(again) != scratch(again):
            raise MeasureError("a page of which an older edition is known is not the one made from scratch")
    return Fresh(fresh, work)


def _ours(taken: Series) -> Figures:
    figures = {"cold_ms": Figure(median(taken["cold"]) * 1e3, "ms", "scan and plan a page not seen before")}
    if "warm" in taken:
        figures["warm_us"] = Figure(median(taken["warm"]) * 1e6, "µs", "find its plan and fill it in")
    for name, (_, _, told) in TOKEN_CHANGES.items():
        if name in taken:
            figures[f"{name}_us"] = Figure(median(taken[name]) * 1e6, "µs", f"a page known but for this: {told}")
            figures[f"{name}_over_cold"] = Figure(
                ratio(taken, "cold", name), "×", f"how many times cheaper than a cold page: {told}"
            )
    return figures


def _against_rivals(taken: Series) -> Figures:
    figures: Figures = {}
    if "lolhtml_marks" in taken:
        told = "how many times faster than lol-html ours is, both with a mark in every text of the article"
        figures["cold_over_lolhtml"] = Figure(ratio(taken, "lolhtml_marks", "cold_marks"), "×", told)
    for name, rival in RIVALS.items():
        if name not in taken or name == "lolhtml_marks":
            continue
        figures[f"{name}_ms"] = Figure(median(taken[name]) * 1e3, "ms", f"{rival.told}, the same insertions")
        for ours in ("cold", "warm"):
            if ours not in taken:
                continue
            task = "lolhtml_inserts" if name == "lolhtml" else name
            figures[f"{ours}_over_{task}"] = Figure(
                ratio(taken, name, ours), "×", f"how many times faster than {rival.told} our {ours} page is"
            )
    return figures
