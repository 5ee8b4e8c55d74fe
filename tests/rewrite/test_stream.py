"""A page on its way through: what leaves when, what is held, and that it is the same bytes however the page comes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contentguard.rewrite import stream as module
from contentguard.rewrite.article import Article, Finder, Found
from contentguard.rewrite.page import Delivery, Field, Fragment, Slot
from contentguard.rewrite.plan import Plan, Untouched
from contentguard.rewrite.planner import why_untouched
from contentguard.rewrite.stream import MAX_TOKEN, Phase, Stream
from tests.rewrite.pages import article_pages, chunkings, cut

FINDER = Finder(Article(selectors=("article",), min_words=5))
FORCED = Finder(Article(selectors=("article",), min_words=50))
CARD, HEAD, END = b"<meta card>", b"<link ours>", b"<aside>ours</aside>"
HTML = Delivery(path="/", routes="/r", content_type="text/html")
WORDS = b"we go to sea " * 60
TOP = b"<!doctype html><html><head><title>T</title></head><body>"
PAGE = TOP + b"<article><p>" + WORDS + b"</p></article><p>and on</p></body></html>"
WANTED = PAGE.replace(b"</head>", CARD + HEAD + b"n</head>").replace(b"</article>", END + b"</article>")


def plan(start: bytes, found: Found) -> Plan:
    fragments = (
        Fragment(Slot.HEAD, (CARD,)),
        Fragment(Slot.HEAD, (HEAD, Field.NONCE)),
        Fragment(Slot.ARTICLE_END, (END,)),
    )
    return Plan(is_article=True, untouched=why_untouched(start, found, HTML), fragments=fragments, cards=1)


def values(plan: Plan) -> Mapping[Field, bytes]:
    return {Field.NONCE: b"n"}


def stream(finder: Finder = FINDER, *, forced: bool = False, max_bytes: int = 1 << 22) -> Stream:
    return Stream(finder, plan, values, forced=forced, max_bytes=max_bytes)


def phase(made: Stream) -> Phase:
    """It changes behind mypy's back."""
    return made.phase


def sent(made: Stream, chunks: Iterable[bytes]) -> bytes:
    return b"".join([*map(made.feed, chunks), made.finish()])


def test_what_is_inserted_and_where() -> None:
    made = stream()
    assert sent(made, [PAGE]) == WANTED
    assert made.is_article
    assert made.phase is Phase.PASS
    assert made.untouched is None


def test_the_page_is_held_behind_its_head_until_it_is_an_article() -> None:
    made, words, rest = stream(), WORDS[:260], WORDS * 2
    assert made.feed(TOP) == TOP[: TOP.index(b"</head>")]
    assert phase(made) is Phase.HOLD
    assert made.feed(b"<article><p>" + words) == b""
    out = made.feed(rest + b"<br>")
    assert out == CARD + HEAD + b"n</head><body><article><p>" + words + rest + b"<br>"
    assert phase(made) is Phase.FLOW
    assert made.feed(b"more") == b""
    assert made.feed(b"<b>bold</b><") == b"more<b>bold</b>"
    assert made.feed(b"/p></article>x") == b"</p>" + END + b"</article>x"
    assert phase(made) is Phase.PASS
    assert made.feed(b"<anything") == b"<anything"
    assert made.finish() == b""


def test_a_page_whose_hold_is_given_up_gets_the_head_at_the_articles_end_but_no_cards() -> None:
    made = stream()
    out = made.feed(TOP + b"<article><p>few") + made.release()
    assert out == TOP + b"<article><p>"
    assert made.release() == b""
    out += made.feed(b"<br>" + WORDS + b"</p></article><p>") + made.finish()
    assert out == TOP + b"<article><p>few<br>" + WORDS + b"</p>" + HEAD + b"n" + END + b"</article><p>"


def test_there_is_nothing_to_give_up_before_the_head_has_ended() -> None:
    made = stream()
    made.feed(b"<!doctype html><title>T</title>")
    assert made.release() == b""
    assert made.phase is Phase.HEAD


def test_given_up_and_no_article_after_all() -> None:
    made = stream()
    out = made.feed(TOP + b"<p>") + made.release() + made.feed(b"x</p>") + made.finish()
    assert out == TOP + b"<p>x</p>"
    assert not made.is_article


def test_a_candidate_that_may_yet_be_the_article_holds_its_end() -> None:
    """Of short ones the best is known at the end of the page only: until then each one's end is kept back."""
    short = b"<article><p>one two three four five six</p></article>"
    made = stream()
    out = made.feed(TOP + b"<p>") + made.release() + made.feed(short + b"<p>more</p>")
    assert out == TOP + b"<p>" + short.removesuffix(b"</article>")
    out += made.feed(b"<p>still</p>")
    assert out.endswith(b"six</p>")
    out += made.finish()
    assert out.endswith(b"six</p>" + HEAD + b"n" + END + b"</article><p>more</p><p>still</p>")


def test_no_article() -> None:
    made = stream()
    page = TOP + b"<p>x</p></body></html>"
    assert sent(made, [page[:70], page[70:]]) == page
    assert made.untouched is Untouched.NO_ARTICLE
    assert made.plan is None


def test_any_length_will_do_where_the_app_says_so() -> None:
    page = TOP + b"<article><p>few</p></article></body>"
    assert sent(stream(FORCED), [page]) == page
    assert END in sent(stream(FORCED, forced=True), [page])


def test_an_article_without_a_place_gets_its_head_and_no_widget() -> None:
    page = TOP + b"<article><p>" + WORDS + b"</p><a href=x>open</article><p>"
    made = stream()
    assert sent(made, [page]) == page.replace(b"</head>", CARD + HEAD + b"n</head>")
    assert made.untouched is Untouched.NO_PLACE


def test_a_page_whose_head_never_ends() -> None:
    page = b"<!doctype html><head><template><p>" + WORDS
    made = stream()
    assert sent(made, [page[:40], page[40:]]) == page
    assert made.untouched is Untouched.NO_ARTICLE


def test_a_charset_that_would_be_pushed_out_of_sight() -> None:
    page = b"<title>T</title><p>x</p><meta charset=latin-1><article><p>" + WORDS + b"</p></article>"
    assert len(page) > 800
    for size in (1, 50, 5000):
        made = stream()
        assert sent(made, cut(page, [size])) == page
        assert made.untouched is Untouched.LATE_CHARSET


def test_a_token_that_never_ends_is_not_held_for_ever() -> None:
    made, out = stream(), b""
    page = PAGE[: PAGE.index(b"</article>")] + b"<b title='" + b"x" * (2 * MAX_TOKEN)
    for chunk in cut(page, [4096]):
        out += made.feed(chunk)
        assert len(page) >= len(out) - len(CARD + HEAD + b"n")
    assert made.untouched is Untouched.TOO_LARGE
    assert out == page.replace(b"</head>", CARD + HEAD + b"n</head>")


def test_no_more_is_held_than_is_allowed() -> None:
    made, out, most = stream(max_bytes=20_000), b"", 0
    page = TOP + b"<p>word</p>" * 5000
    for chunk in cut(page, [1000]):
        out += made.feed(chunk)
        most = max(most, page.index(chunk) if made.phase is Phase.HOLD else 0)
    assert made.untouched is Untouched.TOO_LARGE
    assert out == page


def test_too_many_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TAGS", 100)
    page = TOP + b"<i></i>" * 60 + PAGE[len(TOP) :]
    made = stream()
    assert sent(made, cut(page, [50])) == page
    assert made.untouched is Untouched.TOO_MANY_TAGS


def test_too_deep() -> None:
    page = TOP + b"<div>" * 600 + PAGE[len(TOP) :]
    made = stream()
    assert sent(made, cut(page, [700])) == page
    assert made.untouched is Untouched.TOO_DEEP


def test_an_error_of_ours_is_told_and_the_page_passes() -> None:
    def broken(start: bytes, found: Found) -> Plan:
        raise KeyError("ours")

    made = Stream(FINDER, broken, values)
    assert sent(made, cut(PAGE, [100])) == PAGE
    assert (made.failed, made.untouched) == (True, Untouched.ERROR)


@settings(max_examples=100)
@given(chunkings | st.just([len(PAGE)]), st.booleans())
@example([len(PAGE)], True)
@example([50, len(PAGE)], False)
def test_nothing_is_lost_where_an_error_of_ours_meets_a_page(sizes: list[int], reads: bool) -> None:
    def broken(plan: Plan) -> Mapping[Field, bytes]:
        raise KeyError("ours")

    def unread(start: bytes, found: Found) -> Plan:
        raise KeyError("ours")

    made = Stream(FINDER, plan if reads else unread, broken)
    assert sent(made, cut(PAGE, sizes)) == PAGE
    assert (made.failed, made.untouched) == (True, Untouched.ERROR)


@pytest.mark.parametrize("late", [False, True])
def test_an_error_at_the_article_s_end_leaves_what_was_not_sent_as_it_came(late: bool) -> None:
    asked: list[Plan] = []

    def once(plan: Plan) -> Mapping[Field, bytes]:
        asked.append(plan)
        if len(asked) > 1:
            raise KeyError("ours")
        return values(plan)

    made = Stream(FINDER, plan, once)
    out = made.feed(TOP)
    out += made.release() if late else b""
    assert out + made.feed(PAGE[len(TOP) :]) + made.finish() == PAGE
    assert made.failed


def test_abandoned_on_the_way() -> None:
    made = stream()
    out = made.feed(PAGE[:200]) + made.abandon(Untouched.ENCODED) + made.feed(PAGE[200:]) + made.finish()
    assert out == PAGE
    assert made.untouched is Untouched.ENCODED


def taken_out(page: bytes) -> bytes:
    for ours in (CARD + HEAD + b"n", HEAD + b"n" + END, END):
        page = page.replace(ours, b"", 1)
    return page


@settings(max_examples=300)
@given(article_pages(), chunkings)
def test_the_same_bytes_however_a_page_comes(page: bytes, sizes: list[int]) -> None:
    whole = sent(stream(), [page])
    assert taken_out(whole) == page
    assert sent(stream(), cut(page, sizes)) == whole


@settings(max_examples=60)
@given(article_pages())
def test_the_same_bytes_when_it_comes_byte_by_byte(page: bytes) -> None:
    one_by_one = [page[at : at + 1] for at in range(len(page))]
    assert sent(stream(), one_by_one) == sent(stream(), [page])


@settings(max_examples=150)
@given(article_pages(), chunkings, st.integers(0, 40))
def test_nothing_is_lost_whenever_the_hold_is_given_up(page: bytes, sizes: list[int], turn: int) -> None:
    made, out = stream(), b""
    for number, chunk in enumerate(cut(page, sizes)):
        out += made.feed(chunk)
        if number == turn:
            out += made.release()
    assert taken_out(out + made.finish()) == page


def _took(size: int, chunk: int) -> float:
    page = TOP + b"<article>" + b"<p>we go to sea again</p>" * (size // 25) + b"<b title='" + b"x" * (size // 10)
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        sent(stream(), (page[at : at + chunk] for at in range(0, len(page), chunk)))
        best = min(best, time.process_time() - begin)
    return best


@pytest.mark.no_cover
def test_many_small_chunks_cost_what_their_number_says() -> None:
    for _ in range(4):
        small, large = _took(40_000, 16), _took(160_000, 16)
        if large < 8 * small:  # four times the chunks; what is quadratic takes sixteen times as long
            return
    pytest.fail(f"{small:.3f} s, four times as much {large:.3f} s")
