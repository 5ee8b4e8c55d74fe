from __future__ import annotations

from pathlib import Path

import pytest

from contentguard.cli import main


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:port", "http://:80", "x", ""]
)
def test_an_address_that_is_none_is_told(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONTENTGUARD_SECRET_KEY", "a key of sixteen characters")
    assert main(["status", url]) == 2
    assert main(["revoke", "--url", url or "x", "aabb"]) == 2
    assert capsys.readouterr().err.count("where the site is, like http://127.0.0.1:8000") == 2


def test_no_more_is_an_address_to_learn_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONTENTGUARD_SECRET_KEY", "a key of sixteen characters")
    assert main(["index", "--from", "http://[::1", "--evidence", f"sqlite:///{tmp_path / 'log.db'}"]) == 2
    assert "expected a folder, a file or an URL" in capsys.readouterr().err
