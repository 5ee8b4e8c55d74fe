"""Long work in short turns."""

from __future__ import annotations

import pytest

from contentguard.turns import Chores, Turns, finished


def counted(number: int) -> Turns[int]:
    done = 0
    for _ in range(number):
        yield
        done += 1
    return done


@pytest.mark.parametrize("number", [0, 1, 7])
def test_work_is_done_to_its_end(number: int) -> None:
    assert finished(counted(number)) == number


def test_chores_are_done_and_their_results_sent_back() -> None:
    def work() -> Chores[list[str]]:
        first = yield lambda: "a"
        yield None
        second = yield lambda: first + "b"
        return [first, second]

    assert finished(work()) == ["a", "ab"]


def test_errors_are_the_callers() -> None:
    def work() -> Turns[None]:
        yield
        raise KeyError("here")

    with pytest.raises(KeyError):
        finished(work())
