"""Readers of pages that a guard and a site's own scripts make together, in real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.onsite import Site, site
from tests.client import PARAGRAPH

LEAD = "[data-cg-rest]"
KEEPER = """
addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  if (!new URL(event.request.url).pathname.startsWith('/news/')) return;
  event.respondWith(caches.open('pages').then(async (kept) => {
    const found = await kept.match(event.request.url);
    if (found) return found;
    const answer = await fetch(event.request);
    kept.put(event.request.url, answer.clone());
    return answer;
  }));
});
"""
"""A service worker that keeps each page as it first came."""
WIDGETS = {
    "writes": "<script>document.write('<p id=widget>ready</p>')</script>",
    "waits": "<p id=widget></p><script>addEventListener('load', () => { widget.textContent = 'ready'; })</script>",
    "builds": '<p id=widget></p><script src="/lib.js"></script><script>widget.textContent = lib</script>',
    "shadow": "<p id=widget><b><template shadowrootmode=open></template></b>ready</p>",
}
BOOSTED = """
addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (!link || link.closest('[data-hx-boost]').dataset.hxBoost === 'false') return;
  event.preventDefault();
  fetch(link.href).then(async (answer) => {
    if (answer.ok) document.querySelector('article').innerHTML = await answer.text();
  });
});
addEventListener('DOMContentLoaded', () => { document.body.dataset.hxBoost = 'true'; });
"""
"""What htmx does with links (``hx-boost``): the page of an error is not shown."""
FRAME = '<!doctype html><iframe sandbox="{}" src="/news/framed" width=800 height=600></iframe>'


AHEAD = "<script type=speculationrules>{{{!r}:[{{'urls':[{}],'eagerness':'immediate'}}]}}</script>"
BOOST = '<script src="/boosted.js"></script>'
SCRIPTS = {"/keeper.js": KEEPER, "/lib.js": "window.lib = 'ready'", "/boosted.js": BOOSTED}


async def paper(scope: Any, receive: Any, send: Any) -> None:
    """Articles with a widget in their rest, frames around one, and the site's own scripts."""
    path, kind = scope["path"], b"text/html; charset=utf-8"
    if path.endswith(".js"):
        body, kind = SCRIPTS[path], b"text/javascript"
    elif path.startswith("/news/"):
        widget = WIDGETS.get(path.rpartition("/")[2], "")
        head = f"<title>{path}</title>{BOOST if path == '/news/boosted' else ''}"
        paragraphs = [f"<p>{number} {path} {PARAGRAPH * 4}</p>" for number in range(20)]
        paragraphs.insert(15, widget)
        body = f"<!doctype html><html lang=en>{head}<article><h1>Tide</h1>{''.join(paragraphs)}</article>"
    elif path.startswith("/ahead/"):
        kind_of_it = path.rpartition("/")[2]
        urls = ",".join(f"'/news/{kind_of_it}{number}'" for number in range(8))
        body = AHEAD.format(kind_of_it, urls).replace("'", '"') + f"<a href=/news/{kind_of_it}3>On</a>"
    else:
        body = FRAME.format("allow-scripts" if path == "/scripts" else "")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body.encode()})


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with site(paper, reading={"mode": "progressive"}) as running:
        yield running


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    yield context
    context.close()


@pytest.mark.parametrize("name", WIDGETS)
def test_what_a_rest_brings_along_works_as_in_a_whole_page(context: BrowserContext, running: Site, name: str) -> None:
    """The first article of a reader, and another one, which comes whole."""
    page = context.new_page()
    page.goto(f"{running.at('127.0.0.1')}/news/{name}")
    page.wait_for_selector("article p:nth-of-type(20)", timeout=20_000)
    page.wait_for_function("document.querySelector('#widget')?.textContent === 'ready'")
    assert page.locator("article > p:not(#widget)").count() == 20
    assert page.locator(LEAD).count() == 0


def test_a_page_that_a_service_worker_has_kept(context: BrowserContext, running: Site) -> None:
    page, url = context.new_page(), running.at("127.0.0.1")
    page.goto(url + "/")
    page.evaluate("navigator.serviceWorker.register('/keeper.js')")
    page.wait_for_function("navigator.serviceWorker.controller")
    page.goto(url + "/news/kept")
    page.wait_for_selector(LEAD, state="detached", timeout=20_000)
    page.goto(url + "/")
    again = page.goto(url + "/news/kept")
    assert again is not None
    assert again.from_service_worker
    assert "cg-continue" in again.text(), "with the ticket that is spent"
    page.wait_for_selector(LEAD, state="detached", timeout=20_000)
    context.clear_cookies()
    page.goto(url + "/news/kept")
    page.wait_for_selector(LEAD, state="detached", timeout=20_000)


@pytest.mark.parametrize("path", ["/scripts", "/none"])
def test_the_link_leads_on_inside_a_sandboxed_frame(context: BrowserContext, running: Site, path: str) -> None:
    page = context.new_page()
    page.goto(running.at("127.0.0.1") + path)
    frame = page.frames[1]
    frame.click(".cg-continue")
    frame.wait_for_selector("article p:nth-of-type(20)", timeout=20_000)


def test_the_link_leads_on_where_a_script_of_the_site_s_fetches_pages(context: BrowserContext, running: Site) -> None:
    page = context.new_page()
    page.route("**/contentguard-rest*", lambda route: route.abort())
    page.goto(running.at("127.0.0.1") + "/news/boosted")
    page.click(".cg-continue")
    page.wait_for_url("**/.contentguard/wait/**")
    page.wait_for_selector("article p:nth-of-type(20)", timeout=20_000)


@pytest.mark.parametrize("kind", ["prefetch", "prerender"])
def test_pages_that_a_browser_fetches_ahead_leave_the_meter_alone(
    context: BrowserContext, running: Site, kind: str
) -> None:
    page, url = context.new_page(), running.at("127.0.0.1")
    page.goto(f"{url}/news/first-{kind}")
    page.wait_for_selector(LEAD, state="detached", timeout=20_000)
    asked: list[int] = []
    page.on("response", lambda answer: asked.append(answer.status))
    page.goto(f"{url}/ahead/{kind}")
    page.wait_for_timeout(1000)
    assert asked.count(503) == 8, "so many are fetched ahead, and a young reader may open five"
    page.click("a")
    page.wait_for_url(f"**/news/{kind}3")
    assert page.locator("article > p").count() == 20
    page.goto(f"{url}/news/last-{kind}")
    assert page.locator("article > p").count() == 20
