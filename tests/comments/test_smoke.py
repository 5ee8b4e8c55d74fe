"""The filter on comments of our own making (``tests/data/comments``): learned from some lines, judged on the others.

No line, and so no phrase, is in both halves. Figures on real comments are for ``python -m tests.benchmarks.comments``.
"""

from __future__ import annotations

import asyncio
import csv
import io
from math import isnan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks import comments
from tests.data.comments.make import rows

CSV = Path(__file__).parents[1] / "data" / "comments" / "smoke.csv"


def test_the_file_is_what_its_maker_makes() -> None:
    assert [tuple(row) for row in csv.reader(io.StringIO(CSV.read_text("utf-8")))][1:] == [
        (line, text, str(spam)) for line, text, spam in rows()
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_what_was_learned_from_some_lines_tells_others(turned: bool) -> None:
    one, other = comments.smoke()
    found = asyncio.run(comments.measured(other, one) if turned else comments.measured(one, other))
    assert found.recall >= 0.5
    assert found.caught >= 0.6
    assert found.wrong <= 0.06
    assert found.learning < 5.0


def test_comments_are_parted_by_what_the_file_says_of_them(tmp_path: Path) -> None:
    dated = tmp_path / "dated.csv"
    with dated.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("CONTENT", "CLASS", "VIDEO", "DATE"))
        for place, (line, text, spam) in enumerate(rows()):
            writer.writerow((text, spam, int(line.partition("-")[2]) % 2, f"2027-01-01T{place * 7919 % 997:04}"))
    parted = dict(comments.splits(comments.read(dated), 100, 1))
    assert list(parted) == ["random", "by group", "by date", "by date, learning on"]
    assert parted["by date, learning on"].caught >= parted["by date"].caught
    assert [split for split, _ in comments.splits(comments.read(CSV), 200, 1)] == ["random"]


@given(
    st.lists(st.builds(comments.Judged, st.floats(-1, 9), st.sampled_from(("approve", "hold", "spam")), st.booleans()))
)
def test_shares_are_of_what_is_there(judged: list[comments.Judged]) -> None:
    found = comments.counted(judged, 0.0, 0.0)
    spam = [one for one in judged if one.spam]
    ham = [one for one in judged if not one.spam]
    assert isnan(found.caught) == isnan(found.recall) == (not spam)
    assert isnan(found.wrong) == isnan(found.held) == (not ham)
    if ham:
        assert found.wrong <= found.held
        highest = max(one.score for one in ham)
        assert not spam or found.recall >= sum(one.score > highest for one in spam) / len(spam)


def test_the_command_measures_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "LESSONS", 200)
    monkeypatch.setattr(comments, "_SEEDS", 1)
    assert comments.main([str(CSV)]) == 0
    assert "recall" in capsys.readouterr().out
    small = tmp_path / "small.csv"
    small.write_text("CONTENT,CLASS\nhello,0\n")
    assert comments.main([str(small)]) == 1
    assert "found 1" in capsys.readouterr().err
