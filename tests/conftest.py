"""What every test has: no deadline for generated cases (machines are busy), and no settings from outside.

Of the generated cases every fourth is traced for coverage: all assert the same, and a traced one takes twice as long.
For a test that is not traced (``no_cover``) nothing is traced while its fixtures are set up, either.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import count
from typing import Any

import pytest
from coverage import Coverage
from hypothesis import settings

settings.register_profile("contentguard", deadline=None, print_blob=True)
settings.load_profile("contentguard")

TRACED = 4
"""Coverage is measured in one of so many cases of a property."""


UNTRACED = ("browser", "servers")
"""Folders of tests in which other programs ask and answer: what they run of the package, others measure."""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.upper().startswith("CONTENTGUARD_"):
            monkeypatch.delenv(variable)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage in ``UNTRACED``."""
    for item in items:
        if item.path.parent.name in UNTRACED:
            item.add_marker(pytest.mark.no_cover)


@contextmanager
def _untraced(measured: Coverage | None) -> Iterator[None]:
    if measured is None:
        yield
        return
    measured.stop()
    try:
        yield
    finally:
        measured.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Measure no coverage while the fixtures of a test are set up that is marked ``no_cover``."""
    with _untraced(Coverage.current() if item.get_closest_marker("no_cover") else None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage in some cases of a property only, and not in what generates them."""
    handle, measured = getattr(getattr(item, "obj", None), "hypothesis", None), Coverage.current()
    if handle is None or measured is None or item.get_closest_marker("no_cover"):
        return (yield)
    inner, numbers = handle.inner_test, count()

    @wraps(inner)
    def case(*args: Any, **named: Any) -> Any:
        if next(numbers) % TRACED:
            return inner(*args, **named)
        measured.start()
        try:
            return inner(*args, **named)
        finally:
            measured.stop()

    handle.inner_test = case
    try:
        with _untraced(measured):
            return (yield)
    finally:
        handle.inner_test = inner
