"""Recorded traffic under a policy, against the one in force."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from contentguard import Facts, Signal
from contentguard.cli import main
from contentguard.cli.logs import LONGEST
from contentguard.cli.senses import Senses
from contentguard.detect.weights import weights
from contentguard.policy.presets import THRESHOLDS
from tests.client import CHROME

GPTBOT = "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BROWSER = CHROME["user-agent"]
LEAD = """
[[policy.rules]]
name = "lead-only"
when = { purpose = "reader", score = { at_least = "lead-only", below = "refuse" } }
action = "lead"
"""


def line(path: str, agent: str = BROWSER, status: int = 200, second: int = 0, client: str = "192.0.2.7") -> str:
    time = f"10/Oct/2026:13:{second // 60:02}:{second % 60:02} +0000"
    return f'{client} - - [{time}] "GET {path} HTTP/1.1" {status} 9 "-" "{agent}"\n'


def found(tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: Iterable[str], *options: str, **more: Any) -> Any:
    log = tmp_path / "access.log"
    log.write_text("".join(lines))
    assert main(["replay", str(log), "--json", *options], *more.values()) == 0
    return json.loads(capsys.readouterr().out)


def policy(tmp_path: Path, toml: str, name: str = "try.toml") -> str:
    (tmp_path / name).write_text(toml)
    return str(tmp_path / name)


def test_by_class_rule_and_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        line("/news/a"),
        line("/news/a", GPTBOT),
        line("/news/b", GPTBOT, 403),
        line("/a.css", "curl/8"),
        line("/news/a", "curl/8"),
        line("/news/a", "Slackbot-LinkExpanding 1.0"),
        line("/news/c", status=403),
    ]
    report = found(tmp_path, capsys, lines)
    assert report["requests"] == 7
    assert report["classes"] == {
        "reader": {"full": 2},
        "ai-training": {"deny": 2},
        "tool": {"full": 1, "deny": 1},
        "link-preview": {"head": 1},
    }
    assert report["rules"]["rights.ai-training"] == {"deny": 2}
    assert ["/news/a", "deny", 2, 0] in report["paths"]
    # Against the log: it was served, or refused. A head is served too.
    assert {(c["before"], c["after"], c["rule"], c["requests"], c["example"]) for c in report["changes"]} == {
        ("served", "deny", "rights.ai-training", 1, "/news/a"),
        ("served", "deny", "rights.tool", 1, "/news/a"),
        ("deny", "full", "readers", 1, "/news/c"),
    }


def test_against_the_policy_in_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trying = policy(
        tmp_path,
        '[policy.rights]\nai-training = "charge"\n[[policy.rules]]\nname = "archive"\naction = "head"\n'
        'when = { path = "/archive/" }\n[[policy.rules]]\nname = "tried"\naction = "deny"\nshadow = true\n',
    )
    force = policy(tmp_path, "", "now.toml")
    lines = [line("/archive/a"), line("/archive/b"), line("/news/a"), line("/x", GPTBOT)]
    report = found(tmp_path, capsys, lines, "--settings", trying, "--against", force)
    assert report["against"] == force
    assert [(c["before"], c["after"], c["rule"], c["requests"]) for c in report["changes"]] == [
        ("full", "head", "archive", 2),
        ("deny", "charge", "rights.ai-training", 1),
    ]
    assert report["shadow"] == {"tried": 2}


def test_limits_are_replayed_on_the_clock_of_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trying = policy(
        tmp_path,
        """
        limits = { articles = "3/minute" }
        [[policy.rules]]
        name = "slowly"
        action = "throttle"
        limit = "2/minute"
        when = { path = "/archive/" }
        [[policy.rules]]
        name = "paced"
        action = "wait"
        when = { path = "/slow/" }
        """,
    )
    lines = [line(f"/archive/{n}.css", second=n) for n in range(5)]
    lines += [line(f"/news/{n}", second=n, client="192.0.2.8") for n in range(5)]
    lines += [line(f"/slow/{n}", second=n, client="192.0.2.9") for n in range(3)]
    lines += [line("/archive/x.css", second=59, client="192.0.2.10"), line("/archive/y.css", second=59)]
    rules = found(tmp_path, capsys, lines, "--settings", trying)["rules"]
    assert rules["slowly"] == {"throttle": 3}
    assert rules["limits.articles"] == {"throttle": 2}
    assert rules["paced"] == {"wait": 1}
    unlimited = policy(tmp_path, '[limits]\narticles = ""\nrequests = "1/hour"\n')
    assert found(tmp_path, capsys, lines, "--settings", unlimited)["rules"]["limits.requests"] == {"throttle": 11}


def test_without_a_time_no_limit_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f'INFO:     192.0.2.7:1 - "GET /news/{n} HTTP/1.1" 200 OK\n' for n in range(300)]
    report = found(tmp_path, capsys, lines)
    assert (report["untimed"], report["unnamed"]) == (300, 300)
    assert report["classes"] == {"reader": {"full": 300}}
    assert main(["replay", str(tmp_path / "access.log")]) == 0
    out = capsys.readouterr().out
    assert "300 have no time: limits were not replayed for them" in out
    assert "300 have no User-Agent: robots among them were judged as readers" in out


def test_own_records_are_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = Facts("GET", "/news/a", ((b"user-agent", BROWSER.encode()),), "192.0.2.7", now=5.0, wait=9.0)
    record = {"path": "/news/b", "agent": GPTBOT, "time": 6.0, "client": "ab12", "action": "allow", "rendition": "full",
              "rule": "crawlers.GPTBot"}  # fmt: skip
    noted = {**record, "path": "/news/c", "agent": BROWSER, "signals": [["odd", 4, "a"], ["odder", 3, "b"]]}
    lines = [json.dumps(one) + "\n" for one in (facts.as_dict(), record, noted)]
    report = found(tmp_path, capsys, lines, "--settings", policy(tmp_path, LEAD), senses=Senses())
    assert report["rules"] == {"readers": {"full": 1}, "rights.ai-training": {"deny": 1}, "lead-only": {"lead": 1}}
    assert {(c["before"], c["after"]) for c in report["changes"]} == {("full", "deny"), ("full", "lead")}
    # By the preset alone the lead is counted and not given.
    report = found(tmp_path, capsys, lines, senses=Senses())
    assert report["rules"] == {"readers": {"full": 2}, "rights.ai-training": {"deny": 1}}
    assert report["shadow"] == {"lead-only": 1}


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        (("honeylinks", "hints-version", "hints-brands", "tool-name"), "refuse"),
        (("no-fetch-metadata", "no-hints", "header-order", "parts-never", "cluster-alarm", "hosting"), "readers"),
    ],
)
def test_recorded_signals_weigh_what_they_do_in_the_guard(
    names: tuple[str, ...], rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second list weighs more than the first until its groups, all of them soft, are capped together."""
    known = weights().signals
    record = {"path": "/a", "agent": BROWSER, "action": "allow", "rendition": "full", "rule": "readers",
              "signals": [list(astuple(known[name])) for name in names]}  # fmt: skip
    assert sum(known[name].weight for name in names) > THRESHOLDS["refuse"]
    assert list(found(tmp_path, capsys, [json.dumps(record) + "\n"])["rules"]) == [rule]


def test_whoever_wires_detectors_has_them_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []

    def detector(facts: Facts) -> list[Signal]:
        asked.append(facts.path)
        return [Signal("a", 2.5, "a"), Signal("b", 2.5, "b"), Signal("c", 4.0, "c")]

    facts = Facts("GET", "/news/a", (), "192.0.2.7", now=5.0)
    lines = [json.dumps(facts.as_dict()) + "\n", line("/news/b")]
    trying = policy(tmp_path, LEAD)
    # 7.5 with the cap, which is below refusal; 9 without.
    report = found(tmp_path, capsys, lines, "--settings", trying, senses=Senses(detectors=(detector,), caps={"c": 2.5}))
    # An access log has too few headers to be asked about.
    assert asked == ["/news/a"]
    assert report["rules"] == {"lead-only": {"lead": 1}, "readers": {"full": 1}}


def test_lines_that_cannot_be_read_are_counted_and_the_first_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(
        line("/a").encode() + b"\n   \nnonsense \x1b[2J\xff\n{\n" + b"x" * (3 * LONGEST) + b"\n" + line("/b").encode()
    )
    assert main(["replay", str(log)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("2 requests, 3 lines that could not be read\n")
    assert f"  the first: {log}, line 4: no line of an access log that is known: nonsense \\x1b[2J" in out
    assert "  1 × a line of more than 64 KiB" in out
    assert "\x1b" not in out


def test_a_log_of_nothing_but_noise_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "noise.log"
    log.write_text("a\nb\n")
    assert main(["replay", str(log)]) == 1
    log.write_text("")
    assert main(["replay", str(log)]) == 0
    assert main(["replay", str(tmp_path / "none.log")]) == 2
    assert "none.log: No such file" in capsys.readouterr().err
    log.write_bytes(gzip.compress(line("/a").encode() * 99)[:-20])
    assert main(["replay", str(log)]) == 2


def test_several_files_packed_ones_and_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, packed = tmp_path / "access.log", tmp_path / "access.log.1.gz"
    plain.write_text(line("/a"))
    packed.write_bytes(gzip.compress((line("/b") * 2).encode()))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((line("/c") * 3).encode())))
    assert main(["replay", str(plain), str(packed), "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["requests"] == 6


def test_the_report_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "access.log"
    log.write_text("".join([line("/news/a")] * 3 + [line("/news/é\x1b", GPTBOT)] * 2))
    assert main(["replay", str(log), "--top", "1"]) == 0
    assert (
        capsys.readouterr().out
        == """\
5 requests, 0 lines that could not be read
  A GET of a path without a file's ending (or .html) counts as an article; a log does not tell.

by class     full  deny
reader          3
ai-training           2

by rule             full  deny
readers                3
rights.ai-training           2

paths that did not get everything
          2  deny  /news/\\xe9\\x1b

against what the log says became of it: 2 requests come to something else
          2  served → deny, by rights.ai-training, e.g. /news/\\xe9\\x1b

paths that come to something else
          2  served → deny  /news/\\xe9\\x1b
"""
    )


@pytest.mark.no_cover
def test_memory_does_not_grow_with_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line another path, another address and another agent."""

    def lines(count: int) -> Iterable[str]:
        return (
            line(f"/p{n}/{'x' * 100}", f"Bot{n}/1", client=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
            for n in range(count)
        )

    peaks = []
    for count in (5_000, 12_000):
        with (tmp_path / "access.log").open("w") as log:
            log.writelines(lines(count))
        tracemalloc.start()
        assert main(["replay", str(tmp_path / "access.log")]) == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        capsys.readouterr()
    assert peaks[1] < peaks[0] * 1.25


@pytest.mark.parametrize("top", ["0", "-1"])
def test_wrong_options(top: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["replay", "x", "--top", top])
    assert "at least 1" in capsys.readouterr().err
