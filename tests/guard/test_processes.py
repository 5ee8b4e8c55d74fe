"""How many processes serve a site, as far as can be found out; and what is said where they share nothing."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.guard.processes import processes, said
from tests.client import guarded
from tests.servers.harness import server_command, serving

MAIN = "MainProcess"


@pytest.mark.parametrize(
    ("variables", "words", "name", "number"),
    [
        ({}, ["uvicorn", "app:app"], MAIN, 1),
        ({"WEB_CONCURRENCY": "4"}, ["uvicorn", "app:app"], MAIN, 4),
        ({"WEB_CONCURRENCY": "many"}, [], MAIN, 1),
        ({"WEB_CONCURRENCY": "0"}, [], MAIN, 1),
        ({"WEB_CONCURRENCY": "9" * 9}, [], MAIN, 1024),
        ({}, ["/venv/bin/uvicorn", "app:app", "--workers", "3"], MAIN, 3),
        ({}, ["/x/uvicorn/__main__.py", "app:app", "--workers=3"], "SpawnProcess-1", 3),
        ({}, ["hypercorn", "-w", "2", "app:app"], MAIN, 2),
        ({}, ["gunicorn", "-w8", "app:app"], MAIN, 8),
        ({}, ["gunicorn", "app:app", "-w"], MAIN, 1),
        ({"GUNICORN_CMD_ARGS": "--bind=127.0.0.1 --workers=6"}, ["gunicorn"], MAIN, 6),
        ({"GUNICORN_CMD_ARGS": "'"}, ["gunicorn"], MAIN, 1),
        ({}, ["granian", "--workers", "2", "app:app"], MAIN, 2),
        ({}, ["my-own-program", "-w", "80"], MAIN, 1),
        ({}, [], "SpawnProcess-1", 1),
        ({}, [], "SpawnProcess-3", 2),
        ({}, [], "ForkProcess-2", 2),
    ],
)
def test_what_tells(variables: dict[str, str], words: list[str], name: str, number: int) -> None:
    assert said(variables, words, name) == number


@given(st.dictionaries(st.sampled_from(["WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"]), st.text()), st.lists(st.text()))
def test_whatever_is_said_it_is_a_number(variables: dict[str, str], words: list[str]) -> None:
    assert 1 <= said(variables, ["uvicorn", *words], MAIN) <= 1024


def test_several_that_share_nothing_are_warned(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.WARNING, "contentguard"):
        guarded()
        assert "share no store" not in caplog.text
        monkeypatch.setenv("WEB_CONCURRENCY", "3")
        app = guarded(reading={"mode": "progressive"})
    assert "at least 3 processes serve this site and share no store" in caplog.text
    admissions = app.guard.admissions
    assert admissions is not None
    assert admissions.ceiling.processes == 3
    assert admissions.governor.budget == pytest.approx(10_000 / 3), "each has its part of the budget"


def test_with_a_store_there_is_nothing_to_warn_of(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "3")
    with caplog.at_level(logging.WARNING, "contentguard"):
        guarded(store="redis://127.0.0.1:1")
    assert "share no store" not in caplog.text


def test_uvicorn_s_workers_say_so(tmp_path: Path) -> None:
    """Each is a child that was spawned, and reads its parent's command line."""
    log = tmp_path / "log"
    with serving(server_command("uvicorn", "tests.servers.apps:app", "--workers", "2"), log):
        pass
    assert "at least 2 processes serve this site and share no store" in log.read_text("utf-8")


def test_one_worker_says_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(server_command("uvicorn", "tests.servers.apps:app"), log):
        pass
    assert "share no store" not in log.read_text("utf-8")


def test_here_nothing_tells() -> None:
    assert processes() == 1
