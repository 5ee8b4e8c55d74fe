"""The script that earns an article's rest: what it weighs, what it never touches, and that it solves what we verify."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest

from contentguard.admission import proof, tickets
from contentguard.admission.difficulty import MOST_PUZZLES, NO_WORK, STEPS, Algorithm, Difficulty
from contentguard.admission.tickets import Kind, Ticket
from contentguard.assets import ASSETS, REPORT, REST, SCRIPT, Asset

CODE = REST.body.decode()
SCRIPTS = [SCRIPT, REPORT, REST]
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")

NEVER_USED = (
    *("eval(", "innerHTML", "insertAdjacent", "document.write", "DOMParser", "XMLHttpRequest", "WebSocket"),
    *("sendBeacon", "localStorage", "indexedDB", ".cookie", "console.", "debugger", "://", "Blob", "importScripts"),
    *("requestAnimationFrame", "hardwareConcurrency", "Math.random", "navigator", "Math.floor", "parseFloat"),
    *("keydown", "keyup", "keypress", "mousemove", "beforeunload", "visibilitychange", "unload"),
)


TEXT = re.compile(r"'(?:[^'\\\n]|\\.)*'|`[^`\n]*`")


def test_all_scripts_together_stay_in_the_budget() -> None:
    assert sum(len(script.gzipped) for script in SCRIPTS) <= 6144
    assert len(REST.gzipped) <= 2500


def test_it_is_served_and_kept_for_ever() -> None:
    assert ASSETS[REST.file] is REST
    assert REST.kept
    assert REST.file.startswith("contentguard-rest."), "by which it finds itself in a page"


@pytest.mark.parametrize("name", NEVER_USED)
def test_what_it_never_uses(name: str) -> None:
    assert name not in CODE


def test_it_asks_for_the_rest_and_for_its_own_page_and_nothing_else() -> None:
    assert re.findall(r"fetch\(([^,]+),", CODE) == ["routes+'/rest'", "href"]
    assert "'contentguard:rest'" in CODE


@pytest.mark.parametrize("script", SCRIPTS, ids=["script", "report", "rest"])
def test_scripts_leave_without_what_is_for_their_readers_here(script: Asset) -> None:
    source = files("contentguard.assets").joinpath(script.name).read_text("utf-8")
    lines = [line.lstrip(" ") for line in source.splitlines()]
    code = "\n".join(line for line in lines if not line.startswith("//"))
    assert re.sub(r"\s", "", script.body.decode()) == re.sub(r"\s", "", code)
    assert TEXT.findall(script.body.decode()) == TEXT.findall(code)
    assert all(line.count("`") % 2 == 0 for line in lines), "no text goes over a line: its blanks would not survive"
    assert not re.search(r"[;{,(] *//", code), "nothing is a comment behind code: what follows would be one"


@needs_node
def test_browsers_of_2017_read_it() -> None:
    """Telephones that get no newer browser any more (iOS 11 and 12). Node has a parser that can be held to a year."""
    parse = """const { parse } = require('internal/deps/acorn/acorn/dist/acorn');
        let code = ''; process.stdin.on('data', (text) => { code += text; }).on('end', () => {
          for (const ecmaVersion of [2016, 2017]) {
            try { parse(code, { ecmaVersion }); console.log(ecmaVersion); } catch (_) { console.log('no'); }
          } });"""
    done = subprocess.run(["node", "--expose-internals", "-e", parse], input=CODE, capture_output=True, text=True)
    if "Cannot find module" in done.stderr and not os.environ.get("CI"):
        pytest.skip("this node has no parser to offer")
    assert done.stdout.split() == ["no", "2017"], done.stderr


# -- as a worker -----------------------------------------------------------------------------------------------


def ticket(asked: Difficulty, number: int) -> str:
    kind = Kind.WAIT if asked == NO_WORK else Kind.PROOF
    fields = (f"{number:016x}", 1, 2**40, bytes(16), bytes(4), bytes(4), f"/{number}")
    return tickets.write(bytes(32), Ticket(kind, 1, asked, *fields))


def answered(texts: list[str]) -> list[list[float | str]]:
    """What the script posts for each ticket."""
    script = Path(__file__).with_name("rest.mjs")
    told = json.dumps({"code": CODE, "tickets": texts})
    done = subprocess.run(["node", str(script)], input=told, capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@needs_node
@pytest.mark.parametrize("algorithm", [Algorithm.PBKDF2, Algorithm.SHA256])
def test_it_finds_the_smallest_counters(algorithm: Algorithm) -> None:
    """For many tickets and difficulties, against our own solver: every hash of every try must be right for that."""
    dice = Random(algorithm)
    most_cost, most_bits = (50, 5) if algorithm is Algorithm.PBKDF2 else (1, 9)
    asked = [
        Difficulty(algorithm, dice.randint(1, most_cost), dice.randint(1, MOST_PUZZLES), dice.randint(1, most_bits))
        for _ in range(25)
    ]
    texts = [ticket(each, number) for number, each in enumerate(asked)]
    for text, each, said in zip(texts, asked, answered(texts), strict=True):
        assert said[-1] == f"{text} {proof.solve(text.encode(), each)}"
        assert said[:-1] == [(n + 1) / each.puzzles for n in range(each.puzzles)], "and says how far it is"


@needs_node
def test_the_difficulties_that_are_given_out() -> None:
    for steps in (STEPS[Algorithm.PBKDF2], STEPS[Algorithm.SHA256]):
        text = ticket(steps[0], 7)
        (said,) = answered([text])
        name, _, answers = str(said[-1]).partition(" ")
        assert name == text
        assert all(proof.verify(text.encode(), steps[0], answers.encode(), chance) for chance in range(20))


@needs_node
def test_what_it_cannot_do_it_says_at_once() -> None:
    assert answered([ticket(STEPS[Algorithm.SCRYPT][0], 1), ticket(NO_WORK, 2)]) == [[""], [""]]
