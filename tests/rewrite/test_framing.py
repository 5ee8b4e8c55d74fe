"""Who may frame articles: what is added beside twenty kinds of policies, and what is taken for a list of origins."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contentguard.rewrite.csp import names_ancestors
from contentguard.rewrite.framing import Framing

OURS = Framing(("'self'", "https://partner.example"))
ADDED = [
    (b"content-security-policy", b"frame-ancestors 'self' https://partner.example"),
    (b"x-frame-options", b"SAMEORIGIN"),
]


class Case(NamedTuple):
    """What an app says, and whether we then say anything."""

    policies: list[str]
    options: list[bytes]
    adds: bool


CASES = {
    "nothing": Case([], [], True),
    "empty policy": Case([""], [], True),
    "only separators": Case([" ;; , ;"], [], True),
    "default self": Case(["default-src 'self'"], [], True),
    "default none": Case(["default-src 'none'"], [], True),
    "frame-src is another thing": Case(["frame-src 'none'; child-src 'none'"], [], True),
    "a name that only begins like it": Case(["frame-ancestorsx 'none'; x-frame-ancestors 'none'"], [], True),
    "in a value": Case(["report-uri /frame-ancestors; img-src frame-ancestors"], [], True),
    "sandbox": Case(["sandbox allow-scripts"], [], True),
    "self": Case(["frame-ancestors 'self'"], [], False),
    "none": Case(["frame-ancestors 'none'"], [], False),
    "without a value, which is none": Case(["frame-ancestors"], [], False),
    "in capitals": Case(["FRAME-ANCESTORS *"], [], False),
    "last of many": Case(["default-src 'self'; img-src *;\tframe-ancestors https://a.example"], [], False),
    "no space before": Case(["default-src 'self';frame-ancestors https://a.example"], [], False),
    "in the second header": Case(["default-src 'self'", "frame-ancestors *"], [], False),
    "in the second policy of a header": Case(["default-src 'self', frame-ancestors *"], [], False),
    "beside letters that are not ASCII": Case(["default-src 'self'; frame-ancestors https://ö.example"], [], False),
    "options deny": Case(["default-src 'self'"], [b"DENY"], False),
    "options same origin": Case([], [b" sameorigin "], False),
    "options twice": Case([], [b"ALLOWALL", b"deny"], False),
    "options in a list": Case([], [b"allowall, DENY"], False),
    "options that browsers do not heed": Case([], [b"ALLOW-FROM https://a.example"], True),
    "options of nothing": Case([], [b""], True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_added_beside_an_apps_own_words(case: Case) -> None:
    assert OURS.headers(case.policies, case.options) == (ADDED if case.adds else [])


def test_by_default_nothing_is_said_and_none_means_nobody() -> None:
    assert Framing().headers([], []) == []
    assert Framing(("'none'",)).headers([], []) == [
        (b"content-security-policy", b"frame-ancestors 'none'"),
        (b"x-frame-options", b"DENY"),
    ]


GOOD = ["'self'", "'NONE'", "https:", "https://a.example", "http://a.example:8080", "*.a.example", "a.example:*", "*"]
BAD = ["self", "", " ", "'self' *", "https://a.example; script-src *", "a,b", "'unsafe-inline'", "https://ö.example"]


@pytest.mark.parametrize("source", GOOD)
def test_what_names_an_ancestor(source: str) -> None:
    assert Framing((source,)).headers([], [])


@pytest.mark.parametrize("source", [*BAD, "https://a.example/path", "a\r\nset-cookie: x", "'self'\n"])
def test_what_would_say_something_else_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"partner\.example"):
        Framing((source,))


def test_none_stands_alone_and_unknown_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="'none' alone"):
        Framing(("'self'", "'none'"))
    with pytest.raises(ValidationError, match="ancestor"):
        TypeAdapter(Framing).validate_python({"ancestor": ["'self'"]})


@given(st.lists(st.text(max_size=40), max_size=3), st.lists(st.binary(max_size=20), max_size=3))
def test_whatever_an_app_says_at_most_one_policy_is_added(policies: list[str], options: list[bytes]) -> None:
    added = OURS.headers(policies, options)
    assert added in ([], ADDED)
    if added:
        assert not names_ancestors(policies)


@given(st.text(max_size=30))
def test_no_accepted_source_ends_its_directive(source: str) -> None:
    try:
        (policy, _) = Framing((source,)).headers([], [])
    except ValueError:
        return
    assert re.fullmatch(rb"frame-ancestors [^;,\s]+", policy[1])
