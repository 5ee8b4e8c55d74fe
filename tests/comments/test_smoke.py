"""The filter on comments of our own making (``tests/data/comments``): learned from some lines, judged on the others.

No line, and so no phrase, is in both halves. Figures on real comments are for ``python -m tests.benchmarks.comments``.
"""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import pytest

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
