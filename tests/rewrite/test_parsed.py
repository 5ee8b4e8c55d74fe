"""What has to come with its page: each kind by name, and the like that need not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contentguard.rewrite.parsed import needs_parser
from tests.rewrite.divided import plan_of
from tests.rewrite.test_linear import ATTEMPTS, GROWN, SLACK, timed

NEEDED = {
    "writes": "<script>document.write('<b>x</b>')</script>",
    "writes a line": "<SCRIPT >document.writeln('x')</SCRIPT>",
    "waits for the document": "<script>document.addEventListener('DOMContentLoaded', go)</script>",
    "waits for the page": "<script type=text/javascript>\nwindow.onload = go;</script>",
    "waits for it by jQuery": '<script>jQuery(window).on("load", go)</script>',
    "watches its state": "<script>document.onreadystatechange = go</script>",
    "fetched": '<script src="/chart.js"></script>',
    "fetched behind quotes": "<script id='a'src='/chart.js' defer></script>",
    "second of two": "<script>var a = '<b>' < 1</script><p>x</p><script>onload = go</script>",
    "nonce of another page": '<script nonce="abc">go()</script>',
    "nonce of a style": "<style NONCE=abc>p{}</style>",
    "shadow root": "<my-box><template shadowrootmode='open'><p>x</p></template></my-box>",
    "picture for a script": '<img class="lazy" data-src="/a.jpg" src="data:,">',
    "sources for one": "<picture><source data-srcset='/a.jpg 2x'><img src=a.gif></picture>",
}
FREE = {
    "nothing": "",
    "text": "<p>What document.write, onload, shadowrootmode and a nonce are</p>",
    "goes at once": "<script>window.dataLayer.push({'payload': 1, download: 2})</script>",
    "asynchronous": "<script async src='https://platform.example/widgets.js' charset=utf-8></script>",
    "module": "<script type='module' src=/a.js></script>",
    "linked data": '<script type="application/ld+json">{"text": "onload"}</script>',
    "data": "<script type=application/json src=/x>{}</script>",
    "browser's own": "<img loading=lazy src=/a.jpg srcset='/b.jpg 2x'>",
    "lazysizes": '<img data-src="/a.jpg" class="wide lazyload">',
    "data of another kind": "<div data-src=/a data-nonce-of=x></div>",
    "other elements": "<scripture src=a>onload</scripture><imgs data-src=a>",
    "unfinished": "<script src=a",
}


@pytest.mark.parametrize("markup", NEEDED.values(), ids=NEEDED)
def test_comes_with_its_page(markup: str) -> None:
    assert needs_parser(f"<p>before</p>{markup}<p>behind</p>".encode())


@pytest.mark.parametrize("markup", FREE.values(), ids=FREE)
def test_comes_as_well_later(markup: str) -> None:
    assert not needs_parser(f"<p>before</p>{markup}".encode())


@given(st.lists(st.sampled_from([*NEEDED.values(), *FREE.values(), "<", ">", "<script ", "</script", "\0"])))
@example(["<script ", "</script", ">"])
def test_whatever_comes(parts: list[str]) -> None:
    assert needs_parser("".join(parts).encode()) in (True, False)
    if not any(broken in parts for broken in ("<script ", "<", ">", "</script", FREE["unfinished"])):
        assert needs_parser("".join(parts).encode()) is any(part in NEEDED.values() for part in parts)


@pytest.mark.parametrize("unit", ["<script ", "<script>", "<img ", "<img data-src", " src", "<", "type ", "nonce "])
def test_time_is_linear(unit: str) -> None:
    small, large = ((unit * (size // len(unit))).encode() for size in (100_000, 400_000))
    short = long = 9.0
    for _ in range(ATTEMPTS):
        short = min(short, timed(lambda: needs_parser(small))[0])
        long = min(long, timed(lambda: needs_parser(large))[0])
        if long < GROWN * short + SLACK:
            return
    pytest.fail(f"{short:.3f} s, and {long:.3f} s for four times as much")


PAGE = "<!doctype html><head><title>T</title></head><body>{}<article>{}{}<p>{}</p>{}</article>{}</body>"


@pytest.mark.parametrize("where", range(4))
def test_only_the_rest_of_the_article_matters(where: int) -> None:
    places = [""] * 4
    places[where] = NEEDED["writes"]
    lead, rest = (f"<p>{' '.join(f'w{n}' for n in range(start, start + 90))}</p>" for start in (0, 100))
    division = plan_of(PAGE.format(places[0], places[1], lead, rest, places[2], places[3]).encode()).division
    assert division.lead is not None
    assert division.loads is (where == 2)
