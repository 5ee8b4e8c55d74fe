from __future__ import annotations

import pytest
import soupsieve
from bs4 import BeautifulSoup, Tag
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.selector import parse


@pytest.mark.parametrize(
    "text",
    [
        "article",
        ".entry-content",
        "#main",
        "*",
        "div.a.b#c[d]",
        "main article",
        "main > article .body",
        "[itemprop=articleBody]",
        "[class*='post-']",
        '[data-x="a b" i]',
        "ARTICLE",
    ],
)
def test_simple_selectors_are_ours(text: str) -> None:
    assert parse(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "article:has(p)",
        "p + p",
        "p ~ p",
        "a, b",
        "li:nth-child(2)",
        "ns|a",
        "",
        "p::before",
        "[a=b",
        ".1x",
        "a >",
    ],
)
def test_the_rest_is_not(text: str) -> None:
    assert parse(text) is None


names = st.sampled_from(["article", "div", "main", "p"])
values = st.sampled_from(["", "a", "b", "a b", "a-b", "story a", "B"])
elements: st.SearchStrategy[list] = st.recursive(  # type: ignore[type-arg]
    st.just([]),
    lambda inner: st.lists(st.tuples(names, values, values, inner), max_size=3),
    max_leaves=12,
)
compounds = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["article", "div", "*", "main", "p"]),
        st.sampled_from(
            [
                "",
                ".a",
                ".b.a",
                "#a",
                "[class]",
                "[id=b]",
                "[class~=a]",
                "[class^=st]",
                "[class$=b]",
                "[id*='-']",
                "[id|=a]",
                "[id=b i]",
                '[class="a b"]',
            ]
        ),
    ),
)
selectors = st.builds(
    lambda first, rest: first + "".join(gap + part for gap, part in rest),
    compounds,
    st.lists(st.tuples(st.sampled_from([" ", " > "]), compounds), max_size=2),
)


def _html(tree: list[tuple[str, str, str, list]]) -> str:  # type: ignore[type-arg]
    return "".join(f'<{name} class="{cls}" id="{ident}">{_html(inner)}</{name}>' for name, cls, ident, inner in tree)


@given(elements, selectors)
def test_matches_what_a_css_engine_matches(tree: list, text: str) -> None:  # type: ignore[type-arg]
    soup = BeautifulSoup(_html(tree), "html.parser")
    expected = {id(tag) for tag in soupsieve.select(text, soup)}
    selector = parse(text)
    assert selector is not None
    for tag in soup.find_all(True):
        above = [_start(parent) for parent in reversed(list(tag.parents)) if not isinstance(parent, BeautifulSoup)]
        assert selector.matches(*_start(tag), above) == (id(tag) in expected)


def _start(tag: Tag) -> tuple[bytes, bytes]:
    return tag.name.encode(), f'<{tag.name} class="{" ".join(tag["class"])}" id="{tag["id"]}">'.encode()
