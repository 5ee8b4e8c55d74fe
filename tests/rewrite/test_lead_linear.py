"""The time it takes to divide a page grows with its size and no faster, also where all of it has to be cleaned.

Only ratios are held to a bound.
"""

from __future__ import annotations

import pytest

from contentguard.rewrite.plan import Plan
from tests.rewrite.divided import plan_of
from tests.rewrite.test_linear import GROWN, UNITS, timed

pytestmark = pytest.mark.no_cover
"""Long, and what it runs is covered by others: traced it would take twice as long."""

SMALL, LARGE = 20_000, 80_000
SLACK = 0.015
ATTEMPTS = 15
_NAMES = (
    "angles comments bogus-opened scripts textareas svg paragraphs paragraph-ends bold-closed misnested links items "
    "tables divs breaks images references words spaces templates odd-ends"
)
MORE = {
    "json": b'{"a":"b"},',
    "base64": b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2w ",
    "escapes": b"\\u0041",
    "percent": b"%41%20",
    "twice": b"&amp;amp;",
    "linked": b'<script type="application/ld+json">{"@type":"Article"}</script>',
    "linked-opened": b"<script ld+json ",
    "attributes": b" a='b c d e f g h i j k l m'",
}
ALL = {**{name: UNITS[name] for name in _NAMES.split() if name in UNITS}, **MORE}
PLACES = {
    "rest": "{head}<article>{lead}{rest}{units}</article>",
    "kept": "{head}<article>{units}{lead}{rest}</article>",
    "tail": "{head}<article>{lead}{rest}</article><p>{units}",
    "value": "{head}<article>{lead}{rest}</article><p title='{units}'>x",
    "tag": "{head}<article>{lead}{rest}</article><p {units}>x",
    "script": "{head}<article>{lead}{rest}</article><script>{units}</script>",
}


def text(words: int, start: int) -> str:
    return " ".join(f"w{start + number}" for number in range(words))


def plan(place: str, unit: bytes, size: int) -> Plan:
    """The plan of a page that repeats its rest in a comment, so that all of it is looked through."""
    units = unit.replace(b"'", b"") if place == "value" else unit
    head = f"<!doctype html><head><title>T</title><!-- {text(60, 100)} --></head><body>"
    lead, rest = f"<p>{text(60, 0)}</p>", f"<p>{text(60, 100)}</p><p>{text(60, 200)}</p>"
    page = PLACES[place].format(head=head, lead=lead, rest=rest, units=units.decode() * (size // len(unit)))
    return plan_of(page.encode())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ALL)
def test_time_is_linear(name: str, place: str) -> None:
    short = long = float("inf")
    for _ in range(ATTEMPTS):
        for size in (SMALL, LARGE):
            made = plan(place, ALL[name], size)
            took, _ = timed(lambda made=made: made.division)  # type: ignore[misc]
            short, long = (min(short, took), long) if size == SMALL else (short, min(long, took))
        if long < GROWN * short + SLACK:
            return
    pytest.fail(f"{SMALL} bytes {short:.3f} s, {LARGE} bytes {long:.3f} s")
