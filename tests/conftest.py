"""What every test has: no deadline for generated cases (machines are busy), and no settings from outside.

Coverage costs as much as the tests themselves. So of a test with many cases, generated or listed, all are traced only
while they run something that no test before has run; of the rest one in so many. All assert the same, traced or not.
For a test that is not traced nothing is traced while its fixtures are set up, either.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest
from coverage import Coverage
from hypothesis import settings

settings.register_profile("contentguard", deadline=None, print_blob=True)
settings.load_profile("contentguard")

PATIENCE = 4
"""So many traced cases in a row without anything new, and only some of those that follow are traced:"""
TRACED = 4
"""one in so many of those that are listed (by ``parametrize``),"""
GENERATED = 8
"""and one in so many of those that are generated (by Hypothesis)."""

UNTRACED = ("browser", "servers")
"""Folders of tests in which other programs ask and answer: what they run of the package, others measure."""
LONGEST = (
    "rewrite/test_corpus",
    "rewrite/test_linear",
    "servers/test_comments",
    "fuzz/test_requests",
    "rewrite/test_lead",
    "servers/test_scrapers",
    "backends/test_memory",
    "rewrite/test_lead_linear",
    "servers/test_outages",
    "admission/test_governor",
    "detect/test_sessions",
    "servers/test_progressive",
    "policy/test_compiled",
    "browser/test_reading",
    "detect/test_aggregates",
    "cli/test_replay",
    "backends/test_akismet",
    "guard/test_ceiling",
)
"""Files that take long, those that compute between those that wait. They come first, so that when several processes
share the files none is left with one of them at the end (``--dist loadfile --no-loadscope-reorder``)."""


class Cases:
    """The cases of one test: which are traced."""

    def __init__(self, one_in: int) -> None:
        self._one_in = one_in
        self._number = self._dull = 0

    def worth(self) -> bool:
        """Whether the next case is to be traced."""
        self._number += 1
        return self._dull < PATIENCE or self._number % self._one_in == 0

    @contextmanager
    def watched(self, measured: Coverage) -> Iterator[None]:
        """A case that is traced."""
        before = _seen(measured)
        yield
        self._dull = 0 if _seen(measured) > before else self._dull + 1


def _seen(measured: Coverage) -> int:
    """How much of the package has been run, in whatever coverage counts."""
    collector = measured._collector
    return sum(map(len, collector.data.copy().values())) if collector else 0


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.upper().startswith("CONTENTGUARD_"):
            monkeypatch.delenv(variable)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put ``LONGEST`` first, and measure no coverage in ``UNTRACED``."""
    places = {f"{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get("/".join(item.path.parts[-2:]), len(places)))
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


_listed: defaultdict[str, Cases] = defaultdict(lambda: Cases(TRACED))
_SPARED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure no coverage in some cases of a test that lists many, from their fixtures to their end."""
    measured = Coverage.current()
    if measured is None or item.get_closest_marker("no_cover") or not hasattr(item, "callspec"):
        return (yield)
    cases = _listed[item.nodeid.partition("[")[0]]
    item.stash[_SPARED] = not cases.worth()
    with _untraced(measured) if item.stash[_SPARED] else cases.watched(measured):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Measure no coverage while the fixtures of a test are set up that is marked ``no_cover``."""
    with _untraced(Coverage.current() if item.get_closest_marker("no_cover") else None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage in some cases of a property only, and not in what generates them."""
    handle, measured = getattr(getattr(item, "obj", None), "hypothesis", None), Coverage.current()
    spared = item.stash.get(_SPARED, False) or item.get_closest_marker("no_cover")
    if handle is None or measured is None or spared:
        return (yield)
    inner, cases = handle.inner_test, Cases(GENERATED)

    @wraps(inner)
    def case(*args: Any, **named: Any) -> Any:
        if not cases.worth():
            return inner(*args, **named)
        measured.start()
        try:
            with cases.watched(measured):
                return inner(*args, **named)
        finally:
            measured.stop()

    handle.inner_test = case
    try:
        with _untraced(measured):
            return (yield)
    finally:
        handle.inner_test = inner
