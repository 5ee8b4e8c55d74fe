"""The running servers. Each lives as long as the tests that use it, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.apps import DOWNLOAD
from tests.servers.harness import Server, news, server_command, serving

APP = "tests.servers.apps:app"
WITH_LIFESPAN = {
    "uvicorn": ("uvicorn", APP, "--lifespan", "on"),
    "hypercorn": ("hypercorn", APP),
    "granian": ("granian", APP, "--interface", "asgi"),
}
WITHOUT_LIFESPAN = {
    "uvicorn-lifespan-off": ("uvicorn", APP, "--lifespan", "off"),
    "hypercorn-app-without": ("hypercorn", "tests.servers.apps:app_without_lifespan"),
    "granian-asginl": ("granian", APP, "--interface", "asginl"),
}


@pytest.fixture(scope="session")
def download(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of five megabytes that no server can keep in one piece."""
    path = tmp_path_factory.mktemp("download") / "tide-tables.bin"
    path.write_bytes(hashlib.shake_256(b"tide").digest(5 * 2**20))
    return path


@pytest.fixture(scope="session", params=WITH_LIFESPAN)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, download: Path
) -> Iterator[Server]:
    """The guarded test site on every server."""
    log = tmp_path_factory.mktemp("server") / "log"
    command = server_command(*WITH_LIFESPAN[request.param])
    with serving(command, log, **{DOWNLOAD: str(download)}) as running:
        yield running


@pytest.fixture(scope="session", params=WITHOUT_LIFESPAN)
def lifeless(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same where no lifespan runs."""
    log = tmp_path_factory.mktemp("lifeless") / "log"
    with serving(server_command(*WITHOUT_LIFESPAN[request.param]), log) as running:
        yield running


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example news server as it comes."""
    with news(tmp_path_factory.mktemp("guarded") / "log") as running:
        yield running


@pytest.fixture(scope="session")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example news server without the guard."""
    with news(tmp_path_factory.mktemp("unguarded") / "log", "--unguarded") as running:
        yield running
