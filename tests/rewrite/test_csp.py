"""Whether our script and style sheet may go into a page with a policy: a table, and that nothing ever raises.

``tests/browser/test_csp.py`` asks a real browser about the same table.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.rewrite.csp import _MAX_CHARS, Allowance, allowance

BOTH, SCRIPT, STYLE, NEITHER = (True, True), (True, False), (False, True), (False, False)


class Case(NamedTuple):
    policies: list[str]
    """Header values. ``{origin}``, ``{host}`` and ``{port}`` stand for the site's own."""
    allowed: tuple[bool, bool]
    nonce: str = ""
    meta: str | None = None
    cautious: bool = False
    """Where we say no and a browser may say yes."""


CASES = {
    "no policy": Case([], BOTH),
    "empty policy": Case([""], BOTH),
    "only separators": Case([" ;; , ;"], BOTH),
    "other directives": Case(["img-src 'none'; frame-ancestors 'none'; base-uri 'none'"], BOTH),
    "default self": Case(["default-src 'self'"], BOTH),
    "default none": Case(["default-src 'none'"], NEITHER),
    "default empty": Case(["default-src"], NEITHER),
    "self in capitals": Case(["DEFAULT-SRC 'SELF'"], BOTH),
    "self without quotes": Case(["default-src self"], NEITHER),
    "script none": Case(["default-src 'self'; script-src 'none'"], STYLE),
    "style none": Case(["default-src 'self'; style-src 'none'"], SCRIPT),
    "script-src over default": Case(["default-src 'none'; script-src 'self'; style-src 'self'"], BOTH),
    "elem over script-src": Case(["script-src 'none'; script-src-elem 'self'"], BOTH),
    "elem none over script-src": Case(["script-src 'self'; script-src-elem 'none'"], STYLE),
    "style elem none": Case(["style-src 'self'; style-src-elem 'none'"], SCRIPT),
    "attr does not matter": Case(["script-src-attr 'none'; style-src-attr 'none'"], BOTH),
    "first of a name counts": Case(["script-src 'self'; script-src 'none'"], BOTH),
    "first of a name counts, none": Case(["script-src 'none'; script-src 'self'"], STYLE),
    "star": Case(["default-src *"], BOTH),
    "own scheme": Case(["default-src http:"], BOTH),
    "other scheme": Case(["default-src https:"], NEITHER),
    "data only": Case(["default-src data: blob:"], NEITHER),
    "own origin": Case(["default-src {origin}"], BOTH),
    "own origin and slash": Case(["default-src {origin}/"], BOTH),
    "own host and port": Case(["default-src {host}:{port}"], BOTH),
    "own host, any port": Case(["default-src {host}:*"], BOTH),
    "own host, default port": Case(["default-src {host}"], NEITHER),
    "own host, other port": Case(["default-src {host}:1"], NEITHER),
    "any host of the scheme, any port": Case(["default-src http://*:*"], BOTH),
    "parent's wildcard": Case(["default-src *.localhost:*"], BOTH),
    "wildcard does not cover itself": Case(["default-src *.{host}:*"], NEITHER),
    "other host": Case(["default-src https://cdn.example"], NEITHER),
    "own host under a path": Case(["default-src {origin}/assets/"], NEITHER),
    "own host under our path": Case(["default-src {origin}/cg/"], NEITHER, cautious=True),
    "unsafe-inline is no help": Case(["default-src 'unsafe-inline' 'unsafe-eval'"], NEITHER),
    "a hash of something else": Case(["script-src 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='"], STYLE),
    "nonce": Case(["script-src 'nonce-abc123=='"], BOTH, "abc123=="),
    "nonce for both": Case(["default-src 'nonce-a+/_-'"], BOTH, "a+/_-"),
    "nonce in capitals": Case(["script-src 'NONCE-Abc'"], BOTH, "Abc"),
    "nonce of no base64": Case(["script-src 'nonce-a\"b'"], STYLE),
    "nonce of no base64 either": Case(["script-src 'nonce-a=b'"], STYLE),
    "nonce empty": Case(["script-src 'nonce-'"], STYLE),
    "nonce beside self": Case(["script-src 'self' 'nonce-abc'"], BOTH),
    "style nonce only": Case(["style-src 'nonce-abc'"], BOTH, "abc"),
    "strict-dynamic": Case(["script-src 'self' 'strict-dynamic'"], STYLE),
    "strict-dynamic by default": Case(["default-src 'self' 'strict-dynamic'"], STYLE),
    "strict-dynamic and nonce": Case(["script-src 'strict-dynamic' 'nonce-abc' https: 'unsafe-inline'"], BOTH, "abc"),
    "strict-dynamic in style-src": Case(["style-src 'self' 'strict-dynamic'"], BOTH),
    "none and more": Case(["script-src 'none' 'self'"], STYLE, cautious=True),
    "different nonces of script and style": Case(["script-src 'nonce-abc'; style-src 'nonce-def'"], SCRIPT, "abc"),
    "a shared nonce of script and style": Case(
        ["script-src 'nonce-abc' 'nonce-def'; style-src 'nonce-def'"], BOTH, "def"
    ),
    "two headers agree": Case(["default-src 'self'", "script-src http:"], BOTH),
    "two headers disagree": Case(["default-src 'self'", "script-src 'none'"], STYLE),
    "two policies in one header": Case(["default-src 'self', script-src 'none'"], STYLE),
    "two nonces in two headers": Case(["script-src 'nonce-abc'", "script-src 'nonce-def'"], STYLE),
    "one nonce in two headers": Case(["script-src 'nonce-abc' 'nonce-x'", "script-src 'nonce-abc'"], BOTH, "abc"),
    "nonce in one, self in the other": Case(["script-src 'nonce-abc'", "script-src 'self'"], BOTH, "abc"),
    "sandbox": Case(["sandbox"], NEITHER, cautious=True),
    "sandbox with scripts": Case(["sandbox allow-scripts"], NEITHER, cautious=True),
    "sandbox without scripts": Case(["sandbox allow-same-origin"], STYLE),
    "sandbox with both": Case(["sandbox Allow-Scripts allow-same-origin"], BOTH),
    "trusted types": Case(["require-trusted-types-for 'script'; trusted-types 'none'"], BOTH),
    "sri": Case(["require-sri-for script style"], BOTH),
    "report-sample": Case(["script-src 'self' 'report-sample' 'wasm-unsafe-eval'"], BOTH),
    "whitespace of every kind": Case(["\tscript-src\t'none' \t;style-src  'self'"], STYLE),
    "letters beyond ASCII": Case(["script-src 'self' \xe9"], NEITHER, cautious=True),
    "meta none": Case([], NEITHER, meta="default-src 'none'"),
    "meta and header": Case(["script-src 'self'"], STYLE, meta="script-src 'none'"),
    "meta with a comma, two policies in Chromium": Case([], STYLE, meta="script-src 'none', style-src 'self'"),
    "meta with a comma, by HTML one policy": Case(
        [], NEITHER, meta="script-src 'self', style-src 'none'", cautious=True
    ),
    "meta sandbox is ignored": Case([], BOTH, meta="sandbox"),
}


def policies(case: Case, host: str, port: int) -> list[str]:
    """The case's header values for a site at ``http://host:port``."""
    return [
        text.replace("{origin}", f"http://{host}:{port}").replace("{host}", host).replace("{port}", str(port))
        for text in case.policies
    ]


def answer(case: Case, host: str, port: int) -> Allowance:
    meta = [] if case.meta is None else [case.meta]
    return allowance(policies(case, host, port), origin=f"http://{host}:{port}", meta=meta)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_a_policy_allows(case: Case) -> None:
    assert answer(case, "news.localhost", 8000) == Allowance(*case.allowed, case.nonce)


@pytest.mark.parametrize(
    ("source", "origin", "allowed"),
    [
        ("https:", "https://news.example", True),
        ("http:", "https://news.example", True),
        ("https:", "http://news.example", False),
        ("https:", "", False),
        ("*", "", True),
        ("'self'", "", True),
        ("news.example", "", False),
        ("news.example", "https://news.example", True),
        ("NEWS.example", "https://News.Example/", True),
        ("news.example:443", "https://news.example", True),
        ("news.example:80", "https://news.example", False),
        ("news.example", "https://news.example:8443", False),
        ("news.example:8443", "https://news.example:8443", True),
        ("http://news.example", "https://news.example", True),
        ("https://news.example", "http://news.example", False),
        ("*.example", "https://news.example", True),
        ("*.example", "https://example", False),
        ("*.example", "https://newsexample", False),
        ("*.news.example", "https://news.example", False),
        ("https://*", "https://news.example", True),
        ("https://*", "https://news.example:8443", False),
        ("192.0.2.1", "https://192.0.2.1", False),
        ("*", "https://192.0.2.1", True),
        ("https://*", "https://[2001:db8::1]", True),
        ("[2001:db8::1]", "https://[2001:db8::1]", False),
        ("ftp:", "ftp://news.example", False),
        ("news.example", "news.example", False),
        ("news.example", "https://[news.example", False),
        ("news.example", "https://news.example:port", False),
        ("news.example/js/", "https://news.example", False),
        ("news.*", "https://news.example", False),
        ("*.*.example", "https://a.b.example", False),
        ("'strict-dynamic-url'", "https://news.example", False),
    ],
)
def test_source_expressions(source: str, origin: str, allowed: bool) -> None:
    assert allowance([f"script-src {source}"], origin=origin) == Allowance(allowed, True, "")


def test_the_nonce_is_safe_in_an_attribute() -> None:
    for bad in ('"', "<", "&", "'", " ", "\x00", "é", "%"):
        assert allowance([f"script-src 'nonce-a{bad}b'"]).nonce == ""
    assert not allowance([f"script-src 'nonce-{'a' * 300}'"]).scripts


SHREDS = st.sampled_from(
    [
        "script-src",
        "style-src",
        "default-src",
        "script-src-elem",
        "sandbox",
        "'",
        "'self'",
        "'none'",
        "'nonce-a'",
        "'nonce-b'",
        "'strict-dynamic'",
        "https:",
        "*",
        "*.",
        "http://a.example",
        ":80",
        ";",
        ";",
        ",",
        "é",
        "\x00",
        "\t",
        "https://[::1]:x",
    ]
)


@settings(deadline=None)
@given(
    st.lists(st.text() | st.lists(SHREDS).map(" ".join)),
    st.text() | st.sampled_from(["", "https://a.example", "http://["]),
    st.lists(st.text() | st.lists(SHREDS).map(" ".join), max_size=2),
)
def test_it_never_raises_and_more_policies_never_allow_more(headers: list[str], origin: str, meta: list[str]) -> None:
    whole = allowance(headers, origin=origin, meta=meta)
    for fewer in (headers[1:], headers[:-1]):
        part = allowance(fewer, origin=origin, meta=meta)
        assert part.scripts >= whole.scripts
    assert not whole.nonce or (whole.nonce in "ab" and (whole.scripts or whole.styles))


@pytest.mark.parametrize("shred", ["script-src ", "'nonce-", "a.", "-", "*.", ";", ",", "'nonce-a' ", " ", "="])
@pytest.mark.no_cover
def test_work_is_bounded(shred: str) -> None:
    def seconds(size: int) -> float:
        text = "script-src " + shred * (size // len(shred))
        spent = []
        for _ in range(7):
            start = time.process_time()
            allowance([text], origin="https://news.example")
            spent.append(time.process_time() - start)
        return min(spent)

    # Four times the input: quadratic work would take sixteen times as long.
    assert seconds(_MAX_CHARS - 20) < 12 * seconds(_MAX_CHARS // 4) + 0.005
    text = "script-src " + shred * ((_MAX_CHARS - 20) // len(shred))
    assert allowance([text * 2]) == Allowance(False, False, "")
