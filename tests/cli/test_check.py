from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from contentguard.cli import main
from contentguard.policy import PRESETS
from tests.client import KEY

SAFE = f"""
secret_key = "{KEY}"
site = "The Daily Test"
origin = "https://news.example"
contact = "mailto:desk@news.example"
licence_url = "/licensing"
[proxies]
trusted = ["10.0.0.0/8"]
"""


def check(tmp_path: Path, toml: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    file = tmp_path / "guard.toml"
    file.write_text(toml)
    status = main(["check", "--settings", str(file)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_safe_configuration_has_no_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = check(tmp_path, SAFE, capsys)
    assert (status, err) == (0, "")
    assert out.rstrip().endswith("0 warnings")
    # What the preset tries by itself is said, and is no reproach.
    assert "  lead-only (in shadow: counted, not done)" in out.splitlines()
    assert "The Daily Test  https://news.example" in out
    assert "ai-training       are refused everywhere (403)" in out
    assert "articles: at most 120/minute for each address" in out
    assert "client address: x-forwarded-for of 10.0.0.0/8" in out
    assert "feeds: the beginning of each article, 120 words at most" in out
    assert KEY not in out


@pytest.mark.parametrize(
    ("change", "warning", "mend"),
    [
        ("", "no secret key", 'set secret_key = "…"'),
        ("", "origin is not set", 'set origin = "https://your.site"'),
        ("", "no trusted proxy", 'set proxies.trusted = ["10.0.0.0/8"]'),
        ("", "contact is empty", "set contact"),
        ("", "licence_url is empty", "set licence_url"),
        ('origin = "http://news.example"', "plain http", "serve the site over https"),
        ('copying = {policy = "strict"}', "takes selection away", 'use copying.policy = "quote"'),
        ('limits = {articles = ""}', "limits.articles is off", "set limits.articles"),
        ('policy = {rights = {tool = "allow"}}', "tools (curl", "no-articles"),
        ('feeds = {mode = "full"}', "whoever asks for a feed", "signed"),
        ('akismet = {key = "abc", test = true}', "akismet.test is on", "set akismet.test = false"),
        ('evidence = {url = "sqlite:///log.db"}', "nothing is written down", "watermark.enabled = true"),
        ('identification = {ranges = "/none/ranges.json"}', "is not there", "identification.ranges"),
        ('governor = {file = "/none/learned"}', "is not there", "governor.file"),
        ('comments = {lessons = "/none/lessons.db"}', "is not there", "comments.lessons"),
        ("robots = {serve = false}", "drift apart", "leave robots.serve on"),
        (
            'policy = {rules = [{name = "a", action = "deny"}, {name = "b", action = "deny"}]}',
            "can never act",
            "put the rule without conditions last",
        ),
        ('policy = {shadow = ["spoofed"]}', "some rules are in shadow", "take shadow off"),
        ('policy = {shadow = ["lead-only"]}', "some rules are in shadow", "take shadow off"),
        (
            'policy = {rules = [{name = "a", action = "deny", shadow = true}]}',
            "some rules are in shadow",
            "take shadow off",
        ),
    ],
)
def test_each_warning_comes_with_its_mend(
    change: str, warning: str, mend: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = check(tmp_path, change, capsys)
    assert status == 0
    lines = out.splitlines()
    (number,) = [i for i, line in enumerate(lines) if warning in line]
    assert lines[number].startswith("  ! ")
    assert lines[number + 1].strip().startswith("mend: ")
    assert mend in lines[number + 1]


def test_overrides_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = check(tmp_path, SAFE + '[policy.crawlers]\nGPTBot = "allow"\n', capsys)
    assert "GPTBot:           may have everything" in out


def test_faults_are_listed_and_end_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = check(tmp_path, "orign = 1\n[copying]\npolcy = 2\n", capsys)
    assert (status, out) == (2, "")
    assert "2 faults" in err
    assert "orign" in err
    assert "copying.polcy" in err


def test_the_policy_is_told_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = """
[policy]
preset = "strict"
shadow = ["lead-only"]
[policy.rights]
ai-training = "charge"
[[policy.rules]]
name = "archive"
when = { path = "/archive/", purpose = "robot" }
action = "deny"
[[policy.rules]]
name = "slowly"
when = { purpose = "tool", score = { at_least = "suspicious" } }
action = "throttle"
limit = "10/minute"
"""
    status, out, err = check(tmp_path, SAFE + policy, capsys)
    assert (status, err) == (0, "")
    for line in (
        "Policy: preset strict: whole articles for readers and verified search engines only",
        "      when  path /archive/ and purpose robot",
        "      gets  over the limit, a refusal that says when to come back (429), 10/minute of requests",
        "  lead-only (in shadow: counted, not done)",
        "  thresholds: suspicious 1, lead-only 2, wait 5, refuse 8",
        "  ai-training       are refused everywhere without a licence (402), and told so in robots.txt",
        "  search            get an article's excerpt; until excerpts are made, its metadata only, "
        "unless they have proved who they are",
        "  slowly   a limit; robots.txt knows none",
        "  spoofed  it concerns no robot that says truly what it is",
        "  ! some rules are in shadow: what they would do is counted and not done",
    ):
        assert line in out.splitlines(), line
    rules = [line.strip() for line in out.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    assert rules[:3] == ["archive", "slowly", "spoofed"]
    listed = out.split("Enforced but not published")[1].split("Readers")[0]
    assert "archive" not in listed
    assert "lead-only" not in listed


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_says_what_it_is_for(preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = check(tmp_path, f'{SAFE}[policy]\npreset = "{preset}"\n', capsys)
    assert f"Policy: preset {preset}: {PRESETS[preset].says}" in out
    assert "in shadow: what" not in out


def test_whoever_stops_reading_is_no_failure() -> None:
    command = [sys.executable, "-m", "contentguard", "check"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.wait(timeout=60) == 0
        assert running.stderr is not None
        assert running.stderr.read() == b""


def test_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "contentguard", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Robots that say who they are" in done.stdout
    assert subprocess.run([sys.executable, "-m", "contentguard"], capture_output=True, check=False).returncode == 2


def test_how_articles_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = check(tmp_path, SAFE, capsys)[1]
    assert "reading: progressive: the first paragraphs at once" in said
    assert "articles per reader: 30 an hour (5 in the first minutes), 150 a day" in said
    assert (
        "seldom-read articles for all new readers on one line: 30 an hour, 30 more for each who stays, to 240" in said
    )
    assert "seldom-read articles for all strangers together: 300 to 10,000 an hour, 3 times what is normal" in said
    assert "share links: 10 readers each, 365 days" in said
    assert "gifts: 10 a month for each account, 14 days, 10 devices" in said
    assert "counted in: each process" in said
    assert "accounts are known to: nobody" in said


def test_a_store_is_named_without_its_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = check(tmp_path, f'store = "redis://:hunter2@cache.example"\n{SAFE}', capsys)[1]
    assert "counted in: cache.example" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("toml", "warning"),
    [
        ('[reading]\nmode = "off"\n', "reading.mode is off"),
        ("[visits]\nremember = false\n", "there is no pass"),
        ("[governor]\nprocesses = 4\n", "several processes serve the site and share no store"),
    ],
)
def test_reading_that_protects_little_is_warned_of(
    tmp_path: Path, toml: str, warning: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = check(tmp_path, SAFE + toml, capsys)[1]
    assert warning in said
    if "processes" not in toml:
        assert "reading: off: articles are whole for everybody" in said
        assert "articles per reader" not in said
