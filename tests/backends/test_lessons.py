"""Lessons in SQLite: kept, replaced, bounded, shared by processes, and in nobody's way where they break."""

from __future__ import annotations

import gc
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.backends.lessons import Lessons, LessonsError, _numbers
from contentguard.comments.bayes import Lesson

features = st.lists(st.integers(0, 2**32 - 1), max_size=20).map(tuple)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), features, st.booleans()), max_size=20))
def test_the_latest_word_on_each_comment_is_kept_in_order(told: list[tuple[str, tuple[int, ...], bool]]) -> None:
    lessons, kept, revisions = Lessons(), dict[str, Lesson](), [0]
    for comment, numbers, spam in told:
        lessons.learn(comment, Lesson(numbers, spam))
        kept.pop(comment, None)
        kept[comment] = Lesson(numbers, spam)
        revisions.append(lessons.revision())
    assert revisions == sorted(set(revisions)), "every lesson is a new revision"
    assert lessons.all() == (revisions[-1], list(kept.values()))
    lessons.close()


def test_only_so_many_are_kept() -> None:
    lessons = Lessons(most=3)
    for number in range(10):
        lessons.learn(str(number), Lesson((number,), False))
    assert [lesson.features for lesson in lessons.all()[1]] == [(7,), (8,), (9,)]


def test_a_restart_and_another_process_find_them(tmp_path: Path) -> None:
    path = str(tmp_path / "lessons.db")
    one, other = Lessons(path), Lessons(path)
    one.learn("a", Lesson((1, 2), True))
    assert other.all() == (1, [Lesson((1, 2), True)])
    other.learn("b", Lesson((3,), False))
    assert one.revision() == 2
    one.close()
    one.learn("c", Lesson((4,), False))
    assert len(Lessons(path).all()[1]) == 3


def test_threads_may_share_one(tmp_path: Path) -> None:
    lessons = Lessons(str(tmp_path / "lessons.db"))

    def teach(name: int) -> None:
        for number in range(20):
            lessons.learn(f"{name} {number}", Lesson((name, number), True))

    threads = [threading.Thread(target=teach, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lessons.all()[1]) == 80
    lessons.close()


def test_what_breaks_says_so_and_is_there_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "there" / "lessons.db"
    lessons = Lessons(str(path))
    with pytest.raises(LessonsError, match="give no answer"):
        lessons.revision()
    path.parent.mkdir()
    path.write_bytes(b"no database at all, and longer than the header of one would be" * 20)
    with pytest.raises(LessonsError, match="not a database"):
        lessons.learn("a", Lesson((1,), True))
    path.unlink()
    lessons.learn("a", Lesson((1,), True))
    assert lessons.revision() == 1
    lessons.close()
    lessons.close()


def test_no_text_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "lessons.db"
    lessons = Lessons(str(path))
    lessons.learn("name", Lesson((1, 2**32 - 1), True))
    lessons.close()
    rows = sqlite3.connect(path).execute("SELECT * FROM lessons").fetchall()
    assert rows == [(1, "name", 1, bytes((1, 0, 0, 0, 255, 255, 255, 255)))]


def test_half_a_number_is_none() -> None:
    assert _numbers(bytes((1, 0, 0, 0, 9))) == (1,)


def test_nothing_is_left_open_by_who_forgets_to_close() -> None:
    """Python 3.13 warns of it, and no server without a lifespan ever closes anything."""
    lessons = Lessons()
    lessons.learn("a", Lesson((1,), True))
    connection = lessons._base()
    del lessons
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
