"""A template fills to its parts, plain and compressed, whatever they are and in whatever order its marks come."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.rewrite.page import Field
from contentguard.rewrite.template import MARKS, Hole, Piece, template

pieces: st.SearchStrategy[Piece] = (
    st.binary(max_size=5)
    | st.sampled_from([b"<p>the tide</p>" * 3, b"x" * 9000])
    | st.binary(max_size=9).map(lambda data: memoryview(data))
)
parts = st.lists(pieces | st.sampled_from(Field) | st.integers(0, 9), max_size=24)
VALUES = {field: field.value.encode() for field in Field}
OTHERS = {field: field.value.encode()[::-1] for field in Field}
marks = st.lists(st.binary(max_size=7), min_size=10, max_size=10)


def joined(values: list[Piece | Hole], fields: dict[Field, bytes], own: list[bytes]) -> bytes:
    said = []
    for value in values:
        said.append(
            fields[value] if isinstance(value, Field) else own[value] if isinstance(value, int) else bytes(value)
        )
    return b"".join(said)


@given(parts, marks, marks)
def test_a_template_fills_to_its_parts(values: list[Piece | Hole], own: list[bytes], others: list[bytes]) -> None:
    made = template(values)
    for fields, numbered in ((VALUES, own), (OTHERS, others), (VALUES, others)):
        whole = joined(values, fields, numbered)
        filling: dict[Any, Any] = {**fields, MARKS: numbered}
        assert made.fill(filling) == whole
        assert gzip.decompress(made.gzip(filling)) == whole
        assert made.deflated(filling)
    assert made.size == sum(len(v) for v in values if not isinstance(v, (Field, int)))
    assert made.fields == tuple(v for v in values if isinstance(v, Field))
    held = sum(len(v) for v in values if isinstance(v, bytes))
    copied = made.size if any(isinstance(v, int) for v in values) else held  # pieces between two marks are one
    assert held <= made.own <= copied + 1000 * (len(values) + 1), "its bytes, and what each part takes besides"
    at = [index for index, value in enumerate(values) if isinstance(value, int)]
    between = values[at[0] : at[-1] + 1] if at else []
    assert made.band == sum(len(v) for v in between if not isinstance(v, (Field, int)))


@given(parts, marks)
def test_what_cannot_be_held_ready_is_compressed_whole(values: list[Piece | Hole], own: list[bytes]) -> None:
    made = template([Field.URL, *values])
    for length in range(12):
        filling: dict[Any, Any] = {**VALUES, Field.URL: b"u" * length, MARKS: own}
        whole = joined([Field.URL, *values], {**VALUES, Field.URL: b"u" * length}, own)
        assert gzip.decompress(made.gzip(filling)) == whole
    assert not made.deflated({**VALUES, Field.URL: b"u" * 11, MARKS: own})


def test_what_lacks_a_mark_or_a_field_is_no_page() -> None:
    made = template([b"a", 0, b"b", 1, b"c", 2, b"d"])
    with pytest.raises(ValueError, match="extended slice"):
        made.fill({MARKS: [b"-", b"+"]})
    with pytest.raises(KeyError):
        made.fill({})
    with pytest.raises(KeyError):
        template([Field.DATE]).fill({})


def test_a_copy_with_marks_is_one_reader_s_alone() -> None:
    assert template([b"a", 0]).personal
    assert not template([b"a", Field.NONCE]).personal
    assert template([b"a", Field.COPY_NUMBER]).personal
