"""Which of our files a page gets, and that the script is told what was meant."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contentguard.assets import SCRIPT, STYLE
from contentguard.rewrite.cards import Cards
from contentguard.rewrite.deterrents import Copy, deterrents
from contentguard.rewrite.page import Field, Page, Slot
from contentguard.rewrite.share import Share
from contentguard.rewrite.visible import Visible

PAGE = Page(title="T", article="main article", routes="/app/.contentguard")
NO_SHARE, NO_MARKS, NO_COPY = Share(enabled=False), Visible(print=False), Copy(policy="off")
LINKS_ONLY = Share(native=False, copy_link=False)


def soup(page: Page, copy: Copy, share: Share, visible: Visible) -> BeautifulSoup:
    """What the insert gives for the head and the article's end."""
    found = deterrents(page, options=copy, share=share, visible=visible)
    parts = [part for fragment in found for part in fragment.parts]
    text = b"".join(
        b' nonce="N"' if part is Field.NONCE else part
        for part in parts
        if not isinstance(part, Field) or part is Field.NONCE
    )
    return BeautifulSoup(text.decode("ascii"), "html.parser")


@pytest.mark.parametrize(
    ("copy", "share", "visible", "wanted"),
    [
        (Copy(), Share(), Visible(), "link script"),
        (Copy(), NO_SHARE, NO_MARKS, "link script span"),
        (NO_COPY, Share(), NO_MARKS, "link script"),
        (NO_COPY, LINKS_ONLY, NO_MARKS, "link"),
        (NO_COPY, NO_SHARE, Visible(), "link"),
        (NO_COPY, NO_SHARE, NO_MARKS, ""),
        (Copy(policy="off", drag=True), NO_SHARE, NO_MARKS, "link script span"),
        (Copy(policy="off", context_menu=True), NO_SHARE, Visible(), "link script"),
    ],
)
def test_a_page_gets_what_it_has_a_use_for(copy: Copy, share: Share, visible: Visible, wanted: str) -> None:
    assert [tag.name for tag in soup(PAGE, copy, share, visible).find_all()] == wanted.split()


def test_what_the_pages_own_policy_forbids_is_left_out() -> None:
    assert [t.name for t in soup(replace(PAGE, scripts_allowed=False), Copy(), Share(), Visible()).find_all()] == [
        "link"
    ]
    assert [t.name for t in soup(replace(PAGE, styles_allowed=False), Copy(), Share(), Visible()).find_all()] == [
        "script"
    ]


def test_the_tags_name_the_files_with_integrity_and_nonce() -> None:
    page = soup(PAGE, Copy(), Share(), Visible())
    assert page.script is not None
    assert page.link is not None
    assert page.script["src"] == f"/app/.contentguard/{SCRIPT.file}"
    assert page.link["href"] == f"/app/.contentguard/{STYLE.file}"
    assert (page.script["integrity"], page.link["integrity"]) == (SCRIPT.integrity, STYLE.integrity)
    assert (page.script["nonce"], page.link["nonce"]) == ("N", "N")
    assert "defer" in page.script.attrs


def test_slots() -> None:
    found = list(deterrents(PAGE, options=Copy(), share=NO_SHARE, visible=NO_MARKS))
    assert [fragment.slot for fragment in found] == [Slot.HEAD, Slot.ARTICLE_END]


@given(title=st.text(), url=st.text(), message=st.text(), selector=st.text(min_size=1))
def test_the_script_is_told_what_was_meant(title: str, url: str, message: str, selector: str) -> None:
    page = Page(title=title, canonical=url, article="article")
    copy = Copy(policy="quote", messages={"refused": message}, allow=(selector, "b"), quote_words=9)
    script = soup(page, copy, Share(), Visible()).script
    assert script is not None
    told = json.loads(str(script["data-cg"]))
    assert told.get("title", "") == title
    assert told.get("url", "") == url.partition("#")[0], "a passage takes the place of a fragment"
    assert told["messages"] == {"refused": message}
    assert told["allow"] == selector + ",b"
    assert (told["policy"], told["free"], told["quote"]) == ("quote", 8, 9)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"policy": "qoute"}, "did you mean 'quote'"),
        ({"messages": {"refussed": "x"}}, "did you mean 'refused'"),
        ({"free_words": 60}, "free_words <= quote_words"),
        ({"free_words": -1}, "0 <= free_words"),
    ],
)
def test_mistakes_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Copy(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [Copy, Share, Visible, Cards])
def test_settings_can_read_the_options_and_refuse_unknown_keys(kind: type) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(kind)
    assert adapter.validate_python({}) == kind()
    with pytest.raises(ValidationError):
        adapter.validate_python({"nonsense": 1})
