"""What the weights in use are held to: programs are caught, browsers are not hurt, and no tool is singled out."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from contentguard.detect.weights import document, weights
from tests.calibrate.__main__ import main
from tests.calibrate.clients import CONDITIONS, browsers, drawn, kept, programs
from tests.calibrate.fit import Row, fit, learned, program_rows, reader_rows, refitted, supported
from tests.calibrate.judge import PLAYINGS, alarms, at_most, caught, drawn_alarms, noticed, weighed

POSING = [capture for capture in programs() if capture.poses]
ROWS, READERS = program_rows(POSING), reader_rows()
FAMILIES = sorted({capture.stack for capture in POSING})
NOTICED = noticed(POSING)
NOTICED_KEPT = noticed(capture for capture in kept() if capture.poses)


def test_there_is_something_to_learn_from() -> None:
    assert len(POSING) >= 150
    assert len(FAMILIES) >= 18
    assert {capture.stack for capture in browsers()} >= {"chromium", "firefox", "epiphany", "qtwebengine"}
    assert sum(count for count, _ in drawn()) >= 5000


@pytest.mark.parametrize("playing", PLAYINGS)
def test_programs_that_pose_as_browsers_are_caught_within_two_articles(playing: str) -> None:
    visits = [visit for family in NOTICED.values() for visit in family[playing]]
    assert caught(visits, weights()) >= 0.95 * len(visits)


def test_what_is_kept_back_is_something_else() -> None:
    posing = [capture for capture in kept() if capture.poses]
    assert len(posing) >= 400
    assert len({capture.stack for capture in posing} - set(FAMILIES)) >= 10
    learned_from = [capture.requests for capture in POSING]
    assert not [capture.client for capture in posing if capture.requests in learned_from]


@pytest.mark.parametrize("playing", PLAYINGS)
def test_programs_that_nothing_was_learned_from_are_caught_within_two_articles(playing: str) -> None:
    visits = [visit for family in NOTICED_KEPT.values() for visit in family[playing]]
    assert caught(visits, weights()) >= 0.95 * len(visits)


@pytest.mark.parametrize("playing", PLAYINGS)
def test_programs_with_a_whole_header_set_and_a_referrer_are_caught_by_going_on_from_a_page_never_shown(
    playing: str,
) -> None:
    adapted = noticed(capture for capture in kept() if capture.poses and "-ref" in capture.client)
    visits = [visit for family in adapted.values() for visit in family[playing]]
    assert len(visits) >= 40
    assert len(adapted) >= 12
    assert caught(visits, weights()) >= 0.95 * len(visits)
    without = [[found - {"went-on-unshown"} for found in articles] for articles in visits]
    assert caught(without, weights()) < 0.8 * len(visits)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_caught_with_weights_learned_from_the_others(family: str) -> None:
    used = weighed(refitted(ROWS, READERS, without=family))
    visits = [visit for playing in NOTICED[family].values() for visit in playing]
    assert caught(visits, used) >= 0.95 * len(visits)


@pytest.mark.parametrize("gap", [None, 0.1, 30.0])
def test_no_browser_is_ever_refused(gap: float | None) -> None:
    for name, row in alarms(weights(), rounds=6, gap=gap).items():
        assert row.refused == 0, name


def test_no_browser_as_it_is_loses_more_than_its_first_paragraphs_nor_even_those() -> None:
    table = alarms(weights())
    for name in ("as it is", "saves data", "asks not to be tracked", "cookies blocked", "no language", "no hints"):
        assert table[name].lead == 0, name
    stripped = [name for name in CONDITIONS if name.startswith("proxy ")]
    assert len(stripped) == 5
    assert all(table[name].lead == 0 for name in stripped)


@pytest.mark.parametrize("gap", [None, 0.1, 30.0])
def test_no_browser_that_nothing_was_learned_from_is_ever_refused(gap: float | None) -> None:
    table = alarms(weights(), rounds=6, gap=gap, captures=[*kept(tool="browser"), *kept(tool="altered")])
    assert table["as it is"].articles >= 200
    for name, row in table.items():
        assert row.refused == 0, name


def test_browsers_that_nothing_was_learned_from_lose_nothing_as_they_are_or_behind_a_proxy_that_strips() -> None:
    for name, row in alarms(weights(), captures=kept(tool="browser")).items():
        if name.startswith(("as it is", "proxy ", "asks not", "cookies blocked")):
            assert row.lead == 0, name


def test_the_model_of_visitors_is_left_alone() -> None:
    model = drawn_alarms(weights())
    assert model.lead / model.articles < 0.005
    assert model.refused == 0


def test_the_weights_in_use_are_those_that_the_captures_teach() -> None:
    used = {name: document()["signals"][name]["weight"] for name in learned()}
    assert used == pytest.approx(refitted(ROWS, READERS), abs=0.11)


def test_no_weight_was_moved_by_one_family_alone() -> None:
    shown = supported(ROWS)
    for name, prior in learned().items():
        if document()["signals"][name]["weight"] != prior:
            assert len(shown[name]) >= 2, name


def test_the_fit_moves_with_the_evidence_and_stays_where_there_is_none() -> None:
    priors = {"seen": 1.0, "unseen": 1.0, "of-readers": 1.0}
    rows = [
        *(Row(frozenset({"seen"}), True, str(n), 1.0) for n in range(30)),
        Row(frozenset({"of-readers"}), False, "readers", 0.3),
        Row(frozenset(), False, "readers", 0.7),
    ]
    weights_ = fit(rows, priors)
    assert weights_["seen"] > 1.3
    assert weights_["unseen"] == 1.0
    assert weights_["of-readers"] < 0.7


@pytest.mark.parametrize(
    ("hits", "trials", "bound"),
    [(0, 30_000, 1e-4), (0, 59, 0.0495), (1, 20, 0.2161), (5, 5, 1.0), (10, 100, 0.1637)],
)
def test_upper_bounds(hits: int, trials: int, bound: float) -> None:
    """Against published tables; with no hit it is the rule of three."""
    assert math.isclose(at_most(hits, trials), bound, rel_tol=0.01)


def test_the_command_reports(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    agents = tmp_path / "agents.json"
    agents.write_text('["Mozilla/5.0 Firefox/1.0", ""]', "utf-8")
    assert main(["--agents", str(agents)]) == 0
    told = capsys.readouterr().out
    for part in (
        "learned signals",
        "recall within two articles",
        "kept back",
        "browsers, by condition",
        "2 User-Agents",
    ):
        assert part in told
