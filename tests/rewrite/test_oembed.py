"""Cards by oEmbed 1.0: what stands in them, in JSON and XML, and that nothing of a page can break out of either."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contentguard.rewrite.oembed import OEmbed, Room, as_json, as_xml, card, discovery, excerpt
from contentguard.rewrite.page import Page, Slot

ANY = Room("", "")
PAGE = Page(
    title="Tide & time",
    description="The harbour master reads the tables.",
    origin="https://news.example",
    path="/news/tide",
    metas={
        "og:image": "/images/card.jpg",
        "og:image:width": "1200",
        "og:image:height": "630",
        "article:author": "Zoë Quay",
    },
)
PROVIDER = "The Daily Test"


def test_a_card_holds_what_the_page_says_of_itself() -> None:
    made = card(PAGE, OEmbed(), provider=PROVIDER, said="The harbour master …", room=ANY)
    html = made["html"]
    assert dict(made) == {
        "version": "1.0",
        "type": "rich",
        "title": "Tide & time",
        "url": "https://news.example/news/tide",
        "author_name": "Zoë Quay",
        "provider_name": "The Daily Test",
        "provider_url": "https://news.example/",
        "cache_age": 3600,
        "thumbnail_url": "https://news.example/images/card.jpg",
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
        "width": 600,
        "height": 200,
        "html": html,
    }
    shown = BeautifulSoup(str(html), "html.parser")
    assert shown.get_text(" ") == "Tide & time The harbour master … The Daily Test"
    assert [a["href"] for a in shown.find_all("a")] == ["https://news.example/news/tide"]
    assert {tag.name for tag in shown.find_all()} == {"blockquote", "p", "a", "footer"}


@pytest.mark.parametrize(
    ("width", "height", "kind", "size"),
    [
        ("", "", "rich", (600, 200)),
        ("300", "", "rich", (300, 200)),
        ("9000", "150", "rich", (600, 150)),
        ("199", "", "link", None),
        ("", "100", "link", None),
        ("0", "0", "link", None),
        ("-5", "x", "rich", (600, 200)),
        ("1e9", "９", "rich", (600, 200)),
        ("123456", "", "rich", (600, 200)),
    ],
)
def test_it_keeps_within_the_room_there_is(width: str, height: str, kind: str, size: tuple[int, int] | None) -> None:
    room = Room(width, height)
    made = card(PAGE, OEmbed(), provider="", said="", room=room)
    assert made["type"] == kind
    assert (made.get("width"), made.get("height")) == (size or (None, None))
    assert ("html" in made) is (kind == "rich")
    assert ("thumbnail_url" in made) is room.holds(1200, 630)


@pytest.mark.parametrize(
    "metas",
    [
        {},
        {"og:image": "/x.jpg"},
        {"og:image": "/x.jpg", "og:image:width": "12", "og:image:height": "wide"},
        {"og:image": "data:image/png;base64,x", "og:image:width": "1", "og:image:height": "1"},
        {"og:image": "https://[x", "og:image:width": "1", "og:image:height": "1"},
        {"og:image:width": "1", "og:image:height": "1"},
    ],
)
def test_a_picture_of_unknown_size_is_left_out(metas: dict[str, str]) -> None:
    made = card(replace(PAGE, metas=metas), OEmbed(), provider="", said="", room=ANY)
    assert not [name for name in made if name.startswith("thumbnail")]


def test_what_is_not_known_is_left_out_and_an_authors_address_is_one() -> None:
    page = replace(PAGE, title="", description="", metas={"article:author": "https://news.example/zoe"})
    made = card(page, OEmbed(), provider="", said="", room=ANY)
    assert made["author_url"] == "https://news.example/zoe"
    assert not {"title", "author_name", "provider_name"} & set(made)
    assert ">https://news.example/news/tide</a>" in str(made["html"])


def test_an_excerpt_is_a_few_words() -> None:
    long = Page(description=" ".join(f"word{n}" for n in range(60)))
    assert excerpt(long, 40).split()[-1] == "word39…"
    assert len(excerpt(long, 40).split()) == 40
    assert excerpt(Page(description="one  two"), 40) == "one two"
    assert excerpt(Page(metas={"og:description": "three"}), 40) == "three"
    assert excerpt(long, 0) == excerpt(Page(), 40) == ""


def test_the_link_is_for_pages_that_are_known_by_an_address() -> None:
    (found,) = discovery(PAGE, OEmbed())
    assert found.slot is Slot.HEAD
    (part,) = found.parts
    assert part == (
        b'<link rel="alternate" type="application/json+oembed" href="https://news.example/.contentguard/oembed?'
        b'format=json&amp;url=https%3A%2F%2Fnews.example%2Fnews%2Ftide" title="Tide &amp; time">'
    )
    for page in (
        replace(PAGE, origin=""),
        replace(PAGE, embeddable=True),
        replace(PAGE, canonical="https://partner.example/tide"),
    ):
        assert not list(discovery(page, OEmbed()))
    assert not list(discovery(PAGE, OEmbed(enabled=False)))


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_nothing_of_a_page_breaks_out(title: str, said: str, author: str, provider: str) -> None:
    page = replace(PAGE, title=title, metas={"article:author": author})
    made = card(page, OEmbed(), provider=provider, said=said, room=ANY)
    written = as_json(made)
    assert json.loads(written) == dict(made)
    assert not set(b"<>&") & set(written)
    shown = BeautifulSoup(str(made["html"]), "html.parser")
    assert {tag.name for tag in shown.find_all()} <= {"blockquote", "p", "a", "footer"}
    root = ElementTree.fromstring(as_xml(made))
    assert [element.tag for element in root] == list(made)


def test_xml_says_the_same() -> None:
    root = ElementTree.fromstring(as_xml({"title": "a <b> & \0c\ud800", "width": 3}))
    assert {element.tag: element.text for element in root} == {"title": "a <b> & c", "width": "3"}


@pytest.mark.parametrize(
    ("options", "says"), [({"words": 41}, "0 to 40"), ({"words": -1}, "0 to 40"), ({"cache_age": -1}, "from 0")]
)
def test_mistakes_are_refused(options: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        OEmbed(**options)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        TypeAdapter(OEmbed).validate_python({"word": 4})
