"""HTML: orders and the class are read back, from parts of a page too, and change nothing that a browser goes by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations
from math import factorial

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from contentguard.cli.texts import document
from contentguard.rewrite.article import Article, Finder
from contentguard.rewrite.marking import Marking, Opening, marking
from contentguard.rewrite.template import MARKS
from contentguard.turns import Turns, finished
from contentguard.watermark.code import seed
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.frames import frame, payloads
from contentguard.watermark.html import MOST_TAGS, Orders, code, run, seen, suffix, tag_of
from contentguard.watermark.keys import keys_of
from contentguard.watermark.token import SIZE, write

KEYS = keys_of(b"a secret of the marks", 23)
NAME = b"/news/tide"
VALUES = st.text(alphabet="abc def/&;\"'é", max_size=8)
TAGS = st.lists(
    st.tuples(
        st.sampled_from(["p", "a", "em"]),
        st.dictionaries(st.sampled_from(["class", "id", "title", "lang", "href"]), VALUES, min_size=2, max_size=4),
    ),
    max_size=12,
)


def page(inner: str) -> bytes:
    return f"<!doctype html><meta charset=utf-8><title>T</title><article>{inner}</article>".encode()


def marked(body: bytes, *, exclude: tuple[str, ...] = ()) -> Marking:
    article = Finder(Article(exclude=exclude), texts=True).find(body, "utf-8", forced=True).article
    assert article is not None
    channels = Channels(frames=False, gaps=False, typography=False)

    def marker(texts: Sequence[Sequence[str]], wide: bool, openings: Sequence[Opening]) -> Turns[Compiled]:
        return Compiled.in_turns(texts, channels, wide=wide, openings=openings)

    made = finished(marking(body, article, "utf-8", marker, ()))
    assert made is not None
    return made


def copy(made: Marking, serial: int) -> bytes:
    assert isinstance(made.article, Compiled)
    return made.full.fill({MARKS: made.article.fills(KEYS, NAME, serial)[0]})


def expected(made: Marking, serial: int) -> dict[int, int]:
    """Place → order, for all tags of a copy."""
    assert isinstance(made.article, Compiled)
    drawn = code(seed(KEYS, NAME, made.article.revision), serial)
    return {tag.place: drawn[tag.place] % tag.orders for tag in made.article.tags}


def opening(name: str, attributes: dict[str, str]) -> str:
    def escaped(text: str) -> str:
        return text.replace("&", "&amp;").replace('"', "&quot;")

    return f"<{name}{''.join(f' {key}={chr(34)}{escaped(value)}{chr(34)}' for key, value in attributes.items())}>"


@given(TAGS, st.integers(0, 2**40 - 1))
def test_a_copy_differs_in_nothing_but_order_and_is_read_back(
    tags: list[tuple[str, dict[str, str]]], serial: int
) -> None:
    body = page("".join(f"<p>{opening(name, own)}harbour</{name}> wall</p>" for name, own in tags) + "<p>The end</p>")
    made = marked(body)
    assert made.full.fill(made.plain) == body
    text = copy(made, serial)
    assert BeautifulSoup(text, "html.parser") == BeautifulSoup(body, "html.parser")
    assert sorted(text) == sorted(body)
    assert isinstance(made.article, Compiled)
    assert len({tag.place for tag in made.article.tags}) == len(made.article.tags)
    found = {one.place: one.which for one in seen(document(text, "html").starts, made.article.tags)}
    wanted = expected(made, serial)
    # A tag that says all that another says, and more, may be taken for it too; in two orders that one says nothing.
    within = any(a is not b and a[0] == b[0] and a[1].items() <= b[1].items() for a in tags for b in tags)
    # Where somebody seems to have sorted them, nothing is said.
    silent = not found and (len(wanted) < 1 or not any(wanted.values()))
    assert found == wanted or silent or (within and found.items() <= wanted.items())


def test_a_tag_within_another_is_never_misread() -> None:
    """Found by Hypothesis: two tags of which one says what the other says, and more."""
    body = page('<p class="a" id="b">harbour</p><p class="a" id="b" title="c" lang="en">wall</p><p>The end</p>')
    made = marked(body)
    assert isinstance(made.article, Compiled)
    for serial in range(64):
        found = {one.place: one.which for one in seen(document(copy(made, serial), "html").starts, made.article.tags)}
        assert found.items() <= expected(made, serial).items()


@pytest.mark.parametrize(
    "tag",
    [
        '<p class="a">',
        "<p class=a id=b>",
        '<p class="a" id=b>',
        "<p class='a' id='b'>",
        '<p class="a" class="b" id="c">',
        '<p class="a" id="b" hidden>',
        '<fancy-box class="a" id="b">',
        '<p is="fancy-box" class="a" id="b">',
        '<p onclick="a()" oncopy="b()">',
    ],
)
def test_left_alone(tag: str) -> None:
    made = marked(page(f"{tag}The harbour wall</p>"))
    assert not made.article.openings


def test_only_what_nothing_waits_for_changes_places() -> None:
    """Some browsers fetch a picture twice, or not lazily, by the order of these."""
    made = marked(page('<p src="s" class="a" loading="lazy" id="b" onclick="f()" title="c">The harbour</p>'))
    copies = {copy(made, serial) for serial in range(60)}
    assert len(copies) == 6
    for one in copies:
        assert re.search(rb'<p src="s" [^ ]+ loading="lazy" [^ ]+ onclick="f\(\)" [^ ]+>', one)


@pytest.mark.parametrize(
    "inner",
    [
        '<p><img class="a" id="b">The harbour wall</p>',
        '<p class="a" id="b">The harbour</p><p class="a" id="b">wall</p>',
        '<p><!-- <p class="a" id="b"> -->The harbour wall</p>',
        '<p><script>\'<p class="a" id="b">\'</script>The harbour wall</p>',
        '<p>The harbour <span class="a" id="b"></span> wall</p>',
    ],
    ids=["void", "twice the same", "in a comment", "in a script", "no text in it"],
)
def test_no_order_of(inner: str) -> None:
    made = marked(page(inner))
    if "img" in inner:
        # It stands before the text as its parent does, and is no worse a place.
        assert copy(made, 7) in {copy(made, serial) for serial in range(40)}
    else:
        assert not made.article.openings


def test_what_is_excluded_keeps_its_order() -> None:
    inner = '<p class="a" id="b">The harbour</p><aside class="x" id="y"><p class="c" id="d">wall</p></aside><p>is</p>'
    assert len(marked(page(inner)).article.openings) == 3
    assert len(marked(page(inner), exclude=("aside",)).article.openings) == 1


def test_an_editor_s_variant_is_no_tag_of_the_page() -> None:
    made = marked(page('<p>About <span data-cg-variant="scores">dozens</span> of people</p>'))
    assert not made.article.openings


def test_there_is_a_bounded_number() -> None:
    made = marked(page("".join(f'<p class="a" id="n{number}">The harbour</p>' for number in range(400))))
    assert len(made.article.openings) == MOST_TAGS


def test_saved_by_a_browser_under_another_address() -> None:
    """Saving a page makes its links absolute."""
    made = marked(page('<p>See <a href="/more/tide.html" rel="next" class="x">the tide</a> of today</p>'))
    text = copy(made, 9).replace(b'href="/', b'href="https://thief.example/files/')
    assert isinstance(made.article, Compiled)
    (found,) = seen(document(text, "html").starts, made.article.tags)
    assert {found.place: found.which} == expected(made, 9)


def test_orders_that_contradict_each_other_or_are_all_sorted_say_nothing() -> None:
    tags = [tag_of("p", [("id", str(number)), ("class", "a")]) for number in range(3)]
    by_alphabet = [("p", [("class", "a"), ("id", str(number))]) for number in range(3)]
    assert len(seen(by_alphabet[:2], tags)) == 2
    assert seen(by_alphabet, tags) == ()
    assert seen([*by_alphabet[:1], ("p", [("id", "0"), ("class", "a")])], tags) == ()
    assert len(seen([*by_alphabet[:2], ("p", [("id", "2"), ("class", "a")])], tags)) == 3


@given(st.integers(2, 4))
def test_every_order_has_a_number_of_its_own(number: int) -> None:
    names = ["class", "id", "lang", "title"][:number]
    tag = tag_of("p", [(name, "x") for name in names])
    found = {
        one.which for order in permutations(names) for one in seen([("p", [(name, "x") for name in order])], [tag])
    }
    assert found == set(range(factorial(number)))


@given(st.binary(min_size=SIZE, max_size=SIZE), st.integers(0, 31))
def test_the_class_says_what_a_frame_says(token: bytes, epoch: int) -> None:
    said = suffix(epoch, token).decode()
    assert run(f"cg-share{said} wide") == frame(epoch, token)
    assert next(payloads(run(said))) == (epoch, token)


@given(st.text(alphabet="cg-0123456789abcdefghijklmnopqrstuvwxyz ", max_size=60))
def test_any_class_is_read_without_an_error(classes: str) -> None:
    assert run(classes) == "" or "cg-" in classes


def test_a_class_of_another_version_is_none_of_ours() -> None:
    assert run("cg-" + "v" * 16) == ""


def test_of_a_saved_page_the_class_is_read_as_a_frame() -> None:
    token = write(KEYS, 4711, NAME)
    text = document(f'<p>The harbour</p><div class="cg-share{suffix(23, token).decode()}">Share</div>'.encode(), "html")
    assert next(payloads(text.text)) == (23, token)


def test_known_tags_without_a_page_have_no_marks() -> None:
    tags = (tag_of("p", [("id", "a"), ("class", "b")]),)
    orders = Orders((), (), tags)
    assert (orders.tags, orders.numbers, orders.marks(b"start", 7)) == (tags, (), [])
