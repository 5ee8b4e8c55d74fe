"""The quick look at a start tag: it never misses what a selector would choose."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.rules import KINDS, LOOK, RAW, Rules
from contentguard.rewrite.selector import parse

TEXTS = (".entry-content", "#main", "[itemprop=articleBody]", "[role=article]", "[data-cg-off]", "[contenteditable]")


def rules(*texts: str) -> Rules:
    return Rules([(n, selector) for n, text in enumerate(texts) if (selector := parse(text))])


def looks(made: Rules, tag: bytes) -> bool:
    return len(tag) > made.short and made.hint(tag, 0, len(tag)) is not None


_values = st.sampled_from(["entry-content", "main", "articleBody", "article", "x", "wide entry-content", ""])
_names = st.sampled_from(["class", "id", "itemprop", "role", "data-cg-off", "contenteditable", "contentEditable"])


@given(st.lists(st.tuples(_names, _values), max_size=4))
def test_whatever_is_chosen_has_been_looked_at(attributes: list[tuple[str, str]]) -> None:
    made = rules(*TEXTS)
    tag = ("<a" + "".join(f' {name}="{value}"' for name, value in attributes) + ">").encode()
    if made.preference(b"a", tag, ()) < len(TEXTS):
        assert looks(made, tag)


def test_most_tags_are_not_looked_at() -> None:
    made = rules(*TEXTS)
    for tag in (b"<a href=/news/tide>", b'<div class="wp-block-image">', b'<p class="byline">', b"<li>"):
        assert not looks(made, tag)


def test_a_type_is_looked_at_by_its_name_alone() -> None:
    made = rules("article", "main.x", "title")
    assert made.kinds[b"article"] == made.kinds[b"main"] == LOOK
    assert made.kinds[b"title"] == KINDS[b"title"] == RAW
    assert not looks(made, b'<div class="x article main">')


def test_a_selector_of_anything_looks_at_everything() -> None:
    assert looks(rules("*"), b"<a b>")


def test_a_short_word_is_searched_for_as_a_whole() -> None:
    assert looks(rules(".x"), b"<a class=x>")
    assert not looks(rules(".x"), b"<a class=y>")
