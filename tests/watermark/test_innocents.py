"""The long count of innocents comes to what scoring each of them by itself comes to."""

from __future__ import annotations

import json
from collections import Counter
from importlib import import_module
from math import isclose
from pathlib import Path

import pytest

from contentguard.watermark.code import stream
from contentguard.watermark.frames import word
from contentguard.watermark.observed import observe
from contentguard.watermark.score import bits
from contentguard.watermark.token import SIZE, write
from tests.benchmarks import innocents
from tests.benchmarks.innocents import KEYS, Done, Subject, main, told
from tests.servers.harness import need_module


@pytest.mark.parametrize("number", [1, 2])
def test_as_each_by_itself(number: int) -> None:
    """With biased variants and with even ones."""
    need_module("numpy")
    numpy = import_module("numpy")
    subject, serials = Subject(number, 1), range(40)
    rows = numpy.frombuffer(subject.codes(serials), numpy.uint8).reshape(40, subject.made.size + SIZE)
    seen_any = False
    for suspect, text in zip(subject.suspects, subject.texts, strict=True):
        seen = observe(subject.made, text)
        exact = [
            bits(
                subject.made,
                seen,
                stream(subject.start, serial, subject.made.size),
                subject.odds,
                word(23, write(KEYS, serial, subject.name)),
            ).total
            for serial in serials
        ]
        found = [bits for bits, times in suspect.scored(numpy, rows.T) for _ in range(times)]
        assert all(isclose(a, b, abs_tol=1e-9) for a, b in zip(sorted(found), sorted(exact), strict=True))
        seen_any = seen_any or len(Counter(found)) > 1
    assert seen_any


def test_a_run_goes_on_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_module("numpy")
    monkeypatch.setattr(innocents, "READERS", 50)
    once, twice = tmp_path / "once.json", tmp_path / "twice.json"
    assert main(["--count", "4000", "--file", str(once)]) == 0
    assert main(["--count", "2000", "--file", str(twice)]) == 0
    assert json.loads(twice.read_text())["pieces"] == 1
    assert main(["--count", "4000", "--file", str(twice)]) == 0
    assert once.read_text() == twice.read_text()


def test_a_run_of_another_seed_is_not_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    Done(1, 3, 9, 2.0, {}).save(file)
    assert Done.loaded(file, 1).pieces == 3
    with pytest.raises(ValueError, match="seed 1, not 2"):
        Done.loaded(file, 2)
    assert main(["--seed", "2", "--file", str(file)]) == 2


def test_a_broken_bound_is_told() -> None:
    lines = told(Done(1, 1, 1000, 9.0, {"5": 31, "6": 16})).splitlines()
    assert [line.endswith("BROKEN") for line in lines[1:4]] == [False, True, False]
