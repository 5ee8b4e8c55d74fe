"""Who asks: told by the headers, found again, never more than are remembered."""

from __future__ import annotations

import pytest

from contentguard.asgi.request import read_facts
from contentguard.guard import Guard
from contentguard.guard.callers import Caller
from contentguard.model import Action
from tests.client import CHROME, GPTBOT, http_scope, settings


def caller(guard: Guard, headers: dict[str, str]) -> Caller:
    return guard.caller(read_facts(http_scope(headers=headers), guard))


def test_one_reader_is_the_same_caller_on_every_page() -> None:
    guard = Guard(settings())
    one = caller(guard, {**CHROME, "cookie": "a=1", "referer": "https://news.example/"})
    assert one is caller(guard, {**CHROME, "cookie": "b=22", "referer": "https://news.example/other"})
    assert one is not caller(guard, CHROME)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, (False, False, False)),
        ({"accept-encoding": "gzip, br"}, (False, True, False)),
        ({"accept-encoding": "gzip;q=0"}, (False, False, False)),
        ({"if-none-match": '"a"'}, (False, False, True)),
        ({"signature-input": "sig1=()"}, (True, False, False)),
        (GPTBOT, (True, False, False)),
    ],
)
def test_what_the_headers_say(more: dict[str, str], said: tuple[bool, bool, bool]) -> None:
    found = caller(Guard(settings()), {**CHROME, **more})
    assert (found.may_wait, found.gzips, found.conditional) == said


def test_a_limit_on_requests_is_asked_for_everybody() -> None:
    assert caller(Guard(settings(limits={"requests": "1/minute"})), CHROME).may_wait


def test_a_verdict_is_kept_for_those_who_ask_alike_and_for_one_guard_only() -> None:
    guard, other = Guard(settings()), Guard(settings())
    facts = read_facts(http_scope(), guard)
    _, verdict = guard.judged(facts)
    assert guard.judged(facts)[1] is verdict
    assert verdict.action is Action.ALLOW
    assert caller(guard, CHROME).verdicts == {(): verdict}
    assert caller(other, CHROME).verdicts == {}


def test_callers_are_forgotten_when_there_are_too_many_and_large_ones_at_once() -> None:
    guard = Guard(settings())
    one = caller(guard, CHROME)
    for number in range(1024):
        caller(guard, {"user-agent": f"browser {number}"})
    assert caller(guard, CHROME) is not one
    large = {**CHROME, "x-large": "a" * 3000}
    assert caller(guard, large) is not caller(guard, large)
