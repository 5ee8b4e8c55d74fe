"""The stack of open elements, asked directly; where the parsers are the judges is ``test_corpus.py``."""

from __future__ import annotations

import re

import pytest

from contentguard.rewrite.tree import OpenElements, Pending, closing_paragraph, in_scope

_TAG = re.compile(r"</?([\w-]+)[^>]*>|[^<]+")


def opened(markup: str, *, tags: bool = False, quirks: bool = False) -> OpenElements:
    made = OpenElements(tags=tags)
    made.quirks = quirks
    for match in _TAG.finditer(markup):
        tag, name = match[0].encode(), (match[1] or "").lower().encode()
        if not name:
            made.text(blank=tag.isspace())
        elif tag.startswith(b"</"):
            made.end(name)
        else:
            made.start(name, tag)
    return made


@pytest.mark.parametrize(
    ("markup", "stack"),
    [
        ("<div><p>x<div>", "div div"),
        ("<p>x<table>", "table"),
        ("<ul><li>x<li>y<div><li>", "ul li"),
        ("<dl><dt>x<dd>y<dt>", "dl dt"),
        ("<ul><li><ul></li>", "ul li ul"),
        ("<h1>x<h2>", "h2"),
        ("<h1>x</h2>", ""),
        ("<div></span></p></div>", ""),
        ("<span><div></span>", "span div"),
        ("<x-y><span></x-y>", ""),
        ("<button><div><button>", "button"),
        ("<br><img><wbr></br>", ""),
        ("<html><head><body></body>", ""),
        # 13.2.6.4.9 ff.: the sections and rows that no tag began, and what closes a cell.
        ("<table><td>", "table tbody tr td"),
        ("<table><tr><td>x<tr>", "table tbody tr"),
        ("<table><thead><th>x</thead>", "table"),
        ("<table><td>x</tbody>", "table"),
        ("<table><td>x<col>", "table"),
        ("<table><colgroup><col>", "table colgroup"),
        ("<table><colgroup><col><tr>", "table tbody tr"),
        ("<table><colgroup><svg>", "table ·s·svg"),
        ("<table><caption>x<tr>", "table tbody tr"),
        ("<table><tr><table>", "table"),
        ("<table><td><table>", "table tbody tr td table"),
        ("<div></tr><tr><td>", "div"),
        ("<template><td>", "template td"),
        ("<table><div></table>", ""),
        # Formatting elements and the adoption agency.
        ("<b><i></b>", ""),
        ("<b><i></b>x", "i"),
        ("<b><p></b>", "p"),
        ("<b><p></b>x", "p"),
        ("<a><b><p></a>", "b p"),
        ("<a><span><p></a>", "p"),
        ("<a><p>x<a>", "p a"),
        ("<a><p>x</p><a>", "a"),
        ("<p><b></p>x", "b"),
        ("<p><b></p> <div>", "b div"),
        ("<p><b></p><div>", "div"),
        ("<p><b></p></b>x", ""),
        ("<p><b><b><b><b></p>x", "b b b"),
        ("<p><b></p><table> ", "table"),
        ("<p><b></p><table><td>x", "table tbody tr td"),
        ("<p><b></p><table><td>x</table>x", "b"),
        ("<b><table></b>", "b table"),
        ("<nobr>x<nobr>", "nobr"),
        ("<table><nobr>x<td><nobr>", "table tbody tr td nobr"),
        ("<b>" + "<div>" * 8 + "</b>", "div " * 8 + "b"),
        ("<b>" + "<div>" * 7 + "</b>", "div " * 7),
        ("<object><a></object>x", ""),
        # Forms
        ("<form><div></form>", "div"),
        ("<form><form>", "form"),
        ("<div><form></div><form>", ""),
        ("<div><form></div></form><form>", "form"),
        ("<table><form><td>", "table tbody tr td"),
        ("<table><p><form><i>", "table p i"),
        ("</form>", ""),
        ("<template><form><form></form>", "template form"),
        # Selects
        ("<select><select>", ""),
        ("<select><option>x<option>", "select option"),
        ("<select><optgroup><option>x<optgroup>", "select optgroup"),
        ("<option>x<option>", "option"),
        ("<select><option>x<hr>", "select"),
        ("<select><input>", ""),
        ("<p><select></p>", "p select"),
        # SVG and MathML
        ("<svg><path/><g>", "·s·svg ·s·g"),
        ("<svg><g></svg>", ""),
        ("<svg><p>", "p"),
        ("<svg><font>", "·s·svg ·s·font"),
        ("<svg><font color=red>", "font"),
        ("<svg><g></p>", ""),
        ("<svg><foreignobject><p></svg>", "·s·svg ·s·foreignobject p"),
        ("<svg><a></b>", "·s·svg ·s·a"),
        ("<svg x=y/>", "·s·svg"),
        ('<svg x="y"/>', ""),
        ("<svg x=/>", "·s·svg"),
        ("<math><mi><mglyph/><mglyph>", "·m·math ·m·mi ·m·mglyph"),
        ("<math><annotation-xml><svg>", "·m·math ·m·annotation-xml ·s·svg"),
        ("<math><annotation-xml encoding=text/html><b></b></annotation-xml>", "·m·math"),
        ("<math><annotation-xml><x></annotation-xml>", "·m·math"),
    ],
)
@pytest.mark.parametrize("tags", [False, True])
def test_what_is_open(markup: str, stack: str, tags: bool) -> None:
    made = opened(markup, tags=tags)
    assert [name.decode().replace(" ", "·") for name in made.names] == stack.split()
    assert made.tags is None or len(made.tags) == len(made.names)


def test_a_table_does_not_end_a_paragraph_in_quirks_mode() -> None:
    assert opened("<p><table>", quirks=True).names == [b"p", b"table"]


def test_what_comes_back_comes_back_in_order_and_with_its_tag() -> None:
    made = opened("<div><b c=d><i><p></div>", tags=True)
    assert made.pending == [Pending(0, b"b", b"<b c=d>"), Pending(0, b"i", b"<i>")]
    assert made.text(blank=True) == 2
    assert made.tags == [b"<b c=d>", b"<i>"]
    assert made.text(blank=False) == 0


def test_what_was_pending_longest_comes_first() -> None:
    made = opened("<i><div><b></div></i>")
    assert [entry.name for entry in made.pending] == [b"b"]
    made = opened("<section><i><div><b></div><p></section>")
    assert [entry.name for entry in made.pending] == [b"i", b"b"]


def test_ancestors() -> None:
    made = opened("<html lang=en><body class=x><html lang=fr><body><main id=y><p>", tags=True)
    assert made.ancestors == [(b"html", b"<html lang=en>"), (b"body", b"<body class=x>"), (b"main", b"<main id=y>")]
    assert opened("<main><p>").ancestors == []
    assert opened("<p>", tags=True).ancestors == [(b"html", b"<html>"), (b"body", b"<body>")]


@pytest.mark.parametrize(
    ("markup", "linked"),
    [
        ("<a><div>", True),
        ("<a></a><div>", False),
        ("<div><a></div>", True),
        ("<div><a></div></a>", False),
        ("<a><table><td>", False),
        ("<div><a></div><table><td>", False),
        ("<svg><a>", False),
    ],
)
def test_whether_a_link_is_open_or_would_come_back(markup: str, linked: bool) -> None:
    made = opened(markup)
    made.finish()
    assert made.linked(made.names) is linked


def test_the_old_place_of_each_element_that_is_left() -> None:
    made = opened("<main><b><i><span><div><em>")
    made.end(b"b")
    assert (made.order, made.names) == ([0, 2, 4], [b"main", b"i", b"div"])
    made.end(b"div")
    assert (made.order, made.kept) == (None, 2)


def test_scopes() -> None:
    assert in_scope([b"button", b"div"], b"button")
    assert not in_scope([b"button", b"table"], b"button")
    assert not in_scope([], b"p")
    assert closing_paragraph([b"div", b"p", b"i"]) == 1
    assert closing_paragraph([b"p", b"button", b"i"]) == 3
    assert closing_paragraph([b"p", b" s svg"]) == 2
