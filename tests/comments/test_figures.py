"""Every documented answer with figures, in JSON and in CSV, and what happens to all the others."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.comments.figures import (
    ORDERS,
    KeySites,
    SiteUsage,
    Usage,
    asked,
    read_listed_sites,
    read_sites,
    read_usage,
)

PAGE = b"<html><body>true</body></html>"


def test_every_answer_about_usage() -> None:
    body = json.dumps({"limit": 350000, "usage": 7463, "percentage": "2.13", "throttled": False}).encode()
    assert read_usage(200, (), body) == Usage(350000, 7463, 2.13, False)
    free = b'{"limit": "none", "usage": "12", "percentage": 0, "throttled": true}'
    assert read_usage(200, (), free) == Usage(None, 12, 0.0, True)


SITE = {"site": "a.example", "api_calls": "3", "spam": 1, "ham": 2, "missed_spam": 0, "false_positives": 0}
READ = SiteUsage("a.example", 3, 1, 2, 0, 0, False)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {"2026-07": [SITE, SITE | {"is_revoked": True}], "limit": 10, "offset": 20, "total": "22"},
            KeySites((READ, READ._replace(is_revoked=True)), "2026-07", 22, 10, 20),
        ),
        ({"2026-07": SITE | {"is_revoked": False}, "limit": 500}, KeySites((READ,), "2026-07", 1, 500, 0)),
        ({"2026-07": [], "total": 0}, KeySites((), "2026-07", 0, 0, 0)),
        ({"sites": [SITE]}, KeySites((), "", 0, 0, 0)),
    ],
)  # fmt: skip
def test_every_answer_about_sites(data: object, expected: KeySites) -> None:
    assert read_sites(200, (), json.dumps(data).encode()) == expected


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, b"invalid", "calls the request invalid"),
        (500, b"{}", "status 500"),
        (200, PAGE, "a web page"),
        (200, b"[1]", "3 bytes that mean nothing"),
        (200, b"{", "1 bytes that mean nothing"),
        (200, b"[" * 60_000, "60000 bytes that mean nothing"),
        (200, b'{"2026-07": [{}]}', "no sense"),
        (200, b'{"2026-07": 3, "limit": [], "usage": 1, "percentage": "1", "throttled": 0}', "no sense"),
        (200, b'{"2026-07": ["x"], "limit": 1, "usage": 1, "percentage": "NaN", "throttled": 0}', "no sense"),
        (
            200,
            b'{"2026-07": [{"site": 1}], "limit": Infinity, "usage": 1, "percentage": 1, "throttled": 0}',
            "no sense",
        ),
    ],
)
def test_figures_that_are_none(status: int, body: bytes, why: str) -> None:
    for read in (read_usage, read_sites):
        with pytest.raises(ValueError, match=why):
            read(status, (), body)


LISTED = b"""Active sites for 123YourAPIKey during 2022-09 (limit:10, offset: 0, total: 4)
Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked
site6735.domain.tld,14446,33,13,0,9,false
"site, quoted",8677,101,6,0,0,false

site3737.domain.tld,4230,65,5,2,0,true
"""
"""As the documentation shows it."""


def test_sites_as_csv() -> None:
    sites = read_listed_sites(200, (), LISTED)
    assert sites == KeySites(
        (
            SiteUsage("site6735.domain.tld", 14446, 33, 13, 0, 9, False),
            SiteUsage("site, quoted", 8677, 101, 6, 0, 0, False),
            SiteUsage("site3737.domain.tld", 4230, 65, 5, 2, 0, True),
        ),
        "2022-09",
        4,
        10,
        0,
    )
    assert read_listed_sites(200, (), b"\xef\xbb\xbf" + LISTED.replace(b"\n", b"\r\n")) == sites
    title, columns, _ = LISTED.split(b"\n", 2)
    for none in (title, title + b"\n" + columns + b"\n"):
        assert read_listed_sites(200, (), none) == sites._replace(sites=())


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, b"invalid", "calls the request invalid"),
        (200, b"", "an empty answer"),
        (200, PAGE, "a web page"),
        (500, LISTED, "status 500"),
        (200, b"{}", "2 bytes that mean nothing"),
        (200, LISTED.replace(b"2022-09", b"September"), "bytes that mean nothing"),
        (200, LISTED.replace(b"Is Revoked", b"Is Nice"), "no sense"),
        (200, LISTED.replace(b"14446", b"many"), "no sense"),
        (200, LISTED.replace(b",33,", b","), "no sense"),
        (200, LISTED.replace(b",33,", b",33,33,"), "no sense"),
        (200, LISTED + b'"open,1', "no sense"),
    ],
)
def test_csv_that_is_none(status: int, body: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        read_listed_sites(status, (), body)
    assert "123YourAPIKey" not in str(caught.value)


def test_what_may_be_asked_about_sites() -> None:
    assert asked("", "", "total", 500, 0) == (("order", "total"), ("limit", "500"), ("offset", "0"))
    assert dict(asked("2026-12", "news", "spam", 1, 5))["filter"] == "news"
    assert [dict(asked("", "", order, 1, 0))["order"] for order in ORDERS] == list(ORDERS)


@pytest.mark.parametrize(
    ("month", "order", "limit", "offset", "why"),
    [
        ("2026-13", "total", 1, 0, "a month like 2026-12"),
        ("2026-1", "total", 1, 0, "a month like 2026-12"),
        ("", "Total", 1, 0, "an order out of total, spam"),
        ("", "total", 0, 0, "a limit from 1"),
        ("", "total", 1, -1, "an offset from 0"),
    ],
)
def test_what_may_not_be_asked(month: str, order: str, limit: int, offset: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        asked(month, "", order, limit, offset)


NAMES = st.sampled_from(list(SITE)) | st.just("2026-01")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("none"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=8,
)
FIGURES = dict.fromkeys(("limit", "usage", "percentage", "throttled", "2026-07"), JSON)


@given(st.fixed_dictionaries({}, optional=FIGURES).map(lambda data: json.dumps(data).encode()) | st.binary(max_size=60))
def test_any_document_has_figures_or_a_reason(body: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(read_usage(200, (), body), Usage)
    with suppress(ValueError):
        assert all(isinstance(site, SiteUsage) for site in read_sites(200, (), body).sites)


ROWS = st.lists(st.text(alphabet='0123456789,"\n\rabtruefalse', max_size=40), max_size=6)


@given(ROWS, st.booleans())
def test_any_list_has_sites_or_a_reason(rows: list[str], columns: bool) -> None:
    head = LISTED.decode().split("\n")[: 2 if columns else 1]
    with suppress(ValueError):
        sites = read_listed_sites(200, (), "\n".join([*head, *rows]).encode())
        assert all(isinstance(site.api_calls, int) for site in sites.sites)
