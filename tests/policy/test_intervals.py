from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contentguard.policy.intervals import Intervals, Span, beginning_with, exactly

texts = st.text(st.sampled_from("ab\U0010ffff\ud7ff"), max_size=4)


@given(st.lists(st.tuples(texts, st.booleans())), texts)
def test_prefixes_and_whole_texts(filed: list[tuple[str, bool]], key: str) -> None:
    spans = [(exactly(text) if whole else beginning_with(text), n) for n, (text, whole) in enumerate(filed)]
    wanted = [n for n, (text, whole) in enumerate(filed) if (key == text if whole else key.startswith(text))]
    assert list(Intervals(spans).at(key)) == wanted


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3))), st.integers(-1, 10))
def test_spans_of_numbers_may_overlap_repeat_and_be_empty(filed: list[tuple[int, int, int]], key: int) -> None:
    spans = [(Span(low, high), number) for low, high, number in filed]
    assert list(Intervals(spans).at(key)) == sorted({number for low, high, number in filed if low <= key < high})
    open_ended = Intervals([*spans, (Span(5, None), 7)])
    assert (7 in open_ended.at(key)) is (key >= 5)
