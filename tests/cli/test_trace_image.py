"""``contentguard trace-image``: a mark is found in what was made of a picture, and in nothing else."""

from __future__ import annotations

import builtins
import json
import time
from pathlib import Path
from typing import Any

import pytest

from contentguard.cli import main
from contentguard.guard.marks import PURPOSE
from contentguard.tokens import Signer
from contentguard.watermark.keys import epoch_at, epoch_start
from contentguard.watermark.pictures import group_of, marked
from tests.watermark.pictures import file, opened, photograph

MONTH = epoch_at(time.time()) - 1
SECRET = "a-secret-of-the-site-itself"
PLAIN = photograph(3, 600, 400)


@pytest.fixture
def chosen(tmp_path: Path) -> str:
    made = tmp_path / "guard.toml"
    made.write_text(f'secret_key = "{SECRET}"\n')
    return str(made)


@pytest.fixture
def leaked(tmp_path: Path) -> str:
    key = Signer([SECRET.encode()]).derive(PURPOSE)
    made = marked(file(PLAIN), key, MONTH, group_of("/photos/tide.jpg"))
    assert made is not None
    found = tmp_path / "leaked.jpg"
    found.write_bytes(file(opened(made).resize((300, 200)), quality=75))
    return str(found)


@pytest.fixture
def unmarked(tmp_path: Path) -> str:
    found = tmp_path / "other.jpg"
    found.write_bytes(file(PLAIN))
    return str(found)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(["trace-image", *arguments])
    return status, capsys.readouterr().out


def test_a_marked_picture_is_named(chosen: str, leaked: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = told(capsys, leaked, "--settings", chosen, "--path", "/photos/tide.jpg")
    day = time.strftime("%Y-%m-%d", time.gmtime(epoch_start(MONTH)))
    assert status == 0
    assert f"marked by this site, published in the 30 days from {day}" in said
    assert "it can be the picture at that path" in said
    assert "by chance at most" in said


def test_as_data(chosen: str, leaked: str, unmarked: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = told(capsys, leaked, unmarked, "--settings", chosen, "--json", "--path", "/elsewhere.jpg")
    one, other = json.loads(said)
    assert status == 1
    assert (one["marked"], other["marked"]) == (True, False)
    assert one["path"] is (group_of("/elsewhere.jpg") == group_of("/photos/tide.jpg"))
    assert one["chance"] < 1e-6 < other["chance"] <= 1
    assert one["score"] >= one["needed"] > other["score"]


def test_without_a_path_none_is_spoken_of(chosen: str, leaked: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = told(capsys, leaked, "--settings", chosen)
    assert status == 0
    assert "at that path" not in said


def test_an_unmarked_one_is_not(chosen: str, unmarked: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = told(capsys, unmarked, "--settings", chosen)
    assert status == 1
    assert "no mark of this site is certain" in said


def test_what_cannot_be_read(chosen: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("no picture")
    status, said = told(capsys, str(tmp_path / "text"), str(tmp_path / "nowhere"), "--settings", chosen)
    assert status == 2
    assert "no picture" in said
    assert "No such file" in said


def test_faults(chosen: str, leaked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace-image", leaked, "--settings", chosen, "--epsilon", "2"]) == 2
    assert "between 0 and 1" in capsys.readouterr().err
    keyless = tmp_path / "keyless.toml"
    keyless.write_text('site = "x"\n')
    assert main(["trace-image", leaked, "--settings", str(keyless)]) == 2
    assert "secret_key" in capsys.readouterr().err


def test_without_the_library(
    chosen: str, leaked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "contentguard.watermark" and args and args[2] == ("pictures",):
            raise ImportError("No module named 'PIL'")
        return whole(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["trace-image", leaked, "--settings", chosen]) == 2
    assert "contentguard[images]" in capsys.readouterr().err
