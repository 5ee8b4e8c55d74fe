"""The site's own order: what a sitemap says, and what it cannot do to us."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contentguard.detect.order import MAX_PAGES, SiteOrder


def sitemap(*paths: str) -> bytes:
    urls = "".join(f"<url><loc>https://news.example{path}</loc></url>" for path in paths)
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()


def test_pages_stand_in_the_order_of_the_list() -> None:
    order = SiteOrder()
    order.learn("/sitemap.xml", sitemap("/a", "/b", "/c"))
    first = order.ordinal("/a")
    assert [order.ordinal(path) - first for path in ("/a", "/b", "/c")] == [0, 1, 2]
    assert first > 0
    assert order.ordinal("/d") == 0


def test_before_any_list_there_is_no_order() -> None:
    assert SiteOrder().ordinal("/a") == 0


def test_paths_are_compared_as_the_server_sees_them() -> None:
    order = SiteOrder()
    order.learn("/sitemap.xml", sitemap("/caf%C3%A9", "/a&amp;b", ""))
    assert order.ordinal("/café")
    assert order.ordinal("/a&b")
    assert order.ordinal("/")


def test_two_lists_do_not_join() -> None:
    order = SiteOrder()
    order.learn("/one.xml", sitemap("/a", "/b"))
    order.learn("/two.xml", sitemap("/c", "/d"))
    assert order.ordinal("/c") - order.ordinal("/b") > 1


def test_the_same_list_again_changes_nothing() -> None:
    order = SiteOrder()
    for _ in range(3):
        order.learn("/sitemap.xml", sitemap("/a", "/b"))
    assert len(order) == 2
    before = order.ordinal("/a")
    order.learn("/sitemap.xml", sitemap("/a", "/b"))
    assert order.ordinal("/a") == before


def test_what_is_no_sitemap_is_not_learned() -> None:
    order = SiteOrder()
    order.learn("/feed.xml", b"<rss><loc>https://news.example/a</loc></rss>")
    order.learn("/sitemap.xml", b"<urlset><loc>https://[/a</loc></urlset>")
    assert order.ordinal("/a") == 0


def test_its_memory_is_bounded() -> None:
    order = SiteOrder()
    for number in range(4):
        order.learn(f"/{number}.xml", sitemap(*(f"/{number}/{page}" for page in range(20_000))))
        assert len(order) <= MAX_PAGES
    for number in range(200):
        order.learn(f"/s{number}.xml", sitemap(f"/x{number}"))
    assert order.ordinal("/x199")


@given(st.binary(max_size=400))
def test_any_bytes(body: bytes) -> None:
    order = SiteOrder()
    order.learn("/sitemap.xml", b"<urlset><loc>" + body + b"</loc></urlset>")
    assert len(order) <= 40
