"""From a served page to the pass it was given with, by the command that operators have."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from contentguard.admission.passes import read
from contentguard.tokens import Signer
from contentguard.watermark.token import serial_of
from tests.client import CHROME, KEY, proof
from tests.servers.archive import Archive, archive, taken
from tests.servers.harness import ROOT, need_module
from tests.servers.takers import trusting

TOML = f"""
secret_key = "{KEY}"
[watermark]
enabled = true
[meter]
new_reader_articles_per_hour = 30
[evidence]
url = "sqlite:///FILE"
"""


def configured(folder: Path) -> Path:
    """A settings file for a site that marks its copies and writes down whose they are."""
    file = folder / "settings.toml"
    file.write_text(TOML.replace("FILE", str(folder / "evidence.db")), "utf-8")
    return file


SIGNER = Signer([KEY.encode()])


def _id(cookie: str) -> str:
    """The id of the pass in a cookie."""
    found = read(SIGNER.derived("pass"), cookie.encode())
    assert found is not None
    return found.id


def serial(cookie: str) -> str:
    """Its serial, as the command writes it."""
    return f"{serial_of(SIGNER.derive('serials'), _id(cookie)):010x}"


def traced(settings: Path, source: Path, *options: str) -> Mapping[str, Any]:
    """What the command says of a copy."""
    command = [sys.executable, "-m", "contentguard", "trace", str(source), "--settings", str(settings), "--json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1, 3), done.stderr
    answer: Mapping[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Path]]:
    folder = tmp_path_factory.mktemp("marked")
    settings = configured(folder)
    with archive(folder, "--settings", str(settings), size=14) as running:
        yield running, settings


def earned(stories: Archive) -> str:
    """The cookie of a reader who has solved one proof."""
    with httpx.Client(verify=trusting(stories), headers=dict(CHROME)) as client:
        where, body = proof(client.get(stories.urls[0]).text) or ("", b"")
        client.post(f"{stories.origin}{where}", content=body).raise_for_status()
        return next(value for name, value in client.cookies.items() if name.endswith("contentguard"))


def saved(site: Archive, cookie: str, folder: Path) -> list[str]:
    """The pages that Scrapy takes in a browser's clothes and with its pass."""
    headers = {name: value for name, value in CHROME.items() if name not in ("connection", "user-agent")}
    headers["cookie"] = f"__Host-contentguard={cookie}"
    chosen = {
        "COOKIES_ENABLED": "False",
        "USER_AGENT": CHROME["user-agent"],
        "DEFAULT_REQUEST_HEADERS": json.dumps(headers),
        "CLOSESPIDER_TIMEOUT": "20",
    }
    spider = [str(ROOT / "tests" / "servers" / "spider.py"), "-a", f"site={site.origin}/", "-O", "taken.jsonl"]
    options = [part for pair in chosen.items() for part in ("-s", "=".join(pair))]
    command = [sys.executable, "-m", "scrapy", "runspider", *spider, *options]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=True)
    return [json.loads(line)["text"] for line in (folder / "taken.jsonl").read_text("utf-8").splitlines()]


def test_ten_articles_that_a_spider_saved_name_its_pass_once(stories: tuple[Archive, Path], tmp_path: Path) -> None:
    need_module("scrapy")
    site, settings = stories
    cookie = earned(site)
    whole = {min(found): text for text in saved(site, cookie, tmp_path) if (found := taken([text]))}
    assert len(whole) >= 10
    folder = tmp_path / "pages"
    folder.mkdir()
    for number, text in list(whole.items())[:10]:
        (folder / f"{number}.html").write_text(text, "utf-8")
    answer = traced(settings, folder)
    (named,) = answer["named"]
    assert named["serial"] == serial(cookie)
    assert len({part["article"] for part in named["articles"]}) == 10
    least = max(sum(part[channel] for channel in ("frames", "gaps", "variants")) for part in named["articles"])
    assert named["bits"] > least, "the bits of all articles are added up"
    assert {row["visit"] for row in named["given"]} == {_id(cookie)}
