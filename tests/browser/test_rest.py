"""The rest of an article in real Chromium: how a reader gets it, and what becomes of the link when it cannot come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from contentguard.admission.difficulty import STEPS, Algorithm, Difficulty
from contentguard.assets import STYLE
from tests.browser.conftest import ARGS, find_browser
from tests.browser.newsstand import PIECE, QUICK, ROUTES, Newsstand, Told, opened

HOST = "paper.test"
"""A name that is this machine's to this browser, so its pages are no secure context."""
POST, REST = f"POST {ROUTES}/rest", f"{ROUTES}/rest"
SHA256 = Difficulty(Algorithm.SHA256, 1, 8, 8)
LONG = Difficulty(Algorithm.PBKDF2, 5000, 64, 8)
"""Seconds of work."""
SWAPPED = "addEventListener('contentguard:rest', () => { window.swaps = (window.swaps || 0) + 1; });"
BROWSERS_OWN = ("Failed to load resource", "Refused to", "Content Security Policy", "This document requires")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """With the cache for going back, which Playwright turns off."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(),
            args=[*ARGS, f"--host-resolver-rules=MAP {HOST} 127.0.0.1"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()


@pytest.fixture
def stand() -> Iterator[Newsstand]:
    with opened() as stand:
        yield stand


@dataclass
class Visit:
    """A window, with what was said and asked in it."""

    page: Page
    context: BrowserContext
    said: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def wait(self) -> Visit:
        """Until the rest is there."""
        self.page.wait_for_selector("#rest0", state="attached")
        return self

    def idle(self) -> Visit:
        """Until nothing is on its way any more."""
        self.page.wait_for_load_state("networkidle")
        return self

    def js(self, code: str) -> Any:
        """What this comes to in the page."""
        return self.page.evaluate(code)

    @property
    def link(self) -> bool:
        """Whether the link is there."""
        return self.page.locator(".cg-continue").count() == 1

    @property
    def whole(self) -> bool:
        """Whether the article is there, all of it, with nothing of ours left in it."""
        return bool(
            self.js(
                "!document.querySelector('[data-cg-rest],.cg-continue,progress') && !!document.querySelector('#rest0')"
            )
        )


Visitor = Callable[..., Visit]


@pytest.fixture
def visit(chromium: Browser, stand: Newsstand) -> Iterator[Visitor]:
    """Opens the article in a fresh window (or in a tab beside another visit's)."""
    made: list[Visit] = []

    def visitor(url: str = "", *, init: str = "", beside: Visit | None = None, **options: Any) -> Visit:
        context = beside.context if beside else chromium.new_context(**options)
        one = Visit(context.new_page(), context)
        made.append(one)
        one.page.add_init_script(SWAPPED + init)
        one.page.on("console", lambda message: one.said.append(message.text))
        one.page.on("pageerror", lambda error: one.errors.append(str(error)))
        one.page.on("request", lambda request: one.asked.append(request.url))
        one.page.goto(url or stand.url)
        return one

    yield visitor
    for one in made:
        one.context.close()
        assert [text for text in one.said if not any(own in text for own in BROWSERS_OWN)] == []
        assert [error for error in one.errors if "the page's own" not in error] == []
        assert [url for url in one.asked if f":{stand.port}/" not in url] == [], "nobody else is asked"


# -- the way it goes -------------------------------------------------------------------------------------------


def test_the_rest_takes_the_place_of_the_link(visit: Visitor, stand: Newsstand) -> None:
    seen = visit().wait()
    assert seen.whole
    assert stand.redeemed == [""]
    assert [line for line in stand.log if "favicon" not in line] == ["GET /ferry", POST]
    order = seen.js("[...document.querySelectorAll('article > *')].map((node) => node.id || node.localName)")
    assert order == ["h1", *(f"lead{n}" for n in range(6)), *(f"rest{n}" for n in range(12))]
    assert seen.js("swaps") == 1
    assert seen.js("Object.keys(sessionStorage).length + Object.keys(localStorage).length") == 0
    assert seen.js("document.cookie") == ""
    assert stand.scripts == 1, "the worker's comes from the cache"


def test_from_then_on_pages_come_whole(visit: Visitor, stand: Newsstand) -> None:
    seen = visit().wait()
    seen.page.reload()
    assert seen.whole
    assert stand.count("POST") == 1


def test_a_worker_does_the_work(visit: Visitor, stand: Newsstand) -> None:
    stand.asked = LONG
    workers: list[str] = []
    seen = visit("about:blank")
    seen.page.on("worker", lambda worker: workers.append(worker.url))
    seen.page.goto(stand.url)
    seen.page.wait_for_timeout(500)
    assert [url for url in workers if "contentguard-rest" in url] == workers != []
    seen.page.goto("about:blank")


def test_the_worker_is_gone_when_it_is_done(visit: Visitor, stand: Newsstand) -> None:
    seen = visit("about:blank")
    with seen.page.expect_worker():
        seen.page.goto(stand.url)
    seen.wait().page.wait_for_timeout(300)
    assert seen.page.workers == []


def test_a_worker_that_is_slow_is_waited_for(visit: Visitor, stand: Newsstand) -> None:
    stand.asked = LONG._replace(bits=6)
    counted = """window.imports = 0; SubtleCrypto.prototype.importKey = async () => { imports++; throw 0; };"""
    seen = visit(init=SHORTER.replace("20", "5") + counted)
    seen.page.locator("progress").wait_for()
    seen.page.wait_for_timeout(1300)
    assert seen.js("imports") == 0, "so the page does not begin on its own"


def test_several_pieces_go_to_their_places_in_order(visit: Visitor, stand: Newsstand) -> None:
    stand.pieces = [PIECE, "text<p id=second>Second</p>more", "<!-- --><ul><li id=third>Third</ul>"]
    seen = visit().wait()
    assert seen.whole
    texts = seen.js("[...document.querySelectorAll('#rest11,#between,#second,#third')].map((node) => node.id)")
    assert texts == ["rest11", "between", "second", "between", "third"]
    assert "textSecondmore" in seen.js("document.querySelector('article').textContent")


def test_two_tabs(visit: Visitor, stand: Newsstand) -> None:
    first = visit()
    second = visit(beside=first)
    assert first.wait().whole
    assert second.wait().whole


def test_two_tabs_at_work_at_the_same_time(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403, delay=0.3), Told(403, delay=0.3)]}
    first = visit()
    second = visit(beside=first)
    assert first.wait().whole
    assert second.wait().whole


def test_it_works_in_a_tab_nobody_looks_at(visit: Visitor, stand: Newsstand) -> None:
    """Frames are painted only where somebody looks, so nothing may wait for one."""
    never = "requestAnimationFrame = () => 0; Object.defineProperty(document, 'hidden', {get: () => true});"
    assert visit(init=never).wait().whole


@pytest.mark.parametrize("times", [2, 3])
def test_it_runs_once_however_often_it_is_included(visit: Visitor, stand: Newsstand, times: int) -> None:
    stand.times = times
    seen = visit().wait().idle()
    assert stand.count("POST") == 1
    assert seen.js("swaps") == 1


def test_the_event_comes_from_the_article_when_all_is_there(visit: Visitor, stand: Newsstand) -> None:
    stand.head = """<script>addEventListener('DOMContentLoaded', () => document.querySelector('article')
        .addEventListener('contentguard:rest', (event) => {
          window.heard = [event instanceof CustomEvent, !!document.querySelector('#rest11')]; }));</script>"""
    assert visit().wait().js("heard") == [True, True]


def test_scripts_in_the_rest_run_once_and_in_order(visit: Visitor, stand: Newsstand) -> None:
    stand.pieces = [
        "<p id=rest0>Rest</p><script>ran = [!!document.querySelector('#rest0')]</script>",
        "<script>ran.push('second')</script><p id=last></p>",
    ]
    seen = visit(init="window.ran = 'not yet';").wait().idle()
    assert seen.js("ran") == [True, "second"]


def test_errors_of_the_rests_scripts_are_its_own(visit: Visitor, stand: Newsstand) -> None:
    stand.pieces = ['<script>throw Error("the page\'s own")</script>' + PIECE]
    seen = visit().wait().idle()
    assert seen.errors
    assert seen.whole
    assert stand.count("GET /ferry") == 1


def test_before_it_is_shown_nothing_is_asked(visit: Visitor, stand: Newsstand) -> None:
    early = "Object.defineProperty(Document.prototype, 'prerendering', {get: () => !window.shown, configurable: true});"
    seen = visit(init=early).idle()
    assert stand.count("POST") == 0
    seen.js("shown = true, document.dispatchEvent(new Event('prerenderingchange'))")
    assert seen.wait().whole


# -- browsers and pages of all kinds ---------------------------------------------------------------------------

STRICT = "default-src 'self'"
POLICIES = {
    "own files only": STRICT,
    "no workers": f"{STRICT}; worker-src 'none'",
    "nonces only": "script-src 'nonce-n0nce'; style-src 'nonce-n0nce'; connect-src 'self'; default-src 'none'",
    "strict-dynamic": "script-src 'nonce-n0nce' 'strict-dynamic'; object-src 'none'; base-uri 'none'",
}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("host", ["127.0.0.1", HOST], ids=["secure", "plain"])
def test_under_a_policy(visit: Visitor, stand: Newsstand, policy: str, host: str) -> None:
    stand.headers, stand.nonce = [("Content-Security-Policy", policy)], "n0nce" if "n0nce" in policy else ""
    stand.asked = SHA256 if host == HOST else QUICK
    seen = visit(f"http://{host}:{stand.port}/ferry").wait()
    assert seen.whole
    assert stand.redeemed == [""]


def test_trusted_types_make_the_page_come_whole(visit: Visitor, stand: Newsstand) -> None:
    stand.headers = [("Content-Security-Policy", "require-trusted-types-for 'script'")]
    seen = visit().wait().idle()
    assert seen.whole
    assert (stand.count("GET /ferry"), stand.count("POST")) == (2, 1)


def test_trusted_types_without_cookies_leave_the_link(visit: Visitor, stand: Newsstand) -> None:
    stand.headers, stand.cookies = [("Content-Security-Policy", "require-trusted-types-for 'script'")], False
    seen = visit().idle()
    seen.page.wait_for_timeout(500)
    assert seen.link
    assert stand.count("GET /ferry") == 2, "one reload, and no loop"


@pytest.mark.parametrize("cores", ["undefined", "3", "0.5", "'many'", "-1", "NaN", "1e9", "{}"])
def test_whatever_a_browser_says_of_its_cores(visit: Visitor, stand: Newsstand, cores: str) -> None:
    odd = f"Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', {{get: () => ({cores})}});"
    assert visit(init=odd).wait().whole
    assert stand.redeemed == [""]


def test_without_a_secure_context(visit: Visitor, stand: Newsstand) -> None:
    stand.asked = SHA256
    seen = visit(f"http://{HOST}:{stand.port}/ferry").wait()
    assert not seen.js("isSecureContext")
    assert seen.js("crypto.subtle === undefined")
    assert seen.whole
    assert stand.redeemed == [""]


def test_work_that_cannot_be_done_leaves_the_link(visit: Visitor, stand: Newsstand) -> None:
    """Key derivation without WebCrypto, scrypt anywhere, and tickets that ask to wait."""
    for host, asked in (
        (HOST, QUICK),
        ("127.0.0.1", STEPS[Algorithm.SCRYPT][0]),
        (HOST, STEPS[Algorithm.SCRYPT][0]),
    ):
        stand.asked = asked
        seen = visit(f"http://{host}:{stand.port}/ferry").idle()
        assert seen.link
        seen.page.click(".cg-continue")
        seen.page.wait_for_url(f"**{ROUTES}/wait/*")
    assert (stand.count("GET /ferry"), stand.count("POST")) == (3, 0)


NO_WORKERS = {
    "none": "delete window.Worker;",
    "refuses": "window.Worker = class { constructor() { throw new DOMException('no', 'SecurityError'); } };",
    "breaks": "window.Worker = class { postMessage() { setTimeout(() => this.onerror(new Event('error'))); } };",
    "does nothing": """window.Worker = class { postMessage() {} };
        const later = setTimeout; window.setTimeout = (what, time) => later(what, time / 30);""",
}


@pytest.mark.parametrize("init", NO_WORKERS.values(), ids=NO_WORKERS)
@pytest.mark.parametrize("host", ["127.0.0.1", HOST], ids=["secure", "plain"])
def test_without_workers_the_page_does_it(visit: Visitor, stand: Newsstand, init: str, host: str) -> None:
    stand.asked = SHA256 if host == HOST else QUICK
    assert visit(f"http://{host}:{stand.port}/ferry", init=init).wait().whole
    assert stand.redeemed == [""]


def test_hashing_on_the_page_leaves_it_its_turns(visit: Visitor, stand: Newsstand) -> None:
    """A puzzle takes 16,384 hashes on average: the reader's clicks come in between."""
    stand.asked = STEPS[Algorithm.SHA256][0]
    turns = """delete window.Worker; window.turns = 0; const later = setTimeout;
        window.setTimeout = (what, time) => { turns++; return later(what, time); };"""
    assert visit(f"http://{HOST}:{stand.port}/ferry", init=turns).wait().js("turns") > 9 * stand.asked.puzzles


CLOBBERED = """<form name="body"><input name="parentNode"></form><img name="querySelectorAll"><img name="createElement">
<img name="currentScript" src="data:,"><img name="prerendering"><img name="location"><img name="activeElement">
<img name="addEventListener"><form name="documentElement"></form><img name="defaultView"><img name="scrollingElement">
<img id="origin"><img id="busy"><img id="start"><img name="getElementById"><img name="head"><img name="cookie">"""


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_clobbered_document(visit: Visitor, stand: Newsstand, where: str) -> None:
    setattr(stand, where, CLOBBERED)
    assert visit().wait().whole
    assert stand.redeemed == [""]


def test_errors_of_the_pages_own_scripts(visit: Visitor, stand: Newsstand) -> None:
    stand.head = '<script>throw Error("the page\'s own")</script>'
    stand.after = stand.head + "<script>addEventListener('contentguard:rest', () => nothing.at.all)</script>"
    seen = visit(init="window.onerror = () => true; Array.prototype.at = 5; Object.prototype.more = 'junk';").wait()
    assert seen.whole


def test_without_the_browsers_own_records(visit: Visitor, stand: Newsstand) -> None:
    seen = visit(init="Performance.prototype.getEntriesByType = () => [];").wait().idle()
    assert seen.whole
    assert stand.count("GET /ferry") == 1


@pytest.mark.parametrize("clock", ["0", "8.64e15", "NaN"])
def test_whatever_the_clock_says(visit: Visitor, stand: Newsstand, clock: str) -> None:
    stand.headers = [("Content-Security-Policy", "require-trusted-types-for 'script'")]
    assert visit(init=f"Date.now = () => {clock};").wait().whole


def test_in_a_translators_frame_the_link_stays(visit: Visitor, stand: Newsstand) -> None:
    """Its pages are of its own origin, and links lead to ours."""
    page = stand.page("/ferry", whole=False).replace('href="/', f'href="http://{HOST}:{stand.port}/')
    stand.told = {"GET /ferry": [Told(200, page)]}
    seen = visit().idle()
    assert seen.link
    assert stand.count("POST") == 0


def test_in_a_frame_of_another_site(visit: Visitor, stand: Newsstand) -> None:
    """Where the cookie is not kept and storage may be refused."""
    frame = f'<title>Other</title><iframe src="{stand.url}"></iframe>'
    stand.told = {"GET /other": [Told(200, frame)]}
    seen = visit(f"http://localhost:{stand.port}/other")
    seen.page.frame_locator("iframe").locator("#rest0").wait_for(state="attached")
    assert stand.redeemed == [""]


# -- trouble ---------------------------------------------------------------------------------------------------


def test_403_a_new_ticket_is_got_from_the_page(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403, "late")]}
    seen = visit().wait()
    assert seen.whole
    assert (stand.count("GET /ferry"), stand.count("POST"), stand.redeemed) == (2, 2, [""])


def test_a_page_in_the_cache_has_no_new_ticket(visit: Visitor, stand: Newsstand) -> None:
    stand.told, stand.headers = {POST: [Told(403)]}, [("Cache-Control", "max-age=600")]
    assert visit().wait().whole
    assert (stand.count("GET /ferry"), stand.redeemed) == (2, [""])


def test_a_new_ticket_may_ask_for_what_cannot_be_done(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403, delay=0.3)]}
    seen = visit()
    stand.asked = STEPS[Algorithm.SCRYPT][0]
    seen.page.wait_for_timeout(1500)
    assert seen.link
    assert (stand.count("GET /ferry"), stand.count("POST")) == (2, 1)


def test_a_late_ticket(visit: Visitor, stand: Newsstand) -> None:
    stand.life = 0.001
    stale = stand.page("/ferry", whole=False)
    stand.life = 60
    stand.told = {"GET /ferry": [Told(200, stale)]}
    assert visit().wait().whole
    assert stand.redeemed == ["late", ""]


def test_when_another_tab_earned_the_pass_the_page_is_loaded_anew(visit: Visitor, stand: Newsstand) -> None:
    other = visit().wait()
    lead = stand.page("/ferry", whole=False)
    stand.told = {POST: [Told(403, "spent")], "GET /ferry": [Told(200, lead)]}
    seen = visit(beside=other).wait()
    assert seen.whole
    assert stand.count("GET /ferry") == 4, "each tab's page, the one looked at for a ticket, and the one shown"


def test_after_three_attempts_the_link_stays(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403)] * 9}
    seen = visit(init=HASTE)
    seen.page.wait_for_function("window.attempts === 3")
    seen.page.wait_for_timeout(300)
    assert seen.link
    assert (stand.count("GET /ferry"), stand.count("POST")) == (3, 3)
    assert seen.page.get_attribute(".cg-continue", "aria-busy") is None
    seen.page.click(".cg-continue")
    seen.page.wait_for_url(f"**{ROUTES}/wait/*")


SHORTER = "const later = setTimeout; window.setTimeout = (what, time) => later(what, time / 20);"
HASTE = f"""{SHORTER} window.attempts = 0;
const ask = window.fetch; window.fetch = (...all) => {{ attempts += all[1].method === 'POST'; return ask(...all); }};"""
"""Pauses shorter, and attempts counted."""


@pytest.mark.parametrize("status", [0, 500, 503, 404, 302])
def test_a_server_in_trouble(visit: Visitor, stand: Newsstand, status: int) -> None:
    """Connections that break, errors, and a redirect to what is no rest."""
    stand.told = {POST: [Told(status, headers=[("Location", "/elsewhere")] if status == 302 else [])]}
    seen = visit(init=HASTE).wait()
    assert seen.whole


def test_a_page_that_cannot_be_had_for_a_new_ticket(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403)]}
    seen = visit("about:blank", init=HASTE)
    stand.told["GET /ferry"] = [Told(200, stand.page("/ferry", whole=False)), Told(503, "busy"), Told(0)]
    seen.page.goto(stand.url)
    assert seen.wait().whole
    assert (stand.count("GET /ferry"), stand.count("POST")) == (4, 2)


def test_429_waits_as_long_as_it_is_told(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(429, headers=[("Retry-After", "1")])]}
    stamps = "window.at = []; const ask = fetch; window.fetch = (...all) => (at.push(performance.now()), ask(...all));"
    seen = visit(init=stamps).wait()
    assert seen.whole
    first, second, _ = seen.js("at")
    assert second - first >= 1000
    assert stand.count("GET /ferry") == 2


@pytest.mark.parametrize("after", ["31", "999999"])
def test_429_for_long_leaves_the_link(visit: Visitor, stand: Newsstand, after: str) -> None:
    stand.told = {POST: [Told(429, headers=[("Retry-After", after)])]}
    seen = visit(init=HASTE).idle()
    seen.page.wait_for_timeout(1200)
    assert seen.link
    assert (stand.count("GET /ferry"), stand.count("POST")) == (1, 1)
    seen.page.click(".cg-continue")
    seen.page.wait_for_url(f"**{ROUTES}/wait/*")


def test_what_has_failed_is_not_shown_as_going_on(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(429, headers=[("Retry-After", "99")])]}
    seen = visit()
    seen.page.wait_for_timeout(1500)
    assert seen.link
    assert seen.page.locator("progress,[aria-busy]").count() == 0


@pytest.mark.parametrize("after", ["soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_429_with_words_is_as_one_without(visit: Visitor, stand: Newsstand, after: str) -> None:
    stand.told = {POST: [Told(429, headers=[("Retry-After", after)])]}
    assert visit().wait().whole


def test_204_has_the_page_come_whole(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(204, headers=[("Set-Cookie", "pass=1; Path=/")])]}
    seen = visit(stand.url + "?a=1#lead3").wait()
    assert seen.whole
    assert seen.page.url == stand.url + "?a=1#lead3"
    assert (stand.count("GET /ferry"), stand.count("POST")) == (2, 1)


def test_204_again_and_again_reloads_once(visit: Visitor, stand: Newsstand) -> None:
    """Without cookies there is no pass to come back with."""
    stand.told = {POST: [Told(204)] * 9}
    seen = visit().idle()
    seen.page.wait_for_timeout(500)
    assert seen.link
    assert (stand.count("GET /ferry"), stand.count("POST")) == (2, 2)
    seen.page.reload()
    seen.page.wait_for_timeout(500)
    assert stand.count("GET /ferry") == 3, "but for the reader's own"


def test_after_a_minute_it_may_reload_again(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(204)] * 2}
    seen = visit(init="const now = Date.now; let more = 0; Date.now = () => now() + more;").idle()
    seen.page.wait_for_timeout(300)
    assert stand.count("GET /ferry") == 2
    stand.told = {POST: [Told(204)], "GET /ferry": []}
    seen.page.add_init_script("Date.now = () => 1e15;")
    seen.page.reload()
    seen.page.wait_for_timeout(300)
    assert stand.count("GET /ferry") == 4


STORAGE = {
    "refused": "get() { throw new DOMException('no', 'SecurityError'); }",
    "full": "value: new Proxy({}, {set() { throw new DOMException('no', 'QuotaExceededError'); }})",
    "none": "value: null",
}


@pytest.mark.parametrize("storage", STORAGE.values(), ids=STORAGE)
def test_without_storage_it_does_not_reload(visit: Visitor, stand: Newsstand, storage: str) -> None:
    stand.told = {POST: [Told(204)] * 9}
    seen = visit(init=f"Object.defineProperty(window, 'sessionStorage', {{{storage}}});").idle()
    seen.page.wait_for_timeout(300)
    assert seen.link
    assert stand.count("GET /ferry") == 1


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_a_rest_that_does_not_fit_the_page(visit: Visitor, stand: Newsstand, pieces: int) -> None:
    stand.pieces = [PIECE, "<p id=second>Second</p>"]
    body = '<div class="cg-rest" data-cg-rest><p>Other</p></div>' * pieces
    stand.told = {POST: [Told(200, body, headers=[("Set-Cookie", "pass=1; Path=/")])]}
    seen = visit().wait()
    assert seen.whole
    assert "Other" not in seen.js("document.body.textContent")
    assert stand.count("GET /ferry") == 2


def test_when_the_network_is_back_it_goes_on(visit: Visitor, stand: Newsstand) -> None:
    """A train comes out of its tunnel after the script has given up."""

    def into_the_tunnel(route: Any) -> None:
        seen.context.set_offline(True)
        route.abort()

    seen = visit("about:blank")
    seen.page.add_init_script("const later = setTimeout; window.setTimeout = (what, time) => later(what, time / 20);")
    seen.page.route(f"**{REST}", into_the_tunnel)
    seen.page.goto(stand.url)
    seen.page.wait_for_timeout(1500)
    assert seen.link
    seen.page.unroute(f"**{REST}")
    seen.context.set_offline(False)
    assert seen.wait().whole


# -- the reader ------------------------------------------------------------------------------------------------


def test_a_click_waits_for_the_rest(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403, delay=0.3)]}
    seen = visit()
    seen.page.click(".cg-continue")
    assert seen.wait().whole
    assert seen.page.url == stand.url
    assert stand.count(f"GET {ROUTES}/wait/") == 0


def test_a_click_is_followed_when_the_rest_does_not_come(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(429, delay=0.3, headers=[("Retry-After", "99")])]}
    seen = visit()
    seen.page.click(".cg-continue")
    seen.page.wait_for_url(f"**{ROUTES}/wait/*")


def test_who_clicks_again_waits_no_longer(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403, delay=2)]}
    seen = visit()
    seen.page.dblclick(".cg-continue")
    seen.page.wait_for_timeout(200)
    assert seen.page.url == stand.url, "two clicks at once are one"
    seen.page.click(".cg-continue")
    seen.page.wait_for_url(f"**{ROUTES}/wait/*")


@pytest.mark.parametrize("key", ["Control", "Shift"])
def test_a_click_for_another_window_opens_it(visit: Visitor, stand: Newsstand, key: Any) -> None:
    stand.told = {POST: [Told(403, delay=0.5)]}
    seen = visit()
    with seen.context.expect_page() as other:
        seen.page.click(".cg-continue", modifiers=[key])
    other.value.wait_for_url(f"**{ROUTES}/wait/*")
    assert seen.wait().whole


def test_what_lasts_is_shown_but_not_said(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403, delay=1.5)]}
    seen = visit()
    seen.page.wait_for_timeout(500)
    assert seen.page.locator("progress").count() == 0
    bar = seen.page.locator("progress")
    bar.wait_for()
    assert seen.page.get_attribute(".cg-continue", "aria-busy") == "true"
    assert bar.get_attribute("aria-hidden") == "true"
    assert seen.js("document.querySelector('progress').position") == 1, "all puzzles are solved"
    assert seen.js("document.querySelector('progress').previousElementSibling.className") == "cg-continue"
    assert seen.js("document.querySelector('[role=status],[aria-live]')") is None
    assert seen.wait().whole


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_bar_says_how_far_it_is_and_never_moves_by_itself(visit: Visitor, stand: Newsstand, motion: Any) -> None:
    stand.asked = LONG
    shares = """window.shares = []; setInterval(() => {
        const bar = document.querySelector('progress'); if (bar) window.shares.push(bar.position); }, 20);"""
    seen = visit(init=shares, reduced_motion=motion)
    seen.page.locator("progress").wait_for()
    assert seen.js("document.getAnimations().length") == 0
    seen.page.wait_for_function("new Set(shares).size > 2")
    found = seen.js("shares")
    assert found == sorted(found)
    assert -1 not in found, "what has no value moves"


def test_the_bar_stands_still_where_nothing_is_done_yet(visit: Visitor, stand: Newsstand) -> None:
    seen = visit(init="window.Worker = class { postMessage() {} };")
    seen.page.locator("progress").wait_for()
    assert seen.js("document.querySelector('progress').position") == 0
    assert seen.wait().whole


def test_focus_goes_on_where_the_link_was(visit: Visitor, stand: Newsstand) -> None:
    stand.told, stand.lead = {POST: [Told(403, delay=0.3)]}, 20
    seen = visit()
    seen.page.focus(".cg-continue")
    seen.js("scrollTo(0, 400)")
    before = seen.js("scrollY")
    seen.wait()
    assert seen.js("document.activeElement.id") == "rest0"
    assert seen.page.get_attribute("#rest0", "tabindex") == "-1"
    assert seen.js("scrollY") == before


def test_what_takes_the_focus_anyhow_stays_in_the_order_of_tabs(visit: Visitor, stand: Newsstand) -> None:
    stand.pieces = ["<button id=rest0>A</button>"]
    stand.told = {POST: [Told(403, delay=0.3)]}
    seen = visit()
    seen.page.focus(".cg-continue")
    seen.wait()
    assert seen.js("[document.activeElement.id, document.activeElement.tabIndex]") == ["rest0", 0]


@pytest.mark.parametrize("first", ["<script>1</script>", "<p hidden>No</p>", "<style>i{}</style><div hidden></div>"])
def test_focus_goes_to_what_can_take_it(visit: Visitor, stand: Newsstand, first: str) -> None:
    """Advertisements and their scripts stand between paragraphs; who reads by keyboard is not thrown to the top."""
    stand.pieces = [first + PIECE]
    stand.told = {POST: [Told(403, delay=0.3)]}
    seen = visit()
    seen.page.focus(".cg-continue")
    seen.wait()
    assert seen.js("document.activeElement.id") == "rest0"


def test_focus_elsewhere_stays_there(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403, delay=0.3)]}
    seen = visit()
    seen.page.focus("#away")
    seen.wait()
    assert seen.js("document.activeElement.id") == "away"
    assert seen.page.get_attribute("#rest0", "tabindex") is None


SHIFTS = """window.shift = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; })
  .observe({type: 'layout-shift', buffered: true});"""


@pytest.mark.parametrize("where", ["top", "end of the lead", "after the link"])
@pytest.mark.parametrize("anchoring", [True, False], ids=["anchored", "by us"])
def test_what_the_reader_sees_does_not_move(visit: Visitor, stand: Newsstand, where: str, anchoring: bool) -> None:
    """Cumulative layout shift, and where things are on the screen, with and without the browser's scroll anchoring."""
    stand.told = {POST: [Told(403)]}
    stand.lead = 20
    stand.after = "".join(f'<p id="after{n}">{"After that. " * 60}</p>' for n in range(30))
    stand.style = "html{scroll-behavior:smooth}" + ("" if anchoring else "*{overflow-anchor:none}")
    stand.pieces = [PIECE, PIECE.replace("rest", "more")]
    seen = visit(init=SHIFTS)
    mark = {"top": "h1", "end of the lead": "#lead19", "after the link": "#after4"}[where]
    block = {"top": "start", "end of the lead": "end", "after the link": "start"}[where]
    place = "document.querySelector('MARK').getBoundingClientRect().top".replace("MARK", mark)
    seen.js(f"document.querySelector('{mark}').scrollIntoView({{block: '{block}', behavior: 'instant'}})")
    before = seen.js(place)
    seen.wait()
    seen.page.wait_for_timeout(300)
    assert abs(seen.js(place) - before) < 2
    assert seen.js("shift") < 0.01


ROOM = "@media (scripting){[data-cg-rest]:not([hidden]){min-block-size:100vh}}"


@pytest.mark.parametrize("lead", [1, 6])
def test_where_room_is_kept_nothing_below_the_link_moves(visit: Visitor, stand: Newsstand, lead: int) -> None:
    """What stands below a short lead would be pushed out of sight: the page's style sheet has to keep the room."""
    stand.lead, stand.style = lead, ROOM
    stand.after = "".join(f"<p>{'Imprint. ' * 60}</p>" for _ in range(10))
    seen = visit(init=SHIFTS).wait()
    seen.page.wait_for_timeout(300)
    assert seen.js("shift") < 0.01


@pytest.mark.parametrize("lead", [1, 6])
def test_our_own_style_sheet_keeps_it(visit: Visitor, stand: Newsstand, lead: int) -> None:
    stand.lead, stand.style = lead, STYLE.body.decode()
    stand.after = "".join(f"<p>{'Imprint. ' * 60}</p>" for _ in range(10))
    seen = visit(init=SHIFTS).wait()
    seen.page.wait_for_timeout(300)
    assert seen.js("shift") < 0.01


def test_and_keeps_none_where_no_script_will_fill_it(visit: Visitor, stand: Newsstand) -> None:
    stand.style, stand.times = STYLE.body.decode(), 0
    seen = visit()
    assert seen.js("document.querySelector('[data-cg-rest]').getBoundingClientRect().height") < 200


def test_and_gives_it_up_where_the_script_never_came(visit: Visitor, stand: Newsstand) -> None:
    """Content blockers keep scripts from coming without the style sheet hearing of it."""
    stand.style = STYLE.body.decode()
    height = "document.querySelector('[data-cg-rest]').getBoundingClientRect().height"
    seen = visit("about:blank")
    seen.page.route("**/contentguard-rest*", lambda route: route.abort())
    seen.page.goto(stand.url)
    assert seen.js(height) == seen.js("innerHeight")
    (timing,) = seen.js("document.getAnimations().map((one) => one.effect.getComputedTiming())")
    assert (timing["delay"], timing["duration"]) == (30_000, 0), "it jumps, once, and nothing is seen to move"
    seen.js("document.getAnimations().map((one) => one.finish())")
    assert seen.js(height) < 200
    seen.page.reload()
    seen.page.emulate_media(media="print")
    assert seen.js(height) < 200, "no empty sheet of paper"


# -- where the address points to -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "fragment"), [("rest3", "rest3"), ("größe 1", "gr%C3%B6%C3%9Fe%201")])
def test_a_fragment_in_the_rest_is_scrolled_to(visit: Visitor, stand: Newsstand, name: str, fragment: str) -> None:
    stand.pieces = [PIECE.replace('id="rest3"', f'id="{name}"')]
    seen = visit(f"{stand.url}#{fragment}").wait()
    assert abs(seen.js(f"document.getElementById('{name}').getBoundingClientRect().top")) < 30
    assert seen.js("scrollY") > 0


def test_who_has_scrolled_already_is_left_where_he_is(visit: Visitor, stand: Newsstand) -> None:
    stand.told, stand.lead = {POST: [Told(403, delay=0.3)]}, 20
    seen = visit(stand.url + "#rest9")
    seen.js("scrollTo(0, 40)")
    seen.wait()
    assert seen.js("scrollY") == 40


@pytest.mark.parametrize("fragment", ["", "#", "#nowhere", "#lead2", "#%F0%28", "#100%"])
def test_any_other_fragment(visit: Visitor, stand: Newsstand, fragment: str) -> None:
    assert visit(stand.url + fragment).wait().whole


TEXT = "#:~:text=Rest%204."
HEARD = "window.heard = 0; for (const name of ['hashchange', 'popstate']) addEventListener(name, () => { heard++; });"


@pytest.mark.parametrize("delay", [0, 1.0], ids=["at once", "late"])
def test_a_text_in_the_rest_is_scrolled_to(visit: Visitor, stand: Newsstand, delay: float) -> None:
    """Links to a passage are what copying gives; the browser itself looks for the text only while the page loads."""
    stand.told = {POST: [Told(403, delay=delay)] if delay else []}
    seen = visit(stand.url + TEXT).wait()
    seen.page.wait_for_timeout(1500)
    assert 0 <= seen.js("document.getElementById('rest4').getBoundingClientRect().top") < seen.js("innerHeight") - 50
    assert seen.js("scrollY") > 0
    assert stand.count("GET /ferry") == (2 if delay else 1)


def test_who_has_scrolled_is_not_taken_to_a_text(visit: Visitor, stand: Newsstand) -> None:
    stand.told, stand.lead = {POST: [Told(403, delay=1)]}, 20
    seen = visit(stand.url + TEXT, init=HEARD)
    seen.js("scrollTo(0, 40)")
    seen.wait().page.wait_for_timeout(1500)
    assert (seen.js("scrollY"), seen.js("heard")) == (40, 0)


@pytest.mark.parametrize("fragment", ["", "#lead2", "#nowhere", "#lead2:~:text=Rest%204."])
def test_without_a_text_nothing_happens_to_the_address(visit: Visitor, stand: Newsstand, fragment: str) -> None:
    seen = visit(stand.url + fragment, init=HEARD).wait()
    seen.page.wait_for_timeout(1500)
    assert seen.js("[heard, history.length]") == [0, 2]
    assert stand.count("GET /ferry") == 1


def test_a_page_that_has_changed_its_address_stays(visit: Visitor, stand: Newsstand) -> None:
    stand.told, stand.head = {POST: [Told(403, delay=1)]}, "<script>history.replaceState(1, '', '/other')</script>"
    stand.told["GET /other"] = [Told(200, stand.page("/ferry", whole=False))]
    seen = visit(stand.url + TEXT, init=HEARD).wait()
    seen.page.wait_for_timeout(1500)
    assert seen.page.url == stand.address + "/other"
    assert seen.js("heard") == 0
    assert stand.count("GET /ferry") == 1


def test_what_is_asked_for_is_the_page_that_it_was(visit: Visitor, stand: Newsstand) -> None:
    """A site that adds the next article below changes the address while this one's rest is still on its way."""
    stand.told = {POST: [Told(403, delay=0.5)], "GET /other": [Told(200, "<p>Another article</p>")]}
    seen = visit()
    seen.js("history.replaceState(1, '', '/other')")
    assert seen.wait().whole
    assert seen.page.url == stand.address + "/other"
    assert (stand.count("GET /ferry"), stand.count("GET /other")) == (2, 0)


def test_and_no_other_is_loaded_in_its_place(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(204, delay=0.5)]}
    seen = visit()
    seen.js("history.replaceState(1, '', '/other')")
    seen.page.wait_for_timeout(1000)
    assert seen.link
    assert stand.count("GET /other") == 0


# -- back, forward, again --------------------------------------------------------------------------------------


def test_back_to_a_page_that_has_its_rest(visit: Visitor, stand: Newsstand) -> None:
    seen = visit().wait()
    seen.page.click("#away")
    seen.page.wait_for_url("**/elsewhere")
    seen.page.go_back(wait_until="commit")
    assert seen.wait().whole
    assert seen.js("swaps") == 1, "the page is the same one as before"
    assert stand.count("POST") == 1


def test_back_from_the_waiting_page(visit: Visitor, stand: Newsstand) -> None:
    """The link was followed, the ticket is spent, the pass is there: the page comes whole."""
    stand.told = {POST: [Told(429, headers=[("Retry-After", "99")])]}
    seen = visit(init="window.first = performance.timeOrigin;").idle()
    seen.page.click(".cg-continue")
    seen.page.wait_for_url(f"**{ROUTES}/wait/*")
    seen.context.add_cookies([{"name": "pass", "value": "1", "url": stand.url}])
    asked = stand.count("POST")
    seen.page.go_back(wait_until="commit")
    assert seen.wait().whole
    assert stand.count("POST") == asked, "no work for what is there already"


def test_back_to_a_page_that_lacks_it(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(429, headers=[("Retry-After", "99")])]}
    seen = visit().idle()
    seen.js("window.same = true")
    seen.page.click("#away")
    seen.page.wait_for_url("**/elsewhere")
    seen.page.go_back(wait_until="commit")
    assert seen.wait().whole
    assert seen.js("same"), "from the cache for going back"
    assert stand.redeemed == [""]


def test_away_in_the_middle_and_back(visit: Visitor, stand: Newsstand) -> None:
    stand.told = {POST: [Told(403, delay=1)]}
    seen = visit()
    seen.page.click("#away")
    seen.page.wait_for_url("**/elsewhere")
    seen.page.go_back(wait_until="commit")
    assert seen.wait().whole
    seen.page.go_forward(wait_until="commit")
    seen.page.go_back(wait_until="commit")
    assert seen.wait().whole
