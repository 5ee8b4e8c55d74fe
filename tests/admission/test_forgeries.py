"""A short hunt for forgeries, and that the hunt finds one where there is something to be found."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections import Counter
from random import Random

import pytest

from contentguard.admission import proof
from tests.fuzz.__main__ import main
from tests.fuzz.tokens import BLOCK, WORK, Finding, Target, forged, hunt, targets

TARGETS = targets(1)
KINDS = ["ticket", "pass", "shared", "gift", "proof"]


def test_nothing_that_nobody_signed_or_solved_is_accepted() -> None:
    tally = Counter[str]()
    assert [*hunt(1, range(2), TARGETS, tally)] == []
    assert all(tally[kind] == 2 * BLOCK for kind in KINDS)
    assert all(0 < tally[f"{kind}, right"] < BLOCK for kind in KINDS), "some come out as they went in, most do not"


def test_forgeries_are_many_and_the_same_for_one_seed() -> None:
    for target in TARGETS.values():
        made = [forged(target, Random(number)) for number in range(500)]
        assert made == [forged(target, Random(number)) for number in range(500)]
        assert len({*made}) > 250


def only(kind: str, **changes: object) -> list[Finding]:
    return [*hunt(2, range(3), {kind: TARGETS[kind]._replace(**changes)}, Counter[str]())]  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_that_believes_anything_is_found_out(kind: str) -> None:
    assert len(only(kind, accepts=lambda _text: True, excused=lambda _text: False)) > BLOCK


@pytest.mark.parametrize("kind", ["ticket", "shared", "gift"])
def test_a_reader_that_takes_a_second_spelling_is_found_out(kind: str) -> None:
    known = {urlsafe_b64decode(text + b"===") for text in TARGETS[kind].genuine}

    def lenient(text: bytes) -> bool:
        kept = bytes(letter for letter in text if letter in b"_-" or chr(letter).isalnum())
        return len(kept) % 4 != 1 and urlsafe_b64decode(kept + b"===") in known

    assert only(kind, accepts=lenient)


def test_a_reader_that_looks_at_half_the_mac_or_none_of_the_body_is_found_out() -> None:
    ticket = TARGETS["ticket"]
    beginnings = {text[:12] for text in ticket.genuine}
    assert only("ticket", accepts=lambda text: text[:12] in beginnings)


def test_a_verifier_that_forgets_one_answer_is_found_out() -> None:
    genuine = TARGETS["proof"].genuine[0].split(b".")

    def forgetful(text: bytes) -> bool:
        return proof.read(text, WORK) is not None and text.split(b".")[:-1] == genuine[:-1]

    assert only("proof", accepts=forgetful)


def test_a_reader_that_breaks_is_a_finding_too() -> None:
    def broken(_text: bytes) -> bool:
        raise IndexError("out of range")

    assert "IndexError" in only("gift", accepts=broken)[0].error


def test_the_command_says_how_many_were_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokens", "--tries", "5000", "--seed", "3"]) == 0
    assert "5,000 forgeries, 0 accepted or broken" in capsys.readouterr().out


def test_the_command_fails_when_something_was_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target((b"genuine",), (b"strange",), lambda _text: True, lambda _text: False)
    monkeypatch.setattr("tests.fuzz.tokens.targets", lambda _seed: {"anything": target})
    assert main(["tokens", "--tries", "1", "--seconds", "0"]) == 1
    assert "Finding(target='anything'" in capsys.readouterr().out
