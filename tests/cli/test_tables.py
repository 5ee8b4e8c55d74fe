from __future__ import annotations

import io
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from contentguard.cli.progress import Progress
from contentguard.cli.tables import Grid, Top


@given(st.lists(st.integers(0, 40), max_size=400), st.integers(2, 12))
def test_a_top_list_is_bounded_and_its_error_is_known(keys: list[int], capacity: int) -> None:
    top: Top[int] = Top(capacity)
    for key in keys:
        top.add(key)
        assert len(top) <= capacity
    true = Counter(keys)
    for key, count, missed in top.most(capacity):
        assert count <= true[key] <= count + missed


def test_what_is_frequent_is_never_lost() -> None:
    top: Top[str] = Top(64)
    for number in range(20_000):
        top.add(f"/{number}")
        if number % 10 == 0:
            top.add("/hot")
    ((key, count, missed),) = top.most(1)
    assert key == "/hot"
    assert count <= 2000 <= count + missed


def test_a_grid_leaves_out_what_is_empty() -> None:
    grid = Grid(("full", "head", "deny"))
    for row, column, times in (("tool", "deny", 1), ("reader", "full", 1200), ("reader", "deny", 3)):
        for _ in range(times):
            grid.add(row, column)
    assert grid.lines("by class") == [
        "by class   full  deny",
        "reader    1,200     3",
        "tool                1",
    ]
    assert Grid(("a",)).lines("by rule") == ["by rule"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_and_taken_away() -> None:
    clock = iter((0.0, 0.05, 1.0, 1.01, 2.0))
    terminal = Terminal()
    progress = Progress(1000, terminal, lambda: next(clock))
    for done in (10, 250, 260, 2000):
        progress.at(done, done * 10)
    assert terminal.getvalue() == (
        "\r[########......................]  25%  2,500 lines, 1 s, 3 s left\x1b[K"
        "\r[##############################] 100%  20,000 lines, 2 s, 0 s left\x1b[K"
    )
    progress.done()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_no_bar_where_nobody_looks() -> None:
    stream = io.StringIO()
    clock = iter((0.0, 9.0, 18.0))
    progress = Progress(10, stream, lambda: next(clock))
    progress.at(5, 5)
    progress.done()
    assert stream.getvalue() == ""


def test_of_a_stream_without_a_size_only_lines_are_told() -> None:
    terminal = Terminal()
    clock = iter((0.0, 9.0))
    Progress(0, terminal, lambda: next(clock)).at(5, 7)
    assert terminal.getvalue() == "\r7 lines, 9 s\x1b[K"
