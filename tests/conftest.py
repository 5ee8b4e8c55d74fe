"""What every test has: no deadline for generated cases (machines are busy), and no settings from outside.

Of the generated cases every fourth is traced for coverage: all assert the same, and a traced one takes twice as long.
"""

from __future__ import annotations

import os
from collections.abc import Generator
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


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.upper().startswith("CONTENTGUARD_"):
            monkeypatch.delenv(variable)


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
    measured.stop()
    try:
        return (yield)
    finally:
        handle.inner_test = inner
        measured.start()
