"""The decision path against requests that no client should send.

A million of them: ``python -m tests.fuzz requests``.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from contentguard.guard import Guard
from contentguard.model import MOST_HEADERS, Action, Facts, Standing
from tests.client import GPTBOT, get, guarded
from tests.fuzz.__main__ import main
from tests.fuzz.court import Tally, hunt
from tests.fuzz.requests import LARGEST, request, seeds

pytestmark = pytest.mark.no_cover
"""Long, and what it runs is covered by others: traced it would take twice as long."""

REQUESTS = 20_000
FAULTS = ("slow",)
"""What depends on the machine, and is for the command to say."""


@pytest.fixture(scope="module")
def run() -> tuple[Tally, Counter[str]]:
    tally = Tally()
    findings = hunt(1, REQUESTS, tally=tally, patient=False)
    found = Counter(str(finding) for finding in findings if finding.kind not in FAULTS)
    return tally, found


def test_no_request_breaks_its_verdict(run: tuple[Tally, Counter[str]]) -> None:
    tally, found = run
    assert tally.judged == REQUESTS
    assert found == Counter()


def test_the_changes_reach_deep(run: tuple[Tally, Counter[str]]) -> None:
    """Requests that are refused at the first look would find nothing."""
    tally, _ = run
    assert set(tally.actions) == {Action.ALLOW, Action.DENY, Action.THROTTLE, Action.WAIT}
    assert set(tally.identities) == set(Standing)
    assert len(tally.signals) > 50
    assert len(tally.rules) > 20
    assert min(tally.actions.values()) > 20
    assert tally.actions[Action.ALLOW] > REQUESTS / 3


def test_a_request_follows_from_its_dice_alone() -> None:
    for number in range(50):
        assert request(Random(f"1:{number}")) == request(Random(f"1:{number}"))
    assert len({str(request(Random(f"1:{number}")).scope) for number in range(50)}) == 50


def test_no_head_is_larger_than_servers_let_through() -> None:
    for number in range(500):
        pairs = request(Random(f"2:{number}")).scope["headers"]
        assert sum(len(value) for _, value in pairs) <= 2 * LARGEST


def test_what_goes_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = Guard.judged

    def broken(guard: Guard, facts: Facts, *rest: object) -> object:
        if facts.header(b"sec-fetch-site") == b"none":
            raise ZeroDivisionError
        return judged(guard, facts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Guard, "judged", broken)
    kinds = {finding.kind.partition(" in ")[0] for finding in hunt(1, 300, tally=Tally(), patient=False)}
    assert "ZeroDivisionError" in kinds


def test_the_command_reports(capsys: pytest.CaptureFixture[str]) -> None:
    main(["requests", "--requests", "60", "--block", "40", "--seed", "3"])
    said = capsys.readouterr().out
    for part in ("60 requests judged", "slowest verdict", "actions:", "signals:"):
        assert part in said


# -- what the hunt found -------------------------------------------------------------------------------------------


def test_more_header_lines_than_are_read_get_nothing_but_what_is_open() -> None:
    """A thousand lines took several milliseconds, and a rule about a header could not be sure to see its own."""
    app = guarded()
    crowd = [(f"x-{number}", "y") for number in range(MOST_HEADERS)]
    assert get(app, headers=crowd).status_code == 403
    assert get(app, headers=crowd[: MOST_HEADERS // 2]).status_code == 200
    assert get(app, "/robots.txt", headers=crowd).status_code == 200


def test_a_crowd_of_header_lines_makes_no_robot_a_reader() -> None:
    crowd = [(f"x-{number}", "y") for number in range(2 * MOST_HEADERS)]
    assert get(guarded(), headers=[*crowd, *GPTBOT.items()]).status_code == 403


def test_a_proxy_is_heard_behind_any_number_of_lines() -> None:
    """Who sends many lines before the proxy's own must not be counted as the proxy."""
    seen: list[Facts] = []
    app = guarded(proxies={"trusted": ["10.0.0.0/8"]}, hooks=(lambda facts, verdict: seen.append(facts),))
    crowd = [(f"x-{number}", "y") for number in range(2 * MOST_HEADERS)]
    get(app, headers=[*crowd, ("x-forwarded-for", "198.51.100.9")], client=("10.1.2.3", 1))
    assert [facts.client for facts in seen] == ["198.51.100.9"]
    assert len(seen[0].headers) == MOST_HEADERS + 1


def test_there_are_seeds_of_every_kind() -> None:
    assert len(seeds()) == 6
    assert min(map(len, seeds())) >= 24
