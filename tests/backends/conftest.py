"""A redis-server for the tests that need no other than theirs to be left alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.akismet_server import FakeAkismet, akismet_server
from tests.backends.postgres import PostgresServer, postgres_server
from tests.backends.servers import RedisServer, redis_server


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for the whole run; tests keep apart by prefixes. A skip, in CI a failure, where there is no redis-server."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One for the whole run; each test has a database of its own. A skip, in CI a failure, without PostgreSQL."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def _akismet() -> Iterator[FakeAkismet]:
    with akismet_server() as fake:
        yield fake


@pytest.fixture
def akismet(_akismet: FakeAkismet) -> FakeAkismet:
    """A fake Akismet under a real server, as new."""
    _akismet.reset()
    return _akismet
