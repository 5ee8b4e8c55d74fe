"""The package as `pip install contentguard` brings it: without a single extra."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from contentguard.cli import COMMANDS

ROOT = Path(__file__).parents[1]
_NAMES = {"pillow": "PIL", "prometheus-client": "prometheus_client", "brotli": "brotli", "backports.zstd": "backports"}
ROOMS = {"backends.evidence", "backends.redis", "guard.metrics", "watermark.pictures"}
"""Modules that are imported by whoever has asked for the extra that they need."""


def extras() -> list[str]:
    """The modules of every dependency that only extras bring."""
    written = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    own = {_name(one) for one in written["dependencies"]}
    brought = {_name(one) for name, extra in written["optional-dependencies"].items() if name != "dev" for one in extra}
    return sorted({_NAMES.get(name, name) for name in brought - own if name != "contentguard"} | {"backports"})


def _name(requirement: str) -> str:
    return requirement.partition(">")[0].partition("[")[0].strip()


BARE = f"""
import importlib, pkgutil, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {extras()!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


def bare(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Code in an interpreter that has none of the extras."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", BARE + code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_extras_bring_is_known() -> None:
    assert {"sqlalchemy", "redis", "PIL", "cryptography", "isal", "segno", "brotli", "zstandard"} <= set(extras())
    assert "httpx" not in extras()


def test_every_module_but_the_extras_own_is_imported() -> None:
    done = bare(
        f"""
import contentguard
for module in pkgutil.walk_packages(contentguard.__path__, "contentguard."):
    if module.name.removeprefix("contentguard.") not in {ROOMS!r} and module.name != "contentguard.__main__":
        importlib.import_module(module.name)
        print(module.name)
"""
    )
    assert done.returncode == 0, done.stderr
    assert "contentguard.cli.trace" in done.stdout.split()


def test_the_policy_is_checked_and_every_command_says_what_it_takes() -> None:
    done = bare(
        f"""
from contentguard.cli import main
assert main(["check"]) == 0
for command in {list(COMMANDS)!r}:
    try:
        main([command, "--help"])
    except SystemExit as end:
        assert not end.code
"""
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Policy: preset press" in done.stdout
    assert done.stdout.count("usage: contentguard") == len(COMMANDS)


def test_a_command_that_needs_an_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTENTGUARD_SECRET_KEY", "a key of sixteen characters")
    done = bare(
        """
from contentguard.cli import main
log = ["--evidence", "sqlite:////tmp/none.db"]
for command in (["trace", "README.md", *log], ["evidence", "export", *log], ["index", "--from", "README.md", *log]):
    assert main(command) == 2
assert main(["trace-image", "README.md"]) == 2
"""
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert done.stderr.count("contentguard[evidence]") == 3
    assert done.stderr.count("contentguard[images]") == 1


def test_a_site_is_served_and_a_setting_that_needs_an_extra_names_it() -> None:
    done = bare(
        """
import asyncio, httpx
from contentguard import ContentGuardMiddleware, Settings, SettingsError

async def app(scope, receive, send):
    page = b"<article>" + b"<p>" + b"word " * 40 + b"</p>" + b"<p>" + b"word " * 400 + b"</p></article>"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": page})

async def serve(**values):
    guarded = ContentGuardMiddleware(app, settings=Settings(secret_key="a key of sixteen characters", **values))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://127.0.0.1") as client:
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        print((await client.get("/a", headers={"User-Agent": agent, "Accept": "text/html"})).status_code)
        print((await client.get("/a", headers={"User-Agent": "curl/8.5"})).status_code)

asyncio.run(serve())
wanting = {
    "redis": {"store": "redis://127.0.0.1"},
    "metrics": {"metrics": True},
    "evidence": {"evidence": {"url": "sqlite:////tmp/none.db"}, "watermark": {"enabled": True}},
    "images": {"media": {"marked": ["/images/"]}},
    "qr": {"share": {"targets": ["qr"]}},
}
for extra, values in wanting.items():
    try:
        asyncio.run(serve(**values))
    except (ImportError, SettingsError) as error:
        assert f"contentguard[{extra}]" in str(error), error
    else:
        raise AssertionError(extra)
"""
    )
    assert (done.returncode, done.stdout.split()) == (0, ["200", "403"]), done.stderr
