"""Access logs of the servers that people have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard import Facts, Signal
from contentguard.cli.logs import LONGEST, read_line
from contentguard.cli.recorded import Recorded, UnreadableError
from contentguard.model import Crawler, Purpose, Standing
from contentguard.policy import Policy, decide

COMBINED = '203.0.113.9 - - [10/Oct/2026:13:55:36 -0700] "GET /a%20b?x=1 HTTP/1.1" 200 2326 "https://x/" "curl/8.5"'
WHEN = 1791665736.0

LINES = {
    "combined": COMBINED,
    "combined with more at its end": COMBINED + ' "-" 0.004',
    "virtual host before": "news.example:443 " + COMBINED,
    "a user's name": COMBINED.replace("- - [", "- ada [", 1),
    "a user's name with a space": COMBINED.replace("- - [", "- ada lovelace [", 1),
    "escapes of nginx": COMBINED.replace("curl/8.5", r"curl/8.5 \x22quoted\x22"),
    "escapes of Apache": COMBINED.replace("curl/8.5", r"curl/8.5 \"quoted\""),
    "nginx as JSON": json.dumps(
        {
            "time_iso8601": "2026-10-10T13:55:36-07:00",
            "remote_addr": "203.0.113.9",
            "request": "GET /a%20b?x=1 HTTP/1.1",
            "status": "200",
            "http_user_agent": "curl/8.5",
            "http_accept_language": "en",
        }
    ),
    "nginx as JSON, in parts": json.dumps(
        {
            "msec": "1791665736.000",
            "client_ip": "203.0.113.9",
            "request_method": "GET",
            "request_uri": "/a%20b?x=1",
            "status": 200,
            "user_agent": "curl/8.5",
        }
    ),
    "Caddy": json.dumps(
        {
            "level": "info",
            "ts": WHEN,
            "logger": "http.log.access.log0",
            "msg": "handled request",
            "request": {
                "remote_ip": "10.0.0.1",
                "remote_port": "41342",
                "client_ip": "203.0.113.9",
                "proto": "HTTP/1.1",
                "method": "GET",
                "host": "news.example",
                "uri": "/a%20b?x=1",
                "headers": {"User-Agent": ["curl/8.5"], "Accept": ["*/*"]},
            },
            "status": 200,
        }
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_formats(name: str) -> None:
    recorded = read_line(LINES[name] + "\r\n")
    facts = recorded.facts
    assert (facts.method, facts.path, facts.client, facts.http_version) == ("GET", "/a b", "203.0.113.9", "1.1")
    assert (facts.now, recorded.timed, recorded.status, recorded.outcome) == (WHEN, True, 200, "served")
    assert (facts.header(b"user-agent") or b"").startswith(b"curl/8.5")
    if "escapes" in name:
        assert facts.header(b"user-agent") == b'curl/8.5 "quoted"'


def test_the_common_format_has_no_user_agent() -> None:
    recorded = read_line('203.0.113.9 - - [10/Oct/2026:13:55:36 +0000] "GET /a HTTP/1.0" 403 -')
    assert (recorded.facts.headers, recorded.outcome) == ((), "deny")


def test_a_missing_user_agent_is_none() -> None:
    assert read_line(COMBINED.replace("curl/8.5", "-")).facts.header(b"user-agent") is None


@pytest.mark.parametrize(
    "line",
    [
        'INFO:     203.0.113.9:52350 - "GET /a HTTP/1.1" 429 Too Many Requests',
        '\x1b[32mINFO\x1b[0m:     203.0.113.9:52350 - "\x1b[1mGET /a HTTP/1.1\x1b[0m" \x1b[32m429 Too Many\x1b[0m',
        '2026-10-10 13:55:36,001 - uvicorn.access - INFO - 203.0.113.9:52350 - "GET /a HTTP/1.1" 429',
    ],
)
def test_uvicorn(line: str) -> None:
    recorded = read_line(line)
    assert (recorded.facts.client, recorded.facts.path, recorded.outcome) == ("203.0.113.9", "/a", "throttle")
    assert not recorded.timed


def test_ipv6() -> None:
    assert read_line(COMBINED.replace("203.0.113.9", "2001:db8::1")).facts.client == "2001:db8::1"
    line = 'INFO:     2001:db8::1:52350 - "GET /a HTTP/1.1" 200 OK'
    assert read_line(line).facts.client == "2001:db8::1"
    caddy = json.loads(LINES["Caddy"])
    caddy["request"] = {"remote_addr": "[2001:db8::1]:1234", "method": "GET", "uri": "/a"}
    assert read_line(json.dumps(caddy)).facts.client == "2001:db8::1"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "no line"),
        ("Oct 10 13:55:36 host sshd[1]: Accepted", "no line"),
        ('1.2.3.4 - - [10/Oct/2026:13:55:36 +0000] "\\x16\\x03\\x01" 400 0 "-" "-"', "no request"),
        ('1.2.3.4 - - [10/Oct/2026:13:55:36 +0000] "-" 408 0 "-" "-"', "no request"),
        (COMBINED.replace("10/Oct", "99/Oct"), "a time"),
        (COMBINED.replace("Oct", "Okt"), "a time"),
        ("{", "no JSON"),
        ("[1]", "no line"),
        ('{"a": 1}', "without method"),
        ('{"request": {"uri": "/a"}}', "without method"),
        ('{"method": "GET", "uri": "/a", "time": "yesterday"}', "a time"),
        ('{"facts": {"pth": "/a"}}', "did you mean 'path'"),
        ('{"headers": [["a"]], "method": "GET"}', "pairs"),
        ('{"headers": [], "now": "x"}', "no facts"),
        ('{"action": "alow", "rule": "x", "path": "/"}', "no action"),
        ('{"headers": [], "signals": [1]}', "triples"),
        ("x" * (LONGEST + 1), "64 KiB"),
    ],
)
def test_what_cannot_be_read_says_why(line: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        read_line(line)


FACTS = Facts(
    "GET",
    "/news/a",
    ((b"user-agent", b"GPTBot/1.2"), (b"x-\xff", b"\x00")),
    "203.0.113.9",
    now=WHEN,
    crawler=Crawler("GPTBot", "GPTBot", "OpenAI", Purpose.AI_TRAINING, "GPTBot"),
    identity=Standing.UNVERIFIABLE,
)


def test_own_records() -> None:
    signals = (Signal("odd", 1.5, "headers"),)
    verdict = decide(Policy(), FACTS, signals)
    told = {"signals": [["odd", 1.5, "headers"]]}
    assert read_line(json.dumps(FACTS.as_dict())) == Recorded(FACTS)
    assert read_line(json.dumps({**FACTS.as_dict(), **told})) == Recorded(FACTS, signals)
    both = {"facts": FACTS.as_dict(), "verdict": verdict.as_dict()}
    assert read_line(json.dumps(both)) == Recorded(FACTS, signals, outcome="deny")


def test_own_verdicts() -> None:
    record = {
        "id": "3F2A-91BC-77D0",
        "time": WHEN,
        "client": "9f86d081884c7d65",
        "method": "GET",
        "path": "/news/a",
        "agent": "GPTBot/1.2",
        "crawler": "GPTBot",
        "identity": "unverifiable",
        **decide(Policy(), FACTS, (Signal("odd", 1.5, "headers"),)).as_dict(),
    }
    for line in (record, {"message": "deny /news/a", "verdict": record}):
        recorded = read_line(json.dumps(line))
        assert recorded.facts == Facts(
            "GET", "/news/a", ((b"user-agent", b"GPTBot/1.2"),), None, now=WHEN, identity=Standing.UNVERIFIABLE
        )
        assert (recorded.key, recorded.outcome, recorded.complete) == ("9f86d081884c7d65", "deny", False)
        assert recorded.signals == (Signal("odd", 1.5, "headers"),)


def test_a_verdict_of_before_scores_were_kept_is_read() -> None:
    record = {"time": WHEN, "path": "/a", "agent": "", "action": "allow", "rendition": "head", "rule": "rights.feed"}
    assert read_line(json.dumps(record)).outcome == "head"


noise = st.text(st.sampled_from('0123456789.:-[]"/ \\x{},GETHPOct+'), max_size=120)
jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ("request", "uri", "method", "headers", "facts", "verdict", "rule", "action", "path", "ts", "status",
             "client", "time", "http_a", "signals", "crawler", "identity", "waits", "now", "agent", "remote_addr")
        ),
        inner,
    ),
    max_leaves=20,
)  # fmt: skip


def check_line(line: str) -> None:
    try:
        recorded = read_line(line)
    except UnreadableError:
        return
    assert isinstance(recorded.facts.path, str)
    decide(Policy(), recorded.facts, recorded.signals)


@given(st.text() | noise | noise.map(lambda text: f'1.2.3.4 - - [{text}] "GET / HTTP/1.1" 200 1'))
def test_any_line_is_a_request_or_an_error(line: str) -> None:
    check_line(line)


@given(jsons)
def test_any_json_is_a_request_or_an_error(data: Any) -> None:
    check_line(json.dumps(data))


@given(st.integers(0, len(COMBINED) - 1), st.characters())
def test_a_damaged_line_is_a_request_or_an_error(place: int, char: str) -> None:
    check_line(COMBINED[:place] + char + COMBINED[place + 1 :])
