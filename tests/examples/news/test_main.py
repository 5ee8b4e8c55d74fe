"""The command: what it says when all is well, and how it fails."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette

from examples.news import __main__ as command
from examples.news.content import load
from examples.news.serve import build

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "examples.news")


@pytest.fixture(autouse=True)
def kept_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test leaves a file of comments in the checkout."""
    monkeypatch.setattr(command, "DATABASE", tmp_path / "comments.sqlite3")


def test_a_bad_content_folder_exits_2_with_the_message(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--content", str(tmp_path / "nowhere"), "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "no such folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_serves_on_a_free_port_and_stops_on_a_signal(folder: Path) -> None:
    server = subprocess.Popen(
        [*COMMAND, "--unguarded", "--port", "0", "--content", str(folder), "--database", str(folder / "kept.sqlite3")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert server.stdout is not None
    try:
        greeting = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", greeting)
        assert found, greeting
        assert "NOT guarded, 12 articles" in greeting
        with urllib.request.urlopen(f"{found[0]}/news/story-0", timeout=20) as answer:
            page = answer.read().decode()
            assert "server" not in {name.lower() for name in answer.headers}
        assert f'<link rel="canonical" href="{found[0]}/news/story-0">' in page
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
        server.stdout.close()


def run(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> tuple[int, str]:
    """Run the command in this process; return status and what it said on stderr."""
    status = command.main(["--content", str(folder), "--port", "0", *options])
    return status, capsys.readouterr().err


def test_faults_are_told_in_plain_words(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    cases = {
        ("--origin", "gazette.example"): "expected an origin",
        ("--settings", str(tmp_path / "none.toml")): "There is no settings file",
        ("--unguarded", "--ssl-keyfile", str(bad)): "needs --ssl-certfile",
        ("--unguarded", "--ssl-certfile", str(bad)): "Cannot use the certificate",
        ("--unguarded", "--host", "host.invalid"): "Cannot listen on host.invalid",
    }
    for options, message in cases.items():
        status, said = run(capsys, folder, *options)
        assert status == 2, options
        assert message in said


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_an_impossible_port_is_told(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as left:
        command.main(["--unguarded", f"--port={port}"])
    assert left.value.code == 2
    assert port in capsys.readouterr().err


def test_a_port_in_use_is_told(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = run(capsys, folder, "--unguarded", "--port", str(taken.getsockname()[1]))
    assert status == 2
    assert "Try --port 0" in said


def test_the_greeting_names_four_things_to_try(folder: Path) -> None:
    said = command.greeting("http://127.0.0.1:1", load(folder), "secret", guarded=True)
    assert "(guarded, 12 articles)" in said
    for part in (
        "http://127.0.0.1:1/news/story-0",
        "curl -i ",
        "/robots.txt",
        "/desk (name: editor, password: secret)",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("options", "origin"),
    [
        ([], "http://127.0.0.1:{port}"),
        (["--host", "0.0.0.0"], "http://127.0.0.1:{port}"),
        (["--host", "localhost"], "http://localhost:{port}"),
        (["--ssl-certfile", "x.pem"], "https://127.0.0.1:{port}"),
        (["--origin", "https://news.example/"], "https://news.example"),
    ],
)
def test_the_origin_is_what_a_browser_can_open(options: list[str], origin: str) -> None:
    parsed = command.parser().parse_args(options)
    with command.bind(parsed.host, 0) as listener:
        port = listener.getsockname()[1]
        assert command._origin(parsed, listener) == origin.format(port=port)


def test_help_shows_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command.main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    for option in (
        "host",
        "port",
        "content",
        "settings",
        "unguarded",
        "origin",
        "ssl-certfile",
        "ssl-keyfile",
    ):
        assert f"--{option}" in said


class WrongError(Exception):
    """Stands for the package's SettingsError."""


def test_the_guard_gets_the_settings_file_and_the_origin(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[object] = []

    class Settings:
        @staticmethod
        def load(path: Path | None, **overrides: object) -> object:
            seen.extend([path, overrides])
            if path == folder / "wrong.toml":
                raise WrongError("two things\nare wrong")
            return "settings"

    def middleware(app: object, *, settings: object) -> object:
        return SimpleNamespace(app=type(app).__name__, settings=settings, comments=None)

    fake = SimpleNamespace(Settings=Settings, SettingsError=WrongError, ContentGuardMiddleware=middleware)
    monkeypatch.setitem(sys.modules, "contentguard", fake)
    guarded: object = build(folder, origin="https://a.example", settings_file=folder / "right.toml")
    assert guarded == SimpleNamespace(app="Starlette", settings="settings", comments=None)
    assert seen == [folder / "right.toml", {"origin": "https://a.example"}]
    build(folder, origin="https://a.example", settings_file=folder / "right.toml", database=folder / "kept")
    assert seen[3] == {"origin": "https://a.example", "comments": {"lessons": f"{folder / 'kept'}.lessons"}}
    (folder / "wrong.toml").write_text("")
    assert run(capsys, folder, "--settings", str(folder / "wrong.toml")) == (2, "two things\nare wrong\n")


def test_build_without_the_guard_needs_no_package(folder: Path) -> None:
    assert isinstance(build(folder, origin="http://127.0.0.1:1", unguarded=True), Starlette)
