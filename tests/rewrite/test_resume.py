"""A page that changed a little: the same scan as from scratch, with a fraction of the reading."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite import resume as module
from contentguard.rewrite.resume import Base, resume, with_cuts
from contentguard.rewrite.scan import Scan, Scanner
from contentguard.turns import finished
from tests.benchmarks.pages import page
from tests.fuzz.mutate import SNIPPETS, mutated
from tests.rewrite.pages import article_pages, markup
from tests.rewrite.test_scan import rules

RULES = rules(".entry-content", "article", enough=20)
TOKEN = b'<meta name="csrf-token" content="%s">'


def scanner() -> Scanner:
    return Scanner(RULES)


def with_tokens(body: bytes, one: bytes, two: bytes) -> bytes:
    body = body.replace(b"</head>", TOKEN % one + b"</head>", 1)
    middle = body.index(b"<p>", len(body) // 4)
    return body[:middle] + b"<form><input type=hidden value='%s'></form>" % two + body[middle:]


def cut_up(body: bytes) -> Base:
    return finished(with_cuts(scanner(), body))


def agree(base: Base, body: bytes) -> Scan | None:
    found = resume(base, body, scanner)
    whole = scanner().scan(body)
    assert found is None or found == whole
    return found


@pytest.mark.parametrize("size", [10_000, 60_000, 200_000])
@pytest.mark.parametrize("one", [b"0123456789abcdef", b"short", b"x" * 5000])
def test_a_token_in_the_head_and_one_in_the_article(size: int, one: bytes) -> None:
    plain = page(size)
    base = cut_up(with_tokens(plain, b"f" * 16, b"e" * 16))
    assert base.scan == scanner().scan(base.body)
    assert agree(base, with_tokens(plain, one, one[::-1])) is not None


def test_what_stands_behind_the_article_does_not_matter() -> None:
    plain = page(60_000)
    base = cut_up(plain)
    found = agree(base, plain[: base.end] + b"<p>something else")
    assert found == base.scan


def test_only_the_gap_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = page(200_000)
    base = cut_up(with_tokens(plain, b"f" * 16, b"e" * 16))
    body = with_tokens(plain, b"0" * 16, b"1" * 17)
    read: list[int] = []
    feed = Scanner.feed

    def counted(self: Scanner, *args: object, **kwargs: object) -> None:
        before = self.position
        feed(self, *args, **kwargs)  # type: ignore[arg-type]
        read.append(self.position - before)

    monkeypatch.setattr(Scanner, "feed", counted)
    assert resume(base, body, scanner) is not None
    assert sum(read) < len(body) // 10


@pytest.mark.parametrize(
    "change",
    [
        (b"</head>", b"</head><article>"),
        (b"</head>", b"<script>"),
        (b"</head>", b"<!--"),
        (b'<div class="entry-content">', b"<div>"),
        (b"</main>", b""),
        (b"<p>", b"<p>one word more "),
        (b"<p>", b"<div>"),
        (b"</p>", b"</p></article>"),
        (b"</p>", b"<table><tr><td>"),
        (b"</title>", b""),
    ],
)
def test_a_change_that_matters_is_seen(change: tuple[bytes, bytes]) -> None:
    plain = page(60_000)
    base = cut_up(plain)
    agree(base, plain.replace(*change, 1))
    cut = len(plain) // 3
    agree(base, plain[:cut] + plain[cut:].replace(*change, 1))


@given(article_pages(), article_pages())
def test_another_page_altogether(one: bytes, other: bytes) -> None:
    agree(cut_up(one), other)


@given(st.randoms(use_true_random=False), markup)
def test_any_edit_of_a_real_looking_page(dice: random.Random, piece: str) -> None:
    plain = PLAIN
    body = plain
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(body))
        body = body[:at] + piece.encode() + body[at + dice.choice([0, 0, 1, 5, 300, 9000]) :]
    agree(BASE, body)


@given(st.randoms(use_true_random=False))
def test_any_edit_of_a_damaged_page_with_cuts_at_nearly_every_tag(dice: random.Random) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_STEP", dice.choice([40, 300]))
        patch.setattr(module, "_STEP_IN_HEAD", dice.choice([16, 100]))
        patch.setattr(module, "_ANCHOR", dice.choice([4, 12, 48]))
        plain = mutated(dice)
        base = cut_up(plain)
        for _ in range(5):
            body = plain
            for _ in range(dice.choice([1, 1, 2, 4])):
                at = dice.randint(0, len(body))
                piece = b"".join(dice.choices(SNIPPETS, k=dice.randint(0, 3)))
                body = body[:at] + piece + body[at + dice.choice([0, 1, len(piece), 300, 2000]) :]
            agree(base, body)


def test_a_selector_that_asks_for_ancestors() -> None:
    ancestry = rules("body.single main > article .entry-content", "body > main article", enough=20)

    def made() -> Scanner:
        return Scanner(ancestry)

    plain = page(20_000)
    base = finished(with_cuts(made(), plain))
    assert base.scan.article is not None
    for change in (
        (b" single ", b" other "),
        (b"csrf-token", b"csrf-tokens"),
        (b"<main ", b"<div "),
        (b"</h1>", b"!</h1>"),
    ):
        body = plain.replace(*change, 1)
        found = resume(base, body, made)
        assert found is None or found == made().scan(body)


def test_a_base_without_an_article() -> None:
    plain = b"<!doctype html><title>T</title><body>" + b"<p>x</p>" * 2000
    base = cut_up(plain)
    assert base.scan.article is None
    assert base.size > len(plain)
    assert agree(base, plain.replace(b"<title>T", b"<title>Title")) is not None
    agree(base, plain + b"<article>" + b"word " * 300)
    agree(base, plain.replace(b"<p>x</p>", b"<article>" + b"word " * 300, 1))


PLAIN = with_tokens(page(60_000), b"a" * 20, b"b" * 20)
BASE = cut_up(PLAIN)
