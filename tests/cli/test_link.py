from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from contentguard.cli import main
from tests.cli.test_check import SAFE
from tests.client import CHROME as PLAIN
from tests.guard.test_links import target
from tests.guard.test_reading import is_whole, news


@pytest.fixture
def file(tmp_path: Path) -> str:
    made = tmp_path / "guard.toml"
    made.write_text(SAFE)
    return str(made)


def test_a_link_that_the_server_takes(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link", "/news/tide", "--settings", file, "--by", "newsletter", "--net", "mail"]) == 0
    site = news()
    link = capsys.readouterr().out.strip()
    site.now = time.time()
    assert is_whole(site.ask(target(link), PLAIN))


def test_a_gift(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link", "/news/tide", "--settings", file, "--gift", "anna"]) == 0
    told = capsys.readouterr()
    assert re.fullmatch(r"https://news\.example/news/tide\?cg=[\w-]{56}\n", told.out)
    assert "not counted" in told.err


def test_one_that_may_give_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "guard.toml"
    made.write_text(SAFE + "[gift_links]\nmonthly = 0\n")
    assert main(["link", "/news/tide", "--settings", str(made), "--gift", "anna"]) == 1
    assert "anna has given all that it may this month" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"), [(["https://evil.example/"], "evil.example"), (["/a", "--net", "é"], "no shared link can hold")]
)
def test_what_no_link_can_be_made_of(file: str, more: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link", *more, "--settings", file]) == 2
    assert said in capsys.readouterr().err


def test_a_subscriber_s_address(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link", "/feed.xml", "--settings", file, "--feed", "anna"]) == 0
    assert re.fullmatch(r"https://news\.example/feed\.xml\?cg=[\w-]{39}\n", capsys.readouterr().out)
