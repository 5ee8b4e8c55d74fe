"""The evidence log on SQLite and on PostgreSQL: the same contract, and what each may suffer."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy

from contentguard.backends import EvidenceError
from contentguard.backends.evidence import EvidenceLog
from tests.backends.evidence import KEY, EvidenceContract, issued
from tests.backends.postgres import PostgresServer

_NUMBERS = count()


class TestSQLite(EvidenceContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/evidence.sqlite"


class TestPostgreSQL(EvidenceContract):
    @pytest.fixture
    def url(self, postgres: PostgresServer) -> str:
        return postgres.url(f"contract{next(_NUMBERS)}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "evidence.sqlite"


@pytest.fixture
def log(file: Path) -> Iterator[EvidenceLog]:
    with closing(EvidenceLog(str(file), KEY)) as log:
        yield log


def test_nobody_else_on_the_machine_reads_it(log: EvidenceLog, file: Path) -> None:
    log.write([issued()])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_erased_is_not_left_in_the_file(log: EvidenceLog, file: Path) -> None:
    log.write([issued(agent="a very particular browser")])
    log.erase(serial=0)
    log.close()
    assert b"a very particular browser" not in file.read_bytes()


def test_a_deleted_file_is_made_again(log: EvidenceLog, file: Path) -> None:
    log.write([issued(1)])
    for path in file.parent.iterdir():
        path.unlink()
    log.write([issued(2)])
    assert [row.serial for row in log.rows()] == [2]


def test_an_unwritable_place_says_so_and_is_tried_again(tmp_path: Path) -> None:
    with closing(EvidenceLog(str(tmp_path / "later" / "e.sqlite"), KEY)) as log:
        with pytest.raises(EvidenceError, match="No such file or directory") as error:
            log.write([issued()])
        assert not error.value.refused
        (tmp_path / "later").mkdir()
        log.write([issued()])
        assert len(list(log.rows())) == 1


def test_what_is_no_database_is_left_as_it_is(file: Path) -> None:
    file.write_bytes(b"my holiday photographs" * 100)
    with closing(EvidenceLog(str(file), KEY)) as log, pytest.raises(EvidenceError, match="not a database"):
        log.write([issued()])
    assert file.read_bytes() == b"my holiday photographs" * 100


def test_a_full_disk_costs_what_came_then(log: EvidenceLog) -> None:
    def limited(connection: sqlalchemy.engine.interfaces.DBAPIConnection, record: object) -> None:
        connection.cursor().execute(f"PRAGMA max_page_count={pages[0]}")

    pages = [1]
    sqlalchemy.event.listen(log._engine, "connect", limited)
    pages[0] = 60
    with pytest.raises(EvidenceError, match="full") as error:
        log.write([issued(n, agent="x" * 200) for n in range(5000)])
    assert not error.value.refused
    pages[0] = 100_000
    log.write([issued(n) for n in range(5)])
    assert len(list(log.rows())) == 5


def test_a_log_that_is_only_read_is_not_made(file: Path) -> None:
    with closing(EvidenceLog(str(file), KEY, create=False)) as log, pytest.raises(EvidenceError, match="is not there"):
        list(log.rows())
    assert not file.exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://a/b", "://", "nothing://x"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="expected sqlite:///FILE, a path or postgresql://…, found"):
        EvidenceLog(url, KEY)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(ValueError, match="expected") as error:
        EvidenceLog("mysql://guard:hunter2@host/db", KEY)
    assert "hunter2" not in str(error.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ValueError, match="psycopg"):
        EvidenceLog("postgresql://guard@host/db", KEY)


def test_postgres_stops_and_comes_back(postgres: PostgresServer) -> None:
    with closing(EvidenceLog(postgres.url("stopping"), KEY)) as log:
        log.write([issued(1)])
        postgres.stop()
        try:
            for _ in range(2):
                with pytest.raises(EvidenceError) as error:
                    log.write([issued(2)])
                assert not error.value.refused
        finally:
            postgres.start()
        log.write([issued(3)])
        assert [row.serial for row in log.rows()] == [1, 3]


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with closing(EvidenceLog(str(tmp_path), KEY)) as log, pytest.raises(EvidenceError, match="directory"):
        log.write([issued()])
