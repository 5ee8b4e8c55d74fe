from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.cache import VARIANTS, PlanCache
from contentguard.rewrite.page import Field, Fragment, Slot, ascii_html
from contentguard.rewrite.plan import Plan, full, points
from contentguard.rewrite.template import template


@given(st.binary(min_size=1), st.data())
def test_fragments_stand_at_their_places_in_order(body: bytes, data: st.DataObject) -> None:
    head = data.draw(st.integers(0, len(body) - 1))
    end = data.draw(st.integers(head + 1, len(body)))
    fragments = [
        Fragment(Slot.HEAD, (b"[1]",)),
        Fragment(Slot.ARTICLE_END, (b"[3", Field.DATE, b"]")),
        Fragment(Slot.HEAD, (b"[2]",)),
        Fragment(Slot.ARTICLE_END, (b"[4]",)),
    ]
    out = full(body, points(fragments, {Slot.HEAD: head, Slot.ARTICLE_END: end})).fill({Field.DATE: b"-"})
    assert out == body[:head] + b"[1][2]" + body[head:end] + b"[3-][4]" + body[end:]


@given(st.text())
def test_escaping_is_ascii_and_safe(text: str) -> None:
    from html import unescape

    escaped = ascii_html(text)
    assert not set(b"<>\"'") & set(escaped)
    if not any(0xD800 <= ord(c) <= 0xDFFF or ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\x00" for c in text):
        plain = "".join(c for c in text if ord(c) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(c) <= 0xFDEF)
        assert unescape(ascii_html(plain).decode()) == plain


def plan(size: int = 10) -> Plan:
    return Plan(is_article=True, full=template([b"x" * size]))


class TestCache:
    def test_found_by_identity_and_by_equality(self) -> None:
        cache, made = PlanCache(10**6), plan()
        body = b"abc" * 100
        cache.put("/a", body, made)
        assert cache.get("/a", body) is made
        assert cache.get("/a", bytes(bytearray(body))) is made
        assert cache.get("/a", body + b"x") is None
        assert cache.get("/b", body) is None

    def test_a_few_bodies_for_one_path(self) -> None:
        cache = PlanCache(10**6)
        for number in range(VARIANTS + 1):
            cache.put("/a", b"%d" % number, plan())
        assert cache.get("/a", b"0") is None
        assert cache.get("/a", b"%d" % VARIANTS) is not None
        assert len(cache) == VARIANTS

    def test_bounded_by_bytes_and_the_longest_unused_goes_first(self) -> None:
        cache = PlanCache(50_000)
        for number in range(1000):
            cache.put(number, b"x" * 2000, plan(4000))
            cache.get(0, b"x" * 2000)
            assert cache.bytes_used <= 50_000
        assert cache.get(0, b"x" * 2000) is not None
        assert cache.get(1, b"x" * 2000) is None
        assert len(cache) == 50_000 // (2000 + plan(4000).size + 6144)

    def test_the_account_is_right(self) -> None:
        cache = PlanCache(50_000)
        for number in range(300):
            cache.put(number % 7, b"%d" % number * (number % 50 + 1), plan(number))
        held = sum(entry.weigh() for entry in cache.entries())
        assert cache.bytes_used == held

    def test_a_body_seen_again_takes_no_second_place(self) -> None:
        cache = PlanCache(50_000)
        for body in (b"a", b"b", b"a"):
            cache.put("/", body, plan())
        assert len(cache) == 2

    def test_one_larger_than_the_cache_is_not_kept(self) -> None:
        cache = PlanCache(100)
        cache.put("/a", b"x" * 200, plan())
        assert cache.get("/a", b"x" * 200) is None
        assert cache.bytes_used == 0
