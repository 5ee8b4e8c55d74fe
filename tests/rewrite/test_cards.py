"""Link previews: only what is missing, only what is known."""

from __future__ import annotations

from dataclasses import replace

from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.cards import Cards, cards
from contentguard.rewrite.page import Page, Slot

FULL = Page(
    title="Tide",
    description="High water.",
    image="/tide.jpg",
    image_alt="The sea",
    origin="https://n.example",
    path="/news/tide",
)
WHOLE = {
    "og:type": "article",
    "og:title": "Tide",
    "og:description": "High water.",
    "og:url": "https://n.example/news/tide",
    "og:site_name": "News",
    "og:image": "https://n.example/tide.jpg",
    "og:image:alt": "The sea",
    "twitter:card": "summary_large_image",
    "canonical": "https://n.example/news/tide",
}


def tags(page: Page, site_name: str = "News") -> dict[str, str]:
    """What the insert adds, by name."""
    found = list(cards(page, options=Cards(), site_name=site_name))
    assert all(fragment.slot is Slot.HEAD for fragment in found)
    parts = [part for fragment in found for part in fragment.parts if isinstance(part, bytes)]
    soup = BeautifulSoup(b"".join(parts).decode("ascii"), "html.parser")
    metas = {str(m.get("property") or m.get("name")): str(m["content"]) for m in soup.find_all("meta")}
    links = [str(link["href"]) for link in soup.find_all("link", rel="canonical")]
    return metas | dict(zip(["canonical"], links, strict=False))


def test_a_bare_page_gets_everything() -> None:
    assert tags(FULL) == WHOLE


def test_a_page_that_has_everything_gets_nothing() -> None:
    page = replace(FULL, metas=WHOLE, canonical="https://n.example/tide")
    assert list(cards(page, options=Cards(), site_name="News")) == []


def test_each_tag_that_is_there_is_left_alone() -> None:
    for key in WHOLE.keys() - {"canonical", "og:image", "og:image:alt"}:
        assert tags(replace(FULL, metas={key: ""})) == {k: v for k, v in WHOLE.items() if k != key}


def test_a_picture_named_by_the_page_gets_no_description_of_ours() -> None:
    found = tags(replace(FULL, metas={"og:image": "https://cdn.example/x.jpg"}))
    assert "og:image" not in found
    assert "og:image:alt" not in found
    assert found["twitter:card"] == "summary_large_image"


def test_the_pages_own_canonical_is_its_address() -> None:
    found = tags(replace(FULL, canonical="https://n.example/other"))
    assert found["og:url"] == "https://n.example/other"
    assert "canonical" not in found


def test_without_an_origin_no_address_is_made() -> None:
    found = tags(replace(FULL, origin=""))
    assert {"og:url", "canonical", "og:image"}.isdisjoint(found)
    assert found["twitter:card"] == "summary"
    assert tags(replace(FULL, origin="", image="https://cdn.example/x.jpg"))["og:image"] == "https://cdn.example/x.jpg"


def test_what_is_not_known_is_not_made_up() -> None:
    assert tags(Page(), "") == {"og:type": "article", "twitter:card": "summary"}
    assert "og:image" not in tags(replace(FULL, image="data:image/png;base64,AAAA"))


def test_off_is_off() -> None:
    assert list(cards(FULL, options=Cards(enabled=False), site_name="News")) == []


# No reference can name a control character: parsers read &#128; as the euro sign of Windows' code page.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)


@given(title=TEXT, description=TEXT, site_name=TEXT)
def test_any_text_comes_back_the_same(title: str, description: str, site_name: str) -> None:
    found = tags(replace(FULL, title=title, description=description), site_name)
    assert (found["og:title"], found["og:description"], found["og:site_name"]) == (
        title,
        description,
        site_name,
    )
