"""How long the event loop is held while a page never seen before goes through the middleware.

Strategy: beside the request runs a task that does nothing but ask for its next turn; the longest time between two of
its turns is how long everybody else would have had to wait. Every request meets a guard that knows no page. The same
without a guard tells how much of it the machine does by itself. A streamed page comes in pieces of 16 KiB from an app
that never waits for anything, so only the guard itself can let others have a turn. What a page costs besides, where
strangers get a lead and copies are marked, is counted with it.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from statistics import median

from contentguard.assets import ASSETS, REST
from tests.benchmarks.apps import PROGRESSIVE
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, progress, there_and_back
from tests.benchmarks.pages import SIZES
from tests.benchmarks.pages import page as page_of
from tests.client import ASGI, drive, guarded, http_scope, page

SIZE = "1000k"
CHUNK = 16 * 1024


def run(options: Options) -> Figures:
    """The longest stall of the usual round, with and without the guard."""
    told = {**_TOLD, **_TOLD_OF_LEADS}
    progress(f"rewrite: the event loop, {SIZE}")
    body = page_of(SIZES[SIZE])
    chunks = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]
    apps: dict[str, Callable[[bytes], ASGI]] = {
        "stall": lambda body: guarded(page(body)),
        "streamed_stall": lambda body: guarded(page(chunks=chunks)),
        "divided_stall": lambda body: guarded(page(body), reading=PROGRESSIVE),
        "marked_stall": lambda body: guarded(page(body), reading=PROGRESSIVE, watermark=MARKED, evidence=UNKEPT),
        "unguarded_stall": page,
    }

    def stalled(name: str, body: bytes) -> float:
        inserts, lead = name != "unguarded_stall", name in _TOLD_OF_LEADS
        return asyncio.run(longest_stall(apps[name](body), inserts=inserts, lead=lead))

    for name in apps:
        # A page of another size first: what is made only once in a process is no part of a page's cost.
        stalled(name, page_of(SIZES["10k"]))
    taken: dict[str, list[float]] = {name: [] for name in apps}
    for number in range(3 if options.quick else 3 * options.rounds):
        for name in there_and_back(apps, number):
            taken[name].append(stalled(name, body))
    return {f"rewrite.longest_{name}_ms_{SIZE}": Figure(median(taken[name]) * 1e3, "ms", told[name]) for name in apps}


MARKED, UNKEPT = {"enabled": True}, {"url": ""}
_TOLD_OF_LEADS = {
    "divided_stall": "the same, whole, for a stranger, who gets a lead",
    "marked_stall": "the same, and with marks in every copy",
}


_TOLD = {
    "stall": "the longest time for which a cold 1 MB page holds the event loop",
    "streamed_stall": "the same, streamed in pieces of 16 KiB",
    "unguarded_stall": "the same without the guard: what machine and interpreter do by themselves",
}


async def longest_stall(app: ASGI, *, inserts: bool = True, lead: bool = False) -> float:
    """Seconds of the longest stall while ``app`` answers one request. Raises where the page is not as it should be."""
    longest, done = 0.0, False

    async def take_turns() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not done:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest = max(longest, now - last)
            last = now

    gc.collect()
    turns = asyncio.create_task(take_turns())
    await asyncio.sleep(0)
    sent = await drive(app, http_scope())
    done = True
    await turns
    body = b"".join(message.get("body", b"") for message in sent)
    if inserts is not all(file.encode() in body for file in ASSETS if file != REST.file):
        raise MeasureError(f"the event loop: the inserts are {'missing' if inserts else 'there'}")
    if lead is not (REST.file.encode() in body):
        raise MeasureError(f"the event loop: the page is {'no' if lead else 'a'} lead")
    return longest
