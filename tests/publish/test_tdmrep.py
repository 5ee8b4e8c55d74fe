from __future__ import annotations

import json

from contentguard.publish import headers, meta
from contentguard.publish.tdmrep import document
from contentguard.terms import Site, Terms, Use

SITE = Site(licence="https://news.example/licence")
RESERVED = {"tdm-reservation": 1, "tdm-policy": "https://news.example/licence"}


def test_an_array_of_places_the_most_specific_first() -> None:
    terms = Terms(
        {},
        {Use.AI_TRAIN: False},
        (("/press/", {Use.AI_TRAIN: True}), ("/x", {Use.SEARCH: False}), ("/*.pdf$", {Use.AI_TRAIN: False})),
    )
    assert json.loads(document(terms, SITE)) == [
        {"location": "/press/", "tdm-reservation": 0},
        {"location": "/*.pdf$", **RESERVED},
        {"location": "/", **RESERVED},
    ]


def test_what_is_unstated_stays_unstated() -> None:
    assert json.loads(document(Terms({}, {Use.SEARCH: True}), SITE)) == []
    assert headers(Terms({}, {}), {}, SITE) == []
    assert meta(Terms({}, {}), {}, SITE) == []


def test_a_licence_that_is_no_url_is_no_policy() -> None:
    for licence in ("", "/licensing", "mailto:a@b.example", "https://x.example/\r\nx: y", "https://[", "https://x/ü"):
        terms = Terms({}, {Use.AI_TRAIN: False})
        assert json.loads(document(terms, Site(licence=licence))) == [{"location": "/", "tdm-reservation": 1}]
        assert b"tdm-policy" not in dict(headers(terms, terms.uses, Site(licence=licence)))


def test_headers_and_elements_say_the_same_of_one_page() -> None:
    terms = Terms({}, {Use.AI_TRAIN: True})
    sent, shown = dict(headers(terms, {Use.AI_TRAIN: False}, SITE)), dict(meta(terms, {Use.AI_TRAIN: False}, SITE))
    assert sent[b"tdm-reservation"] == b"1"
    assert sent[b"tdm-policy"] == b"https://news.example/licence"
    assert shown["tdm-reservation"] == "1"
    assert shown["tdm-policy"] == "https://news.example/licence"
    assert dict(headers(terms, terms.uses, SITE))[b"tdm-reservation"] == b"0"
