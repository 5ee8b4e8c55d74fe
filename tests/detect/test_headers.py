"""Headers against the claimed browser: what sets a signal off, and what readers' surroundings must not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from contentguard.detect.hints import KNOWN, RULE_SINCE, brands, nonsense
from tests.detect.requests import CHROME, FIREFOX, SAFARI, noticed

Changes = Mapping[str, str | None]
ANDROID_VIEW = (
    "Mozilla/5.0 (Linux; Android 9; SM-G960F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/91.0.4472.120 Mobile Safari/537.36"
)
OLD_SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.3 "
    "Safari/605.1.15"
)
NO_HINTS: Changes = {"sec-ch-ua": None, "sec-ch-ua-mobile": None, "sec-ch-ua-platform": None}
NO_FETCH: Changes = {f"Sec-Fetch-{part}": None for part in ("Site", "Mode", "User", "Dest")}
CHROME_99 = CHROME["User-Agent"].replace("156.0.0.0", "99.0.4844.51")
HEADLESS = CHROME["User-Agent"].replace("Chrome/", "HeadlessChrome/")
MODE_ALONE: Changes = {**NO_FETCH, "Sec-Fetch-Mode": "navigate"}
VIEW: Changes = {**NO_HINTS, "User-Agent": ANDROID_VIEW, "Accept-Encoding": "gzip, deflate"}
OLD_BRANDS = '" Not A;Brand";v="99", "Chromium";v="156", "Google Chrome";v="156"'
MOVED_BRANDS = '"Chromium";v="156", "Google Chrome";v="156", "Not:A-Brand";v="8"'
FORK_BRANDS = '"Brave";v="156", "X";v="1", "Chromium";v="156", "Not:A-Brand";v="8"'
OLD_ACCEPT = CHROME["Accept"].replace("b3;q=0.7", "b3;q=0.9")


@pytest.mark.parametrize("headers", [CHROME, FIREFOX, SAFARI], ids=["chrome", "firefox", "safari"])
def test_a_browser_sets_off_nothing(headers: Changes) -> None:
    assert noticed(headers) == set()
    assert noticed(headers, {"Sec-Fetch-Site": "same-origin", "Referer": "https://news.example/"}) == set()
    assert noticed(headers, {"Cookie": "a=b"}, proxied=True) == set()
    assert noticed(headers, http_version="2") <= {"priority-on-http1"}


CASES: list[tuple[str, Changes, Changes, set[str]]] = [
    ("sec-fetch stripped", CHROME, NO_FETCH, {"no-fetch-metadata"}),
    ("sec-fetch stripped from firefox", FIREFOX, NO_FETCH, {"no-fetch-metadata"}),
    ("safari of before sec-fetch", SAFARI, {**NO_FETCH, "User-Agent": OLD_SAFARI}, set()),
    ("sec-fetch before its time", SAFARI, {"User-Agent": OLD_SAFARI}, {"fetch-metadata-too-new"}),
    ("mode alone", CHROME, MODE_ALONE, {"fetch-metadata-partial"}),
    ("a page as a script's fetch", CHROME, {"Sec-Fetch-Mode": "cors"}, {"fetch-metadata-contradiction"}),
    ("from a place that is none", CHROME, {"Sec-Fetch-Site": "some-origin"}, {"fetch-metadata-contradiction"}),
    ("a navigation for nothing", CHROME, {"Sec-Fetch-Dest": "empty"}, {"fetch-metadata-contradiction"}),
    ("from nowhere, with a referrer", CHROME, {"Referer": "https://x.example/"}, {"none-with-referer"}),
    ("typed by nobody", CHROME, {"Sec-Fetch-User": None}, {"none-without-user"}),
    ("typed by nobody, safari", SAFARI, {}, set()),
    ("no hints", CHROME, NO_HINTS, {"no-hints"}),
    ("no hints in a web view", CHROME, VIEW, set()),
    ("no hints in an app on a phone", SAFARI, {"User-Agent": SAFARI["User-Agent"] + " Instagram 350.0"}, set()),
    ("hints of another version", CHROME, {"User-Agent": CHROME["User-Agent"].replace("156", "140")}, {"hints-version"}),
    ("hints of another system", CHROME, {"sec-ch-ua-platform": '"Linux"'}, {"hints-platform"}),
    ("hints of a phone", CHROME, {"sec-ch-ua-mobile": "?1"}, {"hints-platform"}),
    ("hints in firefox", FIREFOX, {"sec-ch-ua": CHROME["sec-ch-ua"]}, {"hints-foreign"}),
    ("an old nonsense brand", CHROME, {"sec-ch-ua": OLD_BRANDS}, {"hints-brands"}),
    ("brands in another order", CHROME, {"sec-ch-ua": MOVED_BRANDS}, {"hints-brands"}),
    ("a fork's own brands", CHROME, {"sec-ch-ua": FORK_BRANDS}, set()),
    ("hints without platform", CHROME, {"sec-ch-ua-platform": None, "sec-ch-ua-mobile": None}, set()),
    ("anything at all", CHROME, {"Accept": "*/*"}, {"accept-not-html"}),
    ("firefox's accept in chrome", CHROME, {"Accept": FIREFOX["Accept"]}, {"accept-foreign"}),
    ("chrome's accept in firefox", FIREFOX, {"Accept": CHROME["Accept"]}, {"accept-foreign"}),
    ("an old signed exchange", CHROME, {"Accept": OLD_ACCEPT}, {"accept-outdated"}),
    ("no accept", CHROME, {"Accept": None}, {"no-accept"}),
    ("no language", FIREFOX, {"Accept-Language": None}, {"no-language"}),
    ("any language", FIREFOX, {"Accept-Language": "*"}, {"language-any"}),
    ("no encoding", CHROME, {"Accept-Encoding": None}, {"no-encoding"}),
    ("a proxy's gzip", CHROME, {"Accept-Encoding": "gzip"}, {"no-brotli"}),
    ("no zstd", FIREFOX, {"Accept-Encoding": "gzip, deflate, br"}, {"no-zstd"}),
    ("an encoding of no browser", CHROME, {"Accept-Encoding": "gzip, compress, deflate, br"}, {"encoding-foreign"}),
    ("zstd before its time", CHROME, {**NO_HINTS, "User-Agent": CHROME_99}, {"encoding-too-new", "no-hints"}),
    ("no upgrade", CHROME, {"Upgrade-Insecure-Requests": None}, {"no-upgrade-insecure"}),
    ("an offer of h2c", CHROME, {"HTTP2-Settings": "AAEAAQ"}, {"cleartext-upgrade"}),
    ("priority on http/1", CHROME, {"Priority": "u=0, i"}, {"priority-on-http1"}),
    ("no connection header", CHROME, {"Connection": None}, {"no-keep-alive"}),
    ("saving data", CHROME, {"Save-Data": "on", "DNT": "1", "Sec-GPC": "1"}, set()),
    ("a reload", CHROME, {"Cache-Control": "max-age=0", "Pragma": "no-cache"}, set()),
    ("no user agent", CHROME, {"User-Agent": None}, {"no-agent"}),
    ("without a screen", CHROME, {"User-Agent": HEADLESS}, {"headless-name"}),
    ("half a name", FIREFOX, {"User-Agent": "Mozilla/5.0 Firefox/150.0"}, {"agent-malformed", "outdated-agent"}),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "changes", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_one_change(headers: Changes, changes: Changes, expected: set[str]) -> None:
    assert noticed(headers, changes) == expected


def test_on_plain_http_nobody_misses_what_browsers_keep_for_https() -> None:
    bare = {**NO_HINTS, **NO_FETCH, "Accept-Encoding": "gzip, deflate"}
    assert noticed(CHROME, bare, scheme="http") == set()
    assert {"no-fetch-metadata", "no-hints"} <= noticed(CHROME, {**bare, "Host": "127.0.0.1:8000"}, scheme="http")


def test_what_a_script_or_a_prefetch_asks_for_is_not_judged_as_a_navigation() -> None:
    fetched = {"Accept": "*/*", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
    script = {**fetched, "Sec-Fetch-User": None, "Upgrade-Insecure-Requests": None}
    assert noticed(CHROME, script) == set()
    assert noticed(CHROME, {"Sec-Purpose": "prefetch", "Sec-Fetch-User": None}) == set()


DISORDER = {"Accept": CHROME["Accept"], "Host": "news.example", "User-Agent": CHROME["User-Agent"]} | CHROME


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"CF-Ray": "8f"},
        {"Connection": "close"},
    ],
)
def test_the_order_of_headers_counts_only_on_a_direct_connection(changes: Changes) -> None:
    found = noticed(DISORDER, changes) & {"header-order", "host-not-first"}
    assert found == (set() if changes else {"header-order", "host-not-first"})
    assert noticed(DISORDER, changes, proxied=True) == set()


def test_extensions_and_embedders_may_move_the_language() -> None:
    assert noticed({"Host": "news.example", "Accept-Language": "fr"} | CHROME) == set()


def test_a_header_twice() -> None:
    twice = {**CHROME, "user-agent": CHROME["User-Agent"]}
    assert noticed(twice) >= {"doubled-header"}


@pytest.mark.parametrize(
    ("major", "brand"),
    [
        (107, ("Not=A?Brand", "24")),
        (131, ("Not_A Brand", "24")),
        (143, ("Not A(Brand", "24")),
        (156, ("Not:A-Brand", "8")),
    ],
)
def test_the_nonsense_brand_is_the_one_that_browsers_were_seen_to_send(major: int, brand: tuple[str, str]) -> None:
    assert nonsense(major) == (brand[0].encode(), brand[1].encode())
    assert RULE_SINCE <= major <= KNOWN


def test_a_version_to_come_may_follow_another_rule() -> None:
    new = {"User-Agent": CHROME["User-Agent"].replace("156", "175")}
    told = {**new, "sec-ch-ua": '"Whatever";v="7", "Chromium";v="175", "Google Chrome";v="175"'}
    assert noticed(CHROME, told) == set()


def test_brands_are_read_at_most_eight_and_never_wrongly() -> None:
    assert brands(b'"A";v="1", "B C"; v="2.3"') == ((b"A", b"1"), (b"B C", b"2.3"))
    assert len(brands(b'"A";v="1",' * 60)) == 8
    assert brands(b'"A;v=1') == ()
