"""Visible marks as bytes: words only in attributes, holes where a reader's values go."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.page import Field, Page, Slot
from contentguard.rewrite.visible import Visible, visible

KNOWN = Page(canonical="https://n.example/a?b=1&c=2")


def html(page: Page, options: Visible) -> str:
    """The marks with their holes shown by name."""
    parts = [part for fragment in visible(page, options=options) for part in fragment.parts]
    return "".join(f"[{part.name}]" if isinstance(part, Field) else part.decode("ascii") for part in parts)


@pytest.mark.parametrize(
    ("page", "options", "printed"),
    [
        (Page(), Visible(), "Printed from [URL] on [DATE]. Copy no. [COPY_NUMBER]."),
        (KNOWN, Visible(), "Printed from https://n.example/a?b=1&c=2 on [DATE]. Copy no. [COPY_NUMBER]."),
        (KNOWN, Visible(copy_number=False, print_text="{{{date}}}"), "{[DATE]}"),
        (KNOWN, Visible(copy_number=False, print_text=""), ""),
    ],
)
def test_the_printed_line(page: Page, options: Visible, printed: str) -> None:
    mark = BeautifulSoup(html(page, options), "html.parser").div
    assert mark is not None
    assert mark["data-cg-print"] == printed
    assert "hidden" in mark.attrs
    assert mark.get_text() == ""


def test_the_overlay() -> None:
    label = html(KNOWN, Visible(print=False, overlay="<{copy}>"))
    (mark,) = BeautifulSoup(label, "html.parser").find_all("div")
    assert mark["data-cg-overlay"] == "<[COPY_NUMBER]>"
    assert mark["aria-hidden"] == "true"
    assert "hidden" in mark.attrs


def test_nothing_wanted_nothing_given() -> None:
    assert list(visible(KNOWN, options=Visible(print=False))) == []
    assert not Visible(print=False).marks
    assert Visible(print=False, overlay="x").marks


def test_the_slot() -> None:
    (fragment,) = visible(KNOWN, options=Visible(overlay="x"))
    assert fragment.slot is Slot.ARTICLE_END


@pytest.mark.parametrize("name", ["print_text", "number_text", "overlay"])
@pytest.mark.parametrize("text", ["{name}", "{}", "{url!r}", "{date:>10}", "{0}"])
def test_unknown_placeholders_are_refused_with_the_known(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=re.escape("allowed are {url}, {date}, {copy}")):
        Visible(**{name: text})  # type: ignore[arg-type]


def test_a_single_brace_is_refused() -> None:
    with pytest.raises(ValueError, match=r"overlay: .*braces"):
        Visible(overlay="{")


# No reference can name a control character: parsers read &#128; as the euro sign of Windows' code page.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


@given(text=TEXT, url=TEXT)
def test_any_text_comes_back_the_same(text: str, url: str) -> None:
    braced = text.replace("{", "{{").replace("}", "}}")
    page = Page(canonical="https://n.example/" + url)
    mark = BeautifulSoup(html(page, Visible(print=False, overlay=braced + "{url}")), "html.parser").div
    assert mark is not None
    assert mark["data-cg-overlay"] == f"{text}https://n.example/{url}"
