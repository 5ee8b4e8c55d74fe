"""``contentguard crawlers list | update``."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from contentguard.backends import ranges
from contentguard.cli import crawlers as cli
from contentguard.cli import main

APPLE = {"creationTime": "2026-11-01T00:00:00", "prefixes": [{"ipv4Prefix": "17.22.237.0/24"}]}


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crawlers", "list"]) == 0
    few = capsys.readouterr().out
    assert "address list google-common*; reverse DNS .googlebot.com*" in few
    assert "WhatsApp" not in few
    assert main(["crawlers", "list", "--all"]) == 0
    assert "cannot be verified" in capsys.readouterr().out


def test_update_from_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file, settings = tmp_path / "in", tmp_path / "ranges.json", tmp_path / "guard.toml"
    folder.mkdir()
    (folder / "applebot.json").write_text(json.dumps(APPLE))
    settings.write_text(f'[identification]\nranges = "{file}"\n')
    assert main(["crawlers", "update", "--from", str(folder), "--settings", str(settings)]) == 0
    assert f"1 lists written to {file}" in capsys.readouterr().out
    assert main(["crawlers", "list", "--settings", str(settings)]) == 0
    assert "apple                          1 networks, 0 days old" in capsys.readouterr().out


def test_update_keeps_what_it_cannot_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ranges.json"
    (tmp_path / "applebot.json").write_text(json.dumps(APPLE))
    (tmp_path / "ccbot.json").write_text("0.0.0.0/0")
    assert main(["crawlers", "update", "--from", str(tmp_path), "--to", str(file)]) == 1
    out = capsys.readouterr().out
    assert "! commoncrawl: 0.0.0.0/0 is too large to be a robot's; the list is not there" in out
    (tmp_path / "applebot.json").write_text("busy")
    assert main(["crawlers", "update", "--from", str(tmp_path), "--to", str(file)]) == 1
    assert "! apple: no address in it; the list stays as it was" in capsys.readouterr().out
    assert "17.22.237.0/24" in file.read_text()


def test_update_needs_a_file_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crawlers", "update", "--from", "."]) == 2
    assert "identification.ranges" in capsys.readouterr().err


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crawlers", "update", "--from", str(tmp_path), "--to", str(tmp_path / "x.json")]) == 1
    assert "nothing found" in capsys.readouterr().out
    assert not (tmp_path / "x.json").exists()


def test_documents_that_nobody_looks_for_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "applebots.json").write_text(json.dumps(APPLE))
    (tmp_path / "googlebot").mkdir()
    assert main(["crawlers", "update", "--from", str(tmp_path), "--to", str(tmp_path / "x.json")]) == 1
    out = capsys.readouterr().out
    assert "as in bing.txt, bingbot.json" in out
    assert "? applebots.json: belongs to no list" in out
    assert "? googlebot: belongs to no list" in out


@pytest.mark.parametrize("name", ["none", "applebot.json"])
def test_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "applebot.json").write_text(json.dumps(APPLE))
    assert main(["crawlers", "update", "--from", str(tmp_path / name), "--to", str(tmp_path / "x.json")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "applebot.json").write_text(json.dumps(APPLE))
    (tmp_path / "taken").mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())
    assert main(["crawlers", "update", "--from", str(tmp_path), "--to", str(tmp_path / "taken")]) == 2
    assert "cannot be written (Is a directory)" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_broken_file_is_written_anew_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "applebot.json").write_text(json.dumps(APPLE))
    (tmp_path / "out.json").write_text('{"broken')
    assert main(["crawlers", "update", "--from", str(tmp_path), "--to", str(tmp_path / "out.json")]) == 0
    assert "written anew" in capsys.readouterr().err
    assert "17.22.237.0/24" in (tmp_path / "out.json").read_text()


def test_update_from_the_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        found = httpx.Response(200, stream=httpx.ByteStream(json.dumps(APPLE).encode()))
        return found if "applebot" in str(request.url) else httpx.Response(503)

    async def faked(*arguments: object, **options: object) -> object:
        return await ranges.from_network(*arguments, **options, transport=httpx.MockTransport(handler))  # type: ignore[arg-type]

    monkeypatch.setattr(cli, "from_network", faked)
    file = tmp_path / "ranges.json"
    assert main(["crawlers", "update", "--to", str(file)]) == 1
    out = capsys.readouterr().out
    assert "    apple: 1 networks" in out
    assert "! bing: https://www.bing.com/toolbox/bingbot.json: status 503; the list stays as it was" in out
    assert "17.22.237.0/24" in file.read_text()
    assert "157.55.39.0/24" in file.read_text(), "what is known already is kept"
