"""All detectors together: total, pure, bounded, and whole."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contentguard.detect as room
from contentguard.detect import behaviour, course, honeylinks, prefetched, report, signals, total
from contentguard.detect.agent import parse
from contentguard.detect.shape import READ, _picks, key, shape
from contentguard.detect.weights import weights
from contentguard.model import Cluster, Crawler, Facts, Network, Purpose, Session
from tests.detect.requests import CHROME, FIREFOX, SAFARI, facts, noticed

TOOL = Crawler("curl", "curl", "", Purpose.TOOL)


def test_every_signal_is_noticed_somewhere_and_weighed() -> None:
    source = "".join(path.read_text("utf-8") for path in Path(room.__file__).parent.glob("*.py"))
    named = set(re.findall(r'"([a-z]+(?:-[a-z0-9]+)*)"', source))
    assert weights().signals.keys() <= named
    yielded = set(re.findall(r'(?:yield |return \[?|else |append\()"([a-z]+(?:-[a-z0-9]+)*)"', source))
    assert yielded - {"text", "other", "linux", "chromium"} <= weights().signals.keys() | {
        "windows", "ios", "android", "chromeos", "macos",
    }  # fmt: skip


def test_a_tool_s_name() -> None:
    assert noticed({"Host": "a", "User-Agent": "curl/8.5.0", "Accept": "*/*"}, crawler=TOOL) == {"tool-name"}
    search = replace(TOOL, purpose=Purpose.SEARCH)
    assert noticed({"Host": "a", "User-Agent": "Searcher/1", "Accept": "*/*"}, crawler=search) == set()
    headless = {"User-Agent": CHROME["User-Agent"].replace("Chrome/", "HeadlessChrome/")}
    assert noticed(CHROME, headless, crawler=TOOL) == {"headless-name"}


def test_facts_written_down_give_the_same_signals() -> None:
    seen = facts(
        FIREFOX,
        {"Accept": "*/*"},
        crawler=TOOL,
        session=Session(views=5, dry=4, gap=2.5, nones=3, traps=1, report=3),
        network=Network(asn=16509, hosting=True, ja4="t12d180700_4b22cbed5bed_2dae41c691ec"),
        cluster=Cluster(alarm=True),
    )
    again = Facts.from_dict(json.loads(json.dumps(seen.as_dict())))
    assert again == seen
    assert signals(again) == signals(seen)
    assert {signal.group for signal in signals(seen)} == {
        "identity", "wrong", "parts", "trap", "automation", "network", "cluster",
    }  # fmt: skip


NAMES = [
    "host", "user-agent", "accept", "accept-language", "accept-encoding", "connection", "cookie", "referer", "priority",
    "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest",
    "sec-fetch-user", "sec-purpose", "upgrade-insecure-requests", "via", "http2-settings", "x-requested-with", "te",
]  # fmt: skip
PIECES = [
    *CHROME.values(), *FIREFOX.values(), *SAFARI.values(), "", "*/*", "none", "cors", "?1", "identity", "Mozilla/5.0",
    '"Chromium";v="', "Firefox/", "Chrome/9999.0.0.0", " Gecko/1 ", "AppleWebKit/", "Version/", "iPhone OS 1_", "\xff",
]  # fmt: skip


def strange(random: Random) -> Facts:
    """A request made of pieces of real ones, in any order and number, whole, cut, or repeated."""

    def value() -> bytes:
        text = "".join(random.choices(PIECES, k=random.choice((1, 1, 1, 2, 3))))
        if random.random() < 0.2:
            text = text[: random.randrange(len(text) + 1)] * random.choice((1, 1, 50))
        return text.encode("latin-1") if random.random() < 0.95 else random.randbytes(random.randrange(200))

    headers = tuple((random.choice(NAMES).encode(), value()) for _ in range(random.randrange(20)))
    session = Session._make(random.choice((0, 1, 2, 9, 255)) for _ in Session._fields)
    return Facts(
        random.choice(("GET", "HEAD", "POST", "")),
        "/",
        headers,
        None,
        random.choice(("http", "https", "")),
        random.choice(("1.0", "1.1", "2", "3", "")),
        crawler=random.choice((None, TOOL)),
        proxied=random.random() < 0.5,
        session=random.choice((None, session)),
        network=random.choice((None, Network(ja4=random.choice(("", "t", "t13d1516h2_8daaf6152771_02713d6af862"))))),
        cluster=random.choice((None, Cluster(alarm=True))),
    )


@pytest.mark.no_cover
def test_twenty_thousand_strange_requests() -> None:
    random, used = Random(4711), weights()
    for _ in range(20_000):
        seen = strange(random)
        found = signals(seen)
        assert found == signals(seen)
        assert set(found) <= set(used.signals.values())
        assert -2.0 <= total(found) <= sum(group.cap for group in used.groups.values())


def test_no_more_of_a_header_is_read_than_is_useful() -> None:
    seen = shape(facts(CHROME, {"sec-ch-ua": '"a";v="1",' * 20_000, "User-Agent": "Chrome/1 " * 20_000}))
    assert max(map(len, seen.values.values())) <= 1024
    assert key(facts(CHROME, {"Accept": "x" * 5000})) is None


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_remembered_is_bounded(kept: bool) -> None:
    before = set(room._shapes)
    for number in range(3000):
        signals(facts(CHROME, {"Accept": f"{number}{'' if kept else 'x' * 3000}"}))
    assert len(room._shapes) <= 1024
    assert kept or set(room._shapes) <= before


def test_the_same_shape_is_judged_once_however_paths_and_cookies_change() -> None:
    one, two = facts(CHROME, {"Cookie": "a=1"}), facts(CHROME, {"Cookie": "b=2"})
    assert key(one) == key(two) != key(facts(CHROME))
    assert key(one) != key(replace(one, proxied=True)) is not None


_PAIRS = st.tuples(
    st.sampled_from([b"host", b"accept", b"cookie", b"x-own", b"sec-fetch-site", b"referer"]),
    st.sampled_from([b"", b"a", b"accept", b"x" * 700]),
)


@given(st.lists(_PAIRS, max_size=5).map(tuple), st.lists(_PAIRS, max_size=5).map(tuple))
def test_requests_have_one_key_if_names_and_what_is_read_are_the_same(
    one: tuple[tuple[bytes, bytes], ...], two: tuple[tuple[bytes, bytes], ...]
) -> None:
    def told(headers: tuple[tuple[bytes, bytes], ...]) -> list[bytes | tuple[bytes, bytes]]:
        return [pair if pair[0] in READ else pair[0] for pair in headers]

    both = key(Facts("GET", "/", one, None)), key(Facts("GET", "/other", two, None))
    length = [sum(len(name) + (len(value) if name in READ else 0) for name, value in headers) for headers in (one, two)]
    for made, size in zip(both, length, strict=True):
        assert made is not None or size > 2000
        assert made is None or size <= 2048
    if None not in both:
        assert (both[0] == both[1]) is (told(one) == told(two))


def test_rows_of_names_that_are_remembered_are_bounded() -> None:
    for number in range(1000):
        assert key(facts(CHROME, {f"x-{number}": "1"})) is not None
    assert len(_picks) <= 256
    before = set(_picks)
    assert key(facts(CHROME, {"x" * 3000: "1"})) is None
    assert set(_picks) == before


def test_prefetches() -> None:
    assert prefetched(facts(CHROME, {"Sec-Purpose": "prefetch;prerender"}))
    assert prefetched(facts(FIREFOX, {"X-Moz": "prefetch"}))
    assert not prefetched(facts(CHROME))


small = st.integers(0, 3)
sessions = st.builds(
    Session,
    views=st.integers(0, 12), gap=st.floats(0, 5), mean=st.floats(0, 5), variation=st.floats(0, 1),
    returned=st.booleans(), styles=small, scripts=small, images=small, dry=small, nones=small, bare=small,
    distinct=st.integers(0, 50), run=st.sampled_from([0, 0, 5, 9]), traps=small, report=st.sampled_from([0, 1, 3, 5]),
)  # fmt: skip


@given(sessions, st.booleans())
def test_the_short_way_of_quiet_sessions_says_what_the_long_one_does(session: Session, browser: bool) -> None:
    agent = parse(CHROME["User-Agent"].encode() if browser else b"")
    quick = list(room.DETECTORS["session"](Facts("GET", "/", (), None, session=session), agent))
    slow = [*behaviour.detect(session, browser=agent.browser)]
    if session.views > course.ENOUGH or session.run:
        slow += course.detect(session)
    if session.traps:
        slow += honeylinks.detect(session)
    if session.report:
        slow += report.detect(session)
    assert quick == slow
