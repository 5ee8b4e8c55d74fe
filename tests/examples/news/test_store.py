"""The queries, above all the search, which must shrug at any input."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.news.content import Article, load
from examples.news.store import Store, match_terms

Answer = TypeVar("Answer")

STORY = Article(
    title="Tide & time",
    slug="tide",
    date=datetime(2026, 3, 14, tzinfo=UTC),
    section="Harbour",
    summary="A <b>bold</b> summary",
    author=None,
    image=None,
    image_alt="",
    html="<p>The herring &lt;script&gt; came</p>",
    text="The herring <script>alert(1)</script> came to the quay",
    words=7,
)


def use(articles: list[Article], query: Callable[[Store], Awaitable[Answer]]) -> Answer:
    """Run one query on a fresh store."""

    async def run() -> Answer:
        store = Store(articles, page_size=2)
        try:
            return await query(store)
        finally:
            await store.close()

    return asyncio.run(run())


def test_an_article_comes_back_as_it_went_in() -> None:
    assert use([STORY], lambda store: store.by_slug("tide")) == STORY
    assert use([STORY], lambda store: store.by_slug("no-such")) is None


def test_lists_hold_no_bodies(folder: Path) -> None:
    async def bodies(store: Store) -> set[str]:
        page = await store.latest()
        assert page
        cards = [*page.articles, *await store.cards(), *await store.related(page.articles[0])]
        return {card.html + card.text for card in cards}

    assert use(list(load(folder)), bodies) == {""}


def test_pages(folder: Path) -> None:
    articles = list(load(folder))
    page = use(articles, lambda store: store.latest(6))
    assert page
    assert (page.number, page.pages, page.total) == (6, 6, 12)
    assert [article.slug for article in page.articles] == ["story-10", "story-11"]
    assert use(articles, lambda store: store.latest(7)) is None
    assert use(articles, lambda store: store.latest(0)) is None
    assert use([], lambda store: store.latest()) is not None
    section = use(articles, lambda store: store.by_section("arts-books", 2))
    assert section
    assert [article.slug for article in section.articles] == ["story-8", "story-11"]
    assert use(articles, lambda store: store.by_section("nonsense")) is None


def test_sections_and_related(folder: Path) -> None:
    articles = list(load(folder))
    sections = use(articles, lambda store: store.sections())
    assert [(one.name, one.slug, one.count) for one in sections] == [
        ("Arts & Books", "arts-books", 4),
        ("Harbour", "harbour", 4),
        ("Town Hall", "town-hall", 4),
    ]
    related = use(articles, lambda store: store.related(articles[3], 4))
    assert [one.slug for one in related] == ["story-0", "story-6", "story-9", "story-1"]


def test_the_headline_ranks_above_the_body_and_snippets_are_safe() -> None:
    other = replace(STORY, slug="other", title="Herring", text="Nothing else about it.")
    hits = use([STORY, other], lambda store: store.search("herring"))
    assert [hit.article.slug for hit in hits] == ["other", "tide"]
    assert hits[1].snippet == "A &lt;b&gt;bold&lt;/b&gt; summary"
    (marked,) = use([STORY], lambda store: store.search("bold"))
    assert marked.snippet == "A &lt;b&gt;<mark>bold</mark>&lt;/b&gt; summary"


@pytest.mark.parametrize("query", ["herring", "HERRING came", "came herrings", "herring* OR", "title:herring quay"])
def test_what_is_found_or_not(query: str) -> None:
    wanted = "OR" not in query and "title" not in query
    assert bool(use([STORY], lambda store: store.search(query))) is wanted


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=60),
            st.sampled_from(['"', "'", "*", "NEAR(", "AND", "OR NOT", "text:", "^", "\0", "-", "_", "(", "'; DROP"]),
        ),
        max_size=12,
    ).map(" ".join)
)
def test_no_input_breaks_the_search(query: str) -> None:
    async def twice(store: Store) -> int:
        await store.search(query)
        return len(await store.search("herring"))

    assert use([STORY], twice) == 1


@given(st.text())
def test_only_words_in_quotes_reach_the_parser(query: str) -> None:
    terms = match_terms(query)
    assert all(part[0] == part[-1] == '"' and part[1:-1].isalnum() for part in terms.split())


def test_a_snippet_shows_the_summary_and_no_word_of_the_text() -> None:
    """Else whoever asks for every word in turn has the article, pass or no pass."""
    story = replace(STORY, title="Lantern", summary="A boat & a buoy", text="A boat under the moon")
    shown = {
        word: use([story], lambda store, word=word: store.search(word))[0].snippet  # type: ignore[misc]
        for word in ("lantern", "boat", "moon")
    }
    assert shown == {
        "lantern": "A boat &amp; a buoy",
        "boat": "A <mark>boat</mark> &amp; a buoy",
        "moon": "A boat &amp; a buoy",
    }


def test_many_first_requests_open_one_database() -> None:
    async def crowd(store: Store) -> set[int]:
        return {id(engine) for engine in await asyncio.gather(*(store.open() for _ in range(20)))}

    assert len(use([STORY], crowd)) == 1


def test_concurrent_queries_do_not_disturb_each_other(folder: Path) -> None:
    async def crowd(store: Store) -> int:
        found = await asyncio.gather(*(store.by_slug(f"story-{number % 12}") for number in range(200)))
        return sum(article is not None and article.slug == f"story-{n % 12}" for n, article in enumerate(found))

    assert use(list(load(folder)), crowd) == 200


def test_a_store_that_nobody_closes_goes_quietly() -> None:
    store = Store([STORY])
    asyncio.run(store.latest())
    del store
    gc.collect()  # a ResourceWarning would be an error here
