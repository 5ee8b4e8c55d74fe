from __future__ import annotations

import io
import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from contentguard import Facts, Signal
from contentguard.cli import main
from contentguard.cli.senses import Senses
from contentguard.detect.weights import weights
from contentguard.model import Crawler, Purpose, Standing
from tests.client import CHROME

READER = Facts("GET", "/news/a", tuple((k.encode(), v.encode()) for k, v in CHROME.items()), "192.0.2.7", now=1.0)
TRY = """
[policy]
thresholds = { odd = 3 }
[[policy.rules]]
name = "archive"
when = { path = "/archive/", score = "odd" }
action = "charge"
[[policy.rules]]
name = "slowly"
when = { purpose = "tool" }
action = "throttle"
limit = "10/minute"
[[policy.rules]]
name = "tried"
when = { purpose = "tool" }
action = "deny"
shadow = true
"""


def language(facts: Facts) -> list[Signal]:
    return [] if facts.header(b"accept-language") else [Signal("no-language", 1.0, "headers")]


def encoding(facts: Facts) -> list[Signal]:
    return (
        [] if facts.header(b"accept-encoding") else [Signal("no-encoding", 2.5, "headers"), Signal("odd", 1.5, "odd")]
    )


SENSES = Senses(detectors=(language, encoding), caps={"headers": 3.0})


def run(*arguments: str, senses: Senses = SENSES) -> int:
    return main(["explain", *arguments], senses)


@pytest.fixture
def settings(tmp_path: Path) -> str:
    (tmp_path / "try.toml").write_text(TRY)
    return str(tmp_path / "try.toml")


def written(tmp_path: Path, data: Any) -> str:
    (tmp_path / "facts.json").write_text(data if isinstance(data, str) else json.dumps(data))
    return str(tmp_path / "facts.json")


def test_everything_a_decision_rests_on(tmp_path: Path, settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"path": "/archive/a", "client": "192.0.2.7"}
    assert run(written(tmp_path, facts), "--settings", settings) == 0
    assert (
        capsys.readouterr().out
        == """\
GET /archive/a by 192.0.2.7
  no declared robot; judged as reader

Signals
  no-language    +1.00  headers
  no-encoding    +2.50  headers
  odd            +1.50  odd
Groups
  headers        +3.00  of +3.50, capped at 3
  odd            +1.50  of +1.50
Score 4.50 (suspicious 1, lead-only 3, wait 5, refuse 8, odd 3)

Verdict: charge: 402, with the licence
  by archive: path /archive/ and score from odd (3) → charge
  because: rule archive: charge
  told: Automated access to this needs a licence.

What would change it
  a score below 3            → full, by readers
  without no-encoding        → full, by readers
  a path that no rule names  → full, by readers
"""
    )


def test_a_robot_with_its_limits_and_shadows(tmp_path: Path, settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"path": "/news/a", "headers": {"User-Agent": "curl/8.5.0"}}
    assert run(written(tmp_path, facts), "--settings", settings, senses=Senses()) == 0
    out = capsys.readouterr().out
    for line in (
        "GET /news/a by an unknown address",
        "  curl (tool), identity unknown; judged as tool",
        "No signal was noticed; score 0 (suspicious 1, lead-only 3, wait 5, refuse 8, odd 3)",
        "Verdict: none: everything but articles (403 in their place)",
        "  of an article: deny: 403",
        "  by rights.tool",
        "  in shadow, would have decided: tried",
        "  as long as it keeps to slowly: 10/minute of requests",
        "  identity spoofed                     → deny, by spoofed",
        "  over the limit of slowly             → throttle, by slowly",
        "  rule tried out of shadow             → deny, by tried",
    ):
        assert line in out.splitlines(), line


def test_json_says_the_same(tmp_path: Path, settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    crawler = Crawler("GPTBot", "GPTBot", "OpenAI", Purpose.AI_TRAINING, "GPTBot")
    facts = Facts("GET", "/", (), None, crawler=crawler, identity=Standing.VERIFIED).as_dict()
    assert run(written(tmp_path, facts), "--settings", settings, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["facts"] == facts
    assert found["class"] == "ai-training"
    assert found["verdict"]["rule"] == "rights.ai-training"
    assert (found["verdict"]["outcome"], found["verdict"]["status"], found["verdict"]["score"]) == ("deny", 403, 4.5)
    assert found["groups"][0] == {"group": "headers", "total": 3.5, "cap": 3.0, "counts": 3.0}
    assert found["thresholds"]["odd"] == 3
    assert {"kind": "identity", "what": "identity spoofed"} not in [
        {"kind": change["kind"], "what": change["what"]} for change in found["changes"]
    ]
    assert "a User-Agent that declares no robot" in [change["what"] for change in found["changes"]]


def test_headers_from_a_browser_or_curl(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "headers.txt"
    saved.write_text(f"GET /archive/x%20y?a=1 HTTP/1.1\nHost: news.example\nUser-Agent: {CHROME['user-agent']}\n")
    assert run("--header-file", str(saved), "--client", "192.0.2.9", "--json") == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert (facts["path"], facts["client"], facts["headers"][0]) == (
        "/archive/x y",
        "192.0.2.9",
        ["host", "news.example"],
    )
    options = ("--path", "/b%2fc?x", "--method", "POST", "--identity", "spoofed")
    assert run("--header-file", str(saved), *options, "--json") == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert (facts["path"], facts["method"], facts["identity"]) == ("/b/c", "POST", "spoofed")


REQUESTS = f"""\
GET /news/a HTTP/1.1
Host: news.example
User-Agent: {CHROME["user-agent"]}
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive
"""
"""What python-requests sends that was given a browser's User-Agent."""


def test_a_program_in_a_browser_s_clothes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the packaged detectors and weights, with nothing given."""
    saved = tmp_path / "headers.txt"
    saved.write_text(REQUESTS)
    assert main(["explain", "--header-file", str(saved), "--client", "192.0.2.9", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    groups = {row["group"]: row for row in found["groups"]}
    known = weights()
    assert {row["group"]: row["cap"] for row in found["groups"]} == {name: known.groups[name].cap for name in groups}
    noticed = {name: (weight, group) for name, weight, group in found["verdict"]["signals"]}
    assert {"no-fetch-metadata", "no-hints", "no-language", "accept-not-html"} <= set(noticed)
    assert noticed == {name: (known.signals[name].weight, known.signals[name].group) for name in noticed}
    missing = groups["missing"]
    assert missing["total"] == pytest.approx(sum(weight for weight, group in noticed.values() if group == "missing"))
    assert missing["counts"] == missing["cap"] < missing["total"]
    assert found["verdict"]["score"] == pytest.approx(sum(row["counts"] for row in found["groups"]))
    assert found["verdict"]["score"] >= found["thresholds"]["wait"]
    assert (found["verdict"]["rule"], found["verdict"]["shadow"]) == ("readers", ["lead-only"])

    assert main(["explain", "--header-file", str(saved), "--client", "192.0.2.9"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, (weight, group) in noticed.items():
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert line.split()[1:] == [f"{weight:+.2f}", group]
    assert any(
        line.split()[0] == "missing" and line.endswith(f", capped at {missing['cap']:g}") for line in lines[2:] if line
    )
    assert f"Score {found['verdict']['score']:.2f} (suspicious 1, lead-only 3, wait 5, refuse 8)" in lines
    assert "  in shadow, would have decided: lead-only" in lines


def test_what_surroundings_can_bring_about_is_capped_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The printed groups add up to the score that decides, with the common cap as a line of its own."""
    names = ("no-fetch-metadata", "no-language", "header-order", "no-keep-alive", "parts-never", "cluster-alarm")
    known = weights()
    signals = [list(astuple(known.signals[name])) for name in names]
    record = {"path": "/a", "action": "allow", "rule": "readers", "rendition": "full", "signals": signals}
    assert main(["explain", written(tmp_path, record)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  soft groups together") and "capped at 4.9" in line for line in lines)
    assert f"Score {known.soft_cap:.2f} (suspicious 1, lead-only 3, wait 5, refuse 8)" in lines


def test_recorded_signals_stand_where_nothing_is_noticed_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {"path": "/a", "action": "allow", "rule": "readers", "rendition": "full", "signals": [["then", 7, "g"]]}
    assert run(written(tmp_path, record), "--json") == 0
    assert json.loads(capsys.readouterr().out)["verdict"]["signals"] == [["then", 7.0, "g"]]
    facts = {**READER.as_dict(), "signals": [["then", 7, "g"]]}
    assert run(written(tmp_path, facts), "--json") == 0
    assert [s[0] for s in json.loads(capsys.readouterr().out)["verdict"]["signals"]] == ["no-encoding", "odd"]


def test_facts_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"crawler": "googlebot", "path": "/a"}'))
    assert run("-") == 0
    assert "Googlebot (search), identity unknown" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ("{", "--header-file"),
        ("[]", "a JSON object"),
        ('{"pth": "/a"}', "did you mean 'path'?"),
        ('{"path": 3}', "path has to be a text"),
        ('{"client": 3}', "client has to be"),
        ('{"headers": ["a"]}', "pairs"),
        ('{"crawler": "Nobody"}', "no robot of the catalogue"),
        ('{"identity": "sure"}', "sure"),
        ('{"wait": "long"}', "no facts"),
        ('{"waits": 3}', "no facts"),
        ('{"crawler": {"name": "x"}}', "no facts"),
    ],
)
def test_what_is_no_request_says_why(facts: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(tmp_path, facts)) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.out == ""


def test_one_request_is_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = written(tmp_path, {})
    for arguments in ([], [facts, "--header-file", facts], [str(tmp_path / "none.json")], ["--header-file", facts]):
        assert run(*arguments) == 2
    errors = capsys.readouterr().err
    assert errors.count("one request is wanted") == 2
    assert "no readable file" in errors
    assert "no HAR file" in errors, "facts are no saved request"


def test_what_a_client_chose_does_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(written(tmp_path, {"path": "/\x1b[2J\r\nVerdict: full", "client": "\x1b]0;x\x07"})) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\r" not in out
    assert not out.splitlines()[1].startswith("Verdict")


def test_faults_of_the_settings_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[[policy.rules]]\nname = "x"\n')
    assert run(written(tmp_path, {}), "--settings", str(wrong)) == 2
    assert "policy.rules.0.action" in capsys.readouterr().err
