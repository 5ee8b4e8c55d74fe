"""Comments as a tree: depth, order, pages, and where an answer may stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from examples.news.threads import DEEPEST, Comment, discussion, page_of, place_for, told


def comment(id_: int, parent: int = 0, *, pending: bool = False) -> Comment:
    return Comment(id_, parent, f"author {id_}", "", "text", float(id_), pending=pending)


def numbers(threads: tuple[Comment, ...]) -> list[tuple[int, int]]:
    return [(one.id, one.depth) for thread in threads for one in told(thread)]


def test_answers_stand_below_what_they_answer() -> None:
    shown = discussion([comment(1), comment(2), comment(3, 1), comment(4, 3), comment(5, 1)])
    assert numbers(shown.threads) == [(1, 1), (3, 2), (4, 3), (5, 2), (2, 1)]
    assert shown.total == 5


def test_the_fifth_level_is_the_deepest() -> None:
    shown = discussion([comment(1), *(comment(n, n - 1) for n in range(2, 9))])
    assert [depth for _, depth in numbers(shown.threads)] == [1, 2, 3, 4, 5, 5, 5, 5]
    deep = [one for thread in shown.threads for one in told(thread)]
    assert [one.can_be_answered for one in deep] == [True] * 4 + [False] * 4


def test_who_answers_what_is_not_there_begins_a_thread() -> None:
    assert numbers(discussion([comment(2, 1), comment(3, 2)]).threads) == [(2, 1), (3, 2)]


def test_a_waiting_comment_is_shown_and_not_counted_and_cannot_be_answered() -> None:
    shown = discussion([comment(1), comment(2, pending=True)])
    assert (len(shown.threads), shown.total) == (2, 1)
    assert not shown.threads[1].can_be_answered


def test_pages_hold_whole_threads_and_the_newest_comes_first() -> None:
    comments = [comment(n) for n in range(1, 6)] + [comment(6, 1)]
    newest = discussion(comments, size=2)
    assert (newest.number, newest.pages, numbers(newest.threads)) == (3, 3, [(5, 1)])
    assert numbers(discussion(comments, 1, size=2).threads) == [(1, 1), (6, 2), (2, 1)]
    assert discussion(comments, 99, size=2).number == 3
    assert discussion([]).pages == 1
    assert [page_of(comments, n, size=2) for n in (1, 3, 6, 5, 77)] == [1, 2, 1, 3, 3]


def test_an_answer_that_would_be_too_deep_stands_beside_what_it_answers() -> None:
    parents = {n: n - 1 for n in range(1, 8)}
    assert [place_for(parents, n) for n in range(1, 6)] == [1, 2, 3, 4, 4]
    assert place_for(parents, 99) == 0
    assert place_for({}, 0) == 0


forests = st.lists(st.integers(0, 12), max_size=12).map(
    lambda parents: [comment(n, parent) for n, parent in enumerate(parents, 1)]
)


@given(forests)
def test_nothing_is_lost_and_nothing_shown_twice_but_what_answers_itself(comments: list[Comment]) -> None:
    shown = [number for number, _ in numbers(discussion(comments).threads)]
    assert len(shown) == len(set(shown))
    circles = {one.id for one in comments if place_in_circle(one, {c.id: c.parent for c in comments})}
    assert set(shown) == {one.id for one in comments} - circles
    assert all(1 <= depth <= DEEPEST for _, depth in numbers(discussion(comments).threads))


def place_in_circle(one: Comment, parents: dict[int, int]) -> bool:
    """Whether following parents from here never ends: no page makes such a thing, and none may hang on it."""
    here, seen = one.id, set()
    while here in parents:
        if here in seen:
            return True
        seen.add(here)
        here = parents[here]
    return False


@given(st.dictionaries(st.integers(1, 12), st.integers(0, 12)), st.integers(0, 12))
def test_where_an_answer_stands_is_always_found(parents: dict[int, int], wanted: int) -> None:
    place = place_for(parents, wanted)
    assert place in parents or place == 0
