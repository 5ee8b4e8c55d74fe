"""When the shared store is left alone, and when it is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.backends.circuit import Circuit


def test_failures_close_together_open_it_and_a_success_closes_it() -> None:
    circuit = Circuit(5, 1.0)
    assert [circuit.failed(n / 5) for n in range(6)] == [False] * 4 + [True, False]
    opened = circuit.is_open
    circuit.close()
    assert (opened, circuit.is_open) == (True, False)
    assert [circuit.failed(9 + n / 5) for n in range(5)] == [False] * 4 + [True]


def test_failures_in_a_row_open_it_however_far_apart() -> None:
    circuit = Circuit(5, 1.0)
    assert [circuit.failed(60.0 * n) for n in range(5)] == [False] * 4 + [True]
    circuit = Circuit(5, 1.0)
    for n in range(100):
        assert not circuit.failed(60.0 * n)
        circuit.succeeded()


def test_pauses_grow_up_to_the_longest_and_begin_anew() -> None:
    circuit = Circuit(shortest=0.5, longest=3.0)
    assert [circuit.pause(0.5) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert circuit.pause(1.0) == 4.5
    circuit.close()
    assert circuit.pause(0.0) == pytest.approx(0.25)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 0.6)), max_size=60))
def test_it_opens_when_and_only_when_it_should(events: list[tuple[bool, float]]) -> None:
    circuit, now, failures, row = Circuit(4, 1.0), 100.0, list[float](), 0
    for failed, gap in events:
        now += gap
        if failed:
            failures.append(now)
            row += 1
            many = len(failures) >= 4 and (now - failures[-4] <= 1.0 or row >= 4)
            assert circuit.failed(now) is many
        else:
            circuit.succeeded()
            row = 0
        if circuit.is_open:
            circuit.close()
            failures, row = [], 0
