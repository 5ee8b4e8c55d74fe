"""What the plan cache holds after a thousand different pages.

Strategy: the pages go through the whole middleware, each asked for with gzip and without, so that all that is ever kept
of a page is made. What is held is counted by tracemalloc, not by the cache's own account. Once the bound is out of
reach and every page is held; once it is a fraction of the pages, and what is held should not pass it by much.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import Receive, Scope, Send

from tests.benchmarks.measure import Figure, Figures, MeasureError, progress
from tests.benchmarks.pages import SIZES, page
from tests.client import ASGI, CHROME, drive, guarded, http_scope

PAGES = 1000
BOUND = 4 * 2**20
_LIMITS = {"articles": "1000000000/minute"}
_GZIP = {**CHROME, "accept-encoding": "gzip"}
_BASE = page(SIZES["10k"])


def run() -> Figures:
    """Both."""
    progress(f"rewrite: memory, {PAGES} pages")
    held, pages = asyncio.run(bytes_held(2**30, PAGES))
    bounded, _ = asyncio.run(bytes_held(BOUND, PAGES))
    if held < pages:
        raise MeasureError("memory: not every page is held, though the bound is out of reach")
    over_bound = f"the same, where {BOUND >> 20} MiB are allowed (cache_bytes) : what is allowed"
    return {
        "rewrite.cache_bytes_over_pages": Figure(
            held / pages, "×", "bytes held for a thousand 10 KB pages : the pages"
        ),
        "rewrite.cache_bytes_over_bound": Figure(bounded / BOUND, "×", over_bound),
    }


async def bytes_held(bound: int, pages: int) -> tuple[int, int]:
    """What a guard that may keep ``bound`` bytes holds after so many pages, and the bytes of these pages."""
    middleware = guarded(_app, cache_bytes=bound, limits=_LIMITS)
    await _ask(middleware, "/before")
    with _counting() as counted:
        start = counted()
        for number in range(pages):
            await _ask(middleware, f"/news/{number}")
        held = counted() - start
    return held, sum(len(_body(f"/news/{number}")) for number in range(pages))


async def _ask(app: ASGI, path: str) -> None:
    """Ask twice with gzip, once without: what is made on the first, on the second or on any request is there then."""
    for headers in (_GZIP, _GZIP, CHROME):
        sent = await drive(app, http_scope(path, headers))
        if sent[0]["status"] != 200:
            raise MeasureError(f"memory: {path} is answered with {sent[0]['status']}")


async def _app(scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": _body(scope["path"])})


def _body(path: str) -> bytes:
    return _BASE.replace(b"Tide &amp; time", path.encode(), 1)


@contextmanager
def _counting() -> Iterator[Callable[[], int]]:
    """A function that tells how many bytes are held of what was made inside the block."""

    def counted() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    before = tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        yield counted
    finally:
        if not before:
            tracemalloc.stop()
