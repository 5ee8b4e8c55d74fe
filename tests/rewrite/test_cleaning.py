"""What repeats a withheld text is emptied where it stands, and the tree around it stays."""

from __future__ import annotations

import json
from html import escape, unescape
from urllib.parse import quote

import pytest

from contentguard.rewrite.cleaning import cleaned
from contentguard.rewrite.edits import Edit, patched
from contentguard.rewrite.page import Field
from contentguard.rewrite.template import template
from contentguard.rewrite.withheld import Withheld
from contentguard.turns import finished

TEXT = "The harbour master read the tide tables twice, and then he read them out to the council."
LONG = f"It was late. {TEXT} Nobody slept."
ALL = Withheld(TEXT)


def clean(page: str, skip: str = "") -> str:
    data = page.encode()
    at = data.index(skip.encode()) if skip else 0
    edits = finished(cleaned(data, ALL, "utf-8", [(at, at + len(skip.encode()))] if skip else []))
    return template(finished(patched(memoryview(data), edits, 0, len(data)))).fill({}).decode()


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (f"<p>a</p><!-- {TEXT} --><p>b</p>", "<p>a</p><!----><p>b</p>"),
        (f"<?php echo '{TEXT}' ?>", "<!---->"),
        (f"<script>window.state={json.dumps({'t': TEXT})};</script>", "<script></script>"),
        (f"<style>p::after{{content:'{TEXT}'}}</style>x", "<style></style>x"),
        (f"<noscript><p>{TEXT}</p></noscript>", "<noscript></noscript>"),
        (f"<textarea>{TEXT}</textarea>", "<textarea></textarea>"),
        (f"<title>{LONG}</title>", "<title>It was late.&#8230;</title>"),
        (f"<template><p>{TEXT}</p></template>", "<template><p>&#8230;</p></template>"),
        (f"<div hidden><p>{LONG}</p></div>", "<div hidden><p>&#8230;</p></div>"),
        (f"<p>{TEXT[:40]}<b>{TEXT[40:60]}</b>{TEXT[60:]}</p>", "<p>&#8230;<b> </b> </p>"),
        (f"<p>One.</p><p>{TEXT}</p><p>Two.</p><p>{TEXT}</p>", "<p>One.</p><p>&#8230;</p><p>Two.</p><p>&#8230;</p>"),
        (f'<meta name=description content="{LONG}">', '<meta name=description content="It was late.&#8230;">'),
        (
            f"<meta property='og:description' content='{LONG}'>",
            "<meta property='og:description' content='It was late.&#8230;'>",
        ),
        (f'<div data-body="{escape(json.dumps([LONG]))}">x</div>', '<div data-body="">x</div>'),
        (f"<a href=mailto:?body={quote(TEXT)}>x</a>", '<a href="">x</a>'),
        (f'<img alt="{TEXT}" src=x>', '<img alt="" src=x>'),
        (f'<iframe srcdoc="{escape(f"<p>{TEXT}</p>")}"></iframe>', '<iframe srcdoc=""></iframe>'),
        (f'</p data-x="{TEXT}">', '</p data-x="">'),
        (f'<meta content="He said: "{TEXT}"">', "<meta>"),
        (f'</p data-x="a" {TEXT}>', "</p>"),
        (f"<svg><text>{TEXT}</text><![CDATA[{TEXT}]]></svg>", "<svg><text>&#8230;</text></svg>"),
        (f"x<!-- {TEXT}", "x"),
        (f'x<p data-x="{TEXT}', "x"),
        (f"<script>{TEXT}", "<script>"),
        (f"<!doctype {TEXT}>", f"<!doctype {TEXT}>"),
    ],
)
def test_emptied(page: str, expected: str) -> None:
    assert clean(page) == expected


@pytest.mark.parametrize("kind", ["application/json", "application/ld+json", "APPLICATION/JSON; charset=utf-8"])
def test_data_stay_data(kind: str) -> None:
    said = {"a": {"body": f"<p>{LONG}</p>", "n": 1}, "b": [TEXT, "kept"]}
    page = clean(f'<script type="{kind}">{json.dumps(said)}</script>')
    made = json.loads(unescape(page.split(">", 1)[1].rsplit("<", 1)[0]))
    assert made == {"a": {"body": "<p>It was late.…", "n": 1}, "b": ["", "kept"]}


def test_data_that_cannot_be_read_become_nothing() -> None:
    assert clean(f'<script type="application/json"><![CDATA[{{"a":"{TEXT}"}}]]></script>') == (
        '<script type="application/json">{}</script>'
    )
    words = json.dumps(TEXT.split())
    assert clean(f'<script type="application/json">{words}</script>') == '<script type="application/json">{}</script>'


def test_what_is_skipped_is_not_looked_at() -> None:
    rest = f"<p>{TEXT}</p>"
    assert clean(f"<div>a</div>{rest}<p>b <!-- {TEXT} --></p>", rest) == f"<div>a</div>{rest}<p>b <!----></p>"


def test_a_page_that_repeats_nothing_stays() -> None:
    page = f"<!doctype html><title>T</title><p title='x y'>{TEXT[:40]}</p><!-- {TEXT[60:]} --><script>1</script>"
    assert clean(page) == page


def test_edits_in_one_another() -> None:
    page = memoryview(b"0123456789")
    edits = [
        Edit(2, 5, (b"a",)),
        Edit(3, 4, (b"b",)),
        Edit(5, 5, (Field.DATE,)),
        Edit(5, 6),
        Edit(9, 11, (b"c",)),
        Edit(2, 2),
    ]
    assert template(finished(patched(page, edits, 1, 10))).fill({Field.DATE: b"-"}) == b"1a-6789"
    assert bytes(template(finished(patched(page, [], 3, 3))).fill({})) == b""
