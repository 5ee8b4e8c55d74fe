"""What readers and editors write, kept in a file: queues, decisions, and what a crash leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from examples.news.database import Database, New, Status

T = TypeVar("T")
ROOT = Path(__file__).parents[3]


def new(text: str = "Well said.", status: Status = Status.PENDING, **other: Any) -> New:
    values: dict[str, Any] = {
        "slug": "tide",
        "parent": 0,
        "author": "Ada",
        "email": "ada@example.com",
        "url": "",
        "text": text,
        "created": 100.0,
        "status": status,
        "decision": "hold",
        "submission": {"article": "/news/tide", "text": text},
        "reasons": [["links", 1.0, "two links"]],
        "score": 1.0,
    }
    return New(**{**values, **other})


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_a_comment_goes_through_the_queues_in_an_editors_name(tmp_path: Path) -> None:
    async def story() -> None:
        database = Database(tmp_path / "comments.sqlite3")
        id_ = await database.add(new())
        assert await database.of_article("tide") == ()
        assert [one.pending for one in await database.of_article("tide", [id_])] == [True]
        assert (await database.counts())[Status.PENDING] == 1
        await database.move(id_, Status.APPROVED, "grace", 200.0)
        filed = await database.get(id_)
        assert filed is not None
        assert (filed.status, filed.before, filed.moderator, filed.moderated) == (
            Status.APPROVED,
            "pending",
            "grace",
            200.0,
        )
        assert filed.reasons == (("links", 1.0, "two links"),)
        assert [one.text for one in await database.of_article("tide")] == ["Well said."]
        assert await database.approved_before("Ada", "ada@example.com")
        assert not await database.approved_before("Ada", "other@example.com")
        assert not await database.approved_before("Ada", "")
        await database.delete(id_)
        assert await database.get(id_) is not None, "what is published is not deleted by mistake"
        await database.move(id_, Status.TRASH, "grace", 300.0)
        await database.delete(id_)
        assert await database.get(id_) is None
        await database.close()

    run(story())


def test_what_is_kept_is_there_after_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "comments.sqlite3"

    async def first() -> str:
        database = Database(path)
        await database.add(new(status=Status.APPROVED))
        await database.set_password("ada", "hash")
        await database.close_comments("reef", "ada", 1.0)
        secret = await database.secret("cookies")
        assert secret == await database.secret("cookies")
        await database.close()
        return secret

    async def second() -> tuple[str, int, str | None, frozenset[str]]:
        database = Database(path)
        found = len(await database.of_article("tide")), await database.password("ada"), await database.closed()
        secret = await database.secret("cookies")
        await database.open_comments("reef")
        assert await database.closed() == frozenset()
        await database.close()
        return secret, *found

    secret = run(first())
    assert run(second()) == (secret, 1, "hash", frozenset({"reef"}))


def test_what_waits_for_a_service_is_due_once_and_an_editor_is_faster(tmp_path: Path) -> None:
    async def story() -> None:
        database = Database()
        late, soon = [await database.add(new(recheck_at=at)) for at in (500.0, 400.0)]
        assert [one.id for one in await database.due(450.0)] == [soon]
        assert [one.id for one in await database.due(600.0)] == [soon, late]
        after = {
            "decision": "{}",
            "reasons": [["akismet", 0.0, "ham"]],
            "score": 0.0,
            "recheck_at": None,
            "submission": {},
        }
        await database.decided(soon, Status.APPROVED, after)
        await database.move(late, Status.SPAM, "ada", 550.0)
        await database.decided(late, Status.APPROVED, after)
        assert await database.due(9999.0) == ()
        kept = {one.id: one.status for one in await database.filed([soon, late])}
        assert kept == {soon: Status.APPROVED, late: Status.SPAM}
        await database.forget_spam(50.0)
        assert len(await database.filed([soon, late])) == 2
        await database.forget_spam(150.0)
        assert [one.id for one in await database.filed([soon, late])] == [soon]
        await database.close()

    run(story())


def test_a_text_is_text_whatever_is_in_it(tmp_path: Path) -> None:
    async def story() -> None:
        database = Database()
        texts = ["'); DROP TABLE comments; --", "a:b :slug", "\ufffd\u202e", "😀" * 10_000]
        for text in texts:
            await database.add(new(text, Status.APPROVED))
        assert [one.text for one in await database.of_article("tide")] == texts
        await database.close()

    run(story())


WRITER = """
import asyncio, sys
from pathlib import Path
from examples.news.database import Database
from tests.examples.news.test_database import new, Status

async def write():
    database = Database(Path(sys.argv[1]))
    for number in range(100_000):
        await database.add(new(f"comment {number}", Status.APPROVED))
        print(number, flush=True)

asyncio.run(write())
"""


def test_a_killed_server_loses_no_comment_that_was_answered(tmp_path: Path) -> None:
    path = tmp_path / "comments.sqlite3"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=environment) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            assert writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        answered = 19 + len(writer.stdout.read().split())

    async def kept() -> int:
        database = Database(path)
        found = len(await database.of_article("tide"))
        await database.close()
        return found

    assert run(kept()) >= answered


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is a text, and quite long enough to be taken for a file of something else.")
    for path in (tmp_path / "nowhere" / "comments.sqlite3", tmp_path, tmp_path / "text"):
        with pytest.raises(OSError, match="expected a SQLite file that can be written, found: "):
            run(Database(path).counts())
