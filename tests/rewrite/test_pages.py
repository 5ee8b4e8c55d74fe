"""Pages that come again, whole or a little changed: the same bytes as from a guard that has never seen them."""

from __future__ import annotations

import gc
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.asgi.request import read_facts
from contentguard.guard import Guard
from contentguard.model import Rendition
from contentguard.rewrite.page import Delivery, Field
from contentguard.rewrite.pages import Recent
from contentguard.rewrite.plan import Untouched
from contentguard.rewrite.scan import Scanner
from contentguard.rewrite.stream import MAX_TAGS
from contentguard.rewrite.template import MARKS, Values
from tests.benchmarks.pages import page
from tests.client import ARTICLE, PARAGRAPH, http_scope, settings
from tests.rewrite.pages import markup

HTML = "text/html; charset=utf-8"
PLAIN = page(60_000)
DELIVERY = Delivery(path="/news/tide", routes="/.contentguard", content_type=HTML)
KEPT, FRESH = Guard(settings()), Guard(settings(cache_bytes=0))
FACTS = read_facts(http_scope(), KEPT)


def out(guard: Guard, body: bytes, delivery: Delivery = DELIVERY) -> bytes | None:
    plan, nonce = guard.plan(body, delivery)
    made = guard.render(plan, Rendition.FULL, FACTS, delivery, nonce)
    card = guard.render(plan, Rendition.HEAD, FACTS, delivery, nonce)
    return None if made is None else made.body + (card.body if card else b"")


def with_token(token: bytes, body: bytes = PLAIN) -> bytes:
    return body.replace(b"</head>", b"<meta name=csrf content='%s'></head>" % token, 1).replace(
        b"</article>", b"<input type=hidden value='%s'></article>" % token, 1
    )


@given(st.binary(min_size=1, max_size=40).map(bytes.hex))
def test_a_page_with_a_token(token: str) -> None:
    body = with_token(token.encode())
    assert out(KEPT, body) == out(FRESH, body)


def test_only_what_changed_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    guard, read = Guard(settings()), 0
    for number in range(2):
        out(guard, with_token(b"%040d" % number))
    feed = Scanner.feed

    def counted(self: Scanner, *args: object, **kwargs: object) -> None:
        nonlocal read
        before = self.position
        feed(self, *args, **kwargs)  # type: ignore[arg-type]
        read += self.position - before

    monkeypatch.setattr(Scanner, "feed", counted)
    body = with_token(b"f" * 40)
    assert out(guard, body) is not None
    assert 0 < read < len(body) // 3


@given(st.randoms(use_true_random=False), markup)
def test_any_edit(dice: random.Random, piece: str) -> None:
    body = PLAIN
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(body))
        body = body[:at] + piece.encode() + body[at + dice.choice([0, 1, 5, 300]) :]
    assert out(KEPT, body) == out(FRESH, body)


def test_a_title_that_changes_is_told_anew() -> None:
    guard = Guard(settings())
    for number in range(5):
        body = PLAIN.replace(b"Tide &amp; time", b"Tide no. %d" % number)
        assert b"Tide%%20no.%%20%d" % number in (out(guard, body) or b"")


def test_too_many_tags() -> None:
    plan, _ = Guard(settings()).plan(b"<article>" + b"<b>" * (MAX_TAGS + 1), DELIVERY)
    assert plan.untouched is Untouched.TOO_MANY_TAGS


@pytest.mark.parametrize("size", [10_000, 60_000])
def test_what_is_kept_of_a_page_is_less_than_three_times_its_size(size: int) -> None:
    guard, plain = Guard(settings()), page(size)
    out(guard, plain)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(100):  # what is held but once is little beside them
            body = plain.replace(b"Tide &amp; time", b"%020d" % number)
            delivery = Delivery(path=f"/news/{number}", routes="/.contentguard", content_type=HTML)
            plan, _ = guard.plan(body, delivery)
            assert plan.full is not None
            plan.full.gzip(guard._values(plan, FACTS, delivery, ""))
            del body, plan
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held < 3 * 100 * size
    assert held < 1.1 * guard.pages.cache.bytes_used


@pytest.mark.parametrize(
    "article",
    [
        "".join(f"<p>{PARAGRAPH * 2}{n}.</p>\n" for n in range(25)),
        "".join(f"<p>{PARAGRAPH} «прилив и отлив» {n}. {PARAGRAPH}</p>\n" for n in range(25)),
        "".join(f"<p>Tide {n} a b. D <b class=b>e</b> f.</p>" for n in range(200)),
        "".join(f'<p>{PARAGRAPH}<em class="x" id="y{n}">{n}</em> {PARAGRAPH}</p>' for n in range(25)),
    ],
    ids=["plain", "Cyrillic", "tiny paragraphs", "attributes"],
)
def test_the_account_knows_of_marks_and_leads_and_what_is_deflated(article: str) -> None:
    guard = Guard(settings(watermark={"enabled": True}, reading={"mode": "progressive"}))
    plain = ARTICLE.replace("<h1>", article + "<h1>", 1).encode()

    def used(number: int) -> None:
        delivery = Delivery(path=f"/news/{number}", routes="/.contentguard", content_type=HTML)
        plan, _ = guard.plan(plain.replace(b"Tide &amp; time", b"%020d" % number), delivery)
        assert plan.marking is not None
        marks: Values = {**dict.fromkeys(Field, b"x" * 20), MARKS: plan.marking.article.plain}
        made = [plan.copied, plan.lead, plan.rest, plan.search]
        assert None not in made
        for template in made:
            assert template is not None
            template.gzip(marks)
        guard.pages.reweigh(guard.pages.shelf(delivery))

    used(-1)
    tracemalloc.start()
    try:
        before, account = tracemalloc.get_traced_memory()[0], guard.pages.cache.bytes_used
        for number in range(5):
            used(number)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held < 1.1 * (guard.pages.cache.bytes_used - account)


def test_a_thousand_pages_stay_within_the_bound() -> None:
    guard = Guard(settings(cache_bytes=2**20))
    plain = page(10_000)
    for number in range(1000):
        delivery = Delivery(path=f"/news/{number}", routes="/.contentguard", content_type=HTML)
        guard.plan(plain.replace(b"Tide &amp; time", b"%d" % number), delivery)
        assert guard.pages.cache.bytes_used <= 2**20
    assert len(guard.pages.cache) > 10


def test_recent_things() -> None:
    held: Recent[int] = Recent(3)
    for number in range(4):
        assert held.put(number, number * 2) == number * 2
    assert held.get(3) == 6
    assert held.get(0) is None
