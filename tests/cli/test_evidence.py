"""``contentguard evidence export | erase | prune``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from contentguard.backends.recording import hashed
from contentguard.cli import main
from contentguard.watermark.options import Kept
from tests.backends.evidence import issued
from tests.cli.tracing import SIGNER, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path, 1)
    own = hashed(SIGNER.derive("evidence"), "192.0.2.7")
    with site.log() as log:
        log.write([issued(1), issued(2, visit="v2"), issued(255, address=own, at=time.time(), article="/b")])
    return site


def run(site: Site, *arguments: str) -> int:
    return main(["evidence", *arguments, "--settings", str(site.settings)])


def exported(site: Site, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(site, "export", *arguments) == 0
    return [json.loads(line)["serial"] for line in capsys.readouterr().out.splitlines()]


def test_export(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(site, capsys) == ["0000000001", "0000000002", "00000000ff"]
    assert exported(site, capsys, "--serial", "ff") == ["00000000ff"]
    assert exported(site, capsys, "--pass", "v2") == ["0000000002"]
    assert exported(site, capsys, "--article", "/b") == ["00000000ff"]
    assert exported(site, capsys, "--address", "192.0.2.7") == ["00000000ff"]
    assert exported(site, capsys, "--address", "ad") == ["0000000001", "0000000002"]
    assert exported(site, capsys, "--serial", "3") == []


def test_erasure_by_an_address_that_is_stored_nowhere(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(site, "erase", "--address", "192.0.2.7") == 0
    assert "1 rows erased" in capsys.readouterr().out
    assert run(site, "erase", "--address", "192.0.2.7") == 1
    assert run(site, "erase", "--pass", "v2") == 0
    assert run(site, "erase", "--serial", "0000000001") == 0
    capsys.readouterr()
    assert exported(site, capsys) == []


@pytest.mark.parametrize("written", ["2001:DB8:0:0::7", "2001:db8::0007", "2001:db8::7"])
def test_an_address_is_found_however_it_is_written(
    site: Site, capsys: pytest.CaptureFixture[str], written: str
) -> None:
    """Else what somebody asked to be erased would stay."""
    with site.log() as log:
        log.write([issued(16, address=hashed(SIGNER.derive("evidence"), "2001:db8::7"))])
    assert exported(site, capsys, "--address", written) == ["0000000010"]
    assert run(site, "erase", "--address", written) == 0


def test_ipv4_in_ipv6(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(site, capsys, "--address", "::ffff:192.0.2.7") == ["00000000ff"]


@pytest.mark.parametrize("days", [0.0, -1.0, float("nan")])
def test_days_that_would_keep_everything_or_nothing(days: float) -> None:
    with pytest.raises(ValueError, match="days must be more than 0"):
        Kept(days=days)


def test_prune(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(site, "prune") == 0
    now = time.time()
    assert "0 rows older than 90 days forgotten" in capsys.readouterr().out
    monkeypatch.setattr("contentguard.cli.evidence.time.time", lambda: now + 30 * 86_400.0)
    assert run(site, "prune", "--days", "20") == 0
    assert "1 rows older than 20 days forgotten" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("export", "--serial", "xyz"), "up to ten hex digits"),
        (("export", "--serial", "fffffffffff"), "up to ten hex digits"),
        (("erase", "--address", ""), "--address: found ''; expected one that is not empty"),
        (("erase", "--pass", ""), "--pass: found ''; expected one that is not empty"),
        (("prune", "--days", "-1"), "a number of days"),
        (("export", "--evidence", "/nowhere/e.sqlite"), "gives no answer"),
    ],
)
def test_faults(site: Site, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], wanted: str) -> None:
    assert run(site, *arguments) == 2
    assert wanted in capsys.readouterr().err


def test_nothing_is_erased_without_saying_what(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(site, "erase")
    assert "--serial" in capsys.readouterr().err


def test_without_sqlalchemy_it_is_said_what_is_missing(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "contentguard.backends.evidence", None)
    assert run(site, "export") == 2
    assert "contentguard[evidence]" in capsys.readouterr().err
