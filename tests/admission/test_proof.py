"""Proofs: found by work, bound to their ticket, in one spelling, and verified at a bounded cost."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections import Counter
from itertools import combinations
from math import comb
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission import proof
from contentguard.admission.difficulty import MOST_PUZZLES, NO_WORK, STEPS, Algorithm, Difficulty
from contentguard.admission.proof import CHECKED, picked, read, solve, verify

SEAL = b"AAECAwQFBgcICQoLDA0ODxAR"
TICKET = SEAL + b"AQ" * 60
OTHER = b"B" + TICKET[1:]
PBKDF2 = Difficulty(Algorithm.PBKDF2, 2, 16, 3)
SHA256 = Difficulty(Algorithm.SHA256, 1, 16, 6)
SCRYPT = Difficulty(Algorithm.SCRYPT, 1024, 4, 1)
EASY = [PBKDF2, SHA256, SCRYPT]
NAMES = ["pbkdf2", "sha256", "scrypt"]
SOLVED = {asked: solve(TICKET, asked).encode() for asked in EASY}

chances = st.integers(0, 2**64 - 1)
easy = pytest.mark.parametrize("asked", EASY, ids=NAMES)


def by_the_book(asked: Difficulty, seal: bytes, index: int, counter: int) -> bool:
    """One answer, judged from the documented format alone."""
    salt = b"cg-proof" + index.to_bytes(4, "big") + counter.to_bytes(4, "big")
    if asked.algorithm is Algorithm.PBKDF2:
        found = hashlib.pbkdf2_hmac("sha256", seal, salt, asked.cost)
    elif asked.algorithm is Algorithm.SHA256:
        found = hashlib.sha256(seal + salt).digest()
    else:
        found = hashlib.scrypt(seal, salt=salt, n=1024, r=8, p=1, dklen=32)
    return format(int.from_bytes(found, "big"), "0256b").startswith("0" * asked.bits)


# -- the format ------------------------------------------------------------------------------------------------


@easy
def test_the_answers_are_the_smallest_counters_by_the_book(asked: Difficulty) -> None:
    for index, text in enumerate(SOLVED[asked].split(b".")):
        counter = int(text)
        assert by_the_book(asked, SEAL, index, counter)
        assert not any(by_the_book(asked, SEAL, index, smaller) for smaller in range(counter))


@easy
@given(chance=chances)
def test_what_is_solved_is_accepted_whatever_is_picked(asked: Difficulty, chance: int) -> None:
    assert verify(TICKET, asked, SOLVED[asked], chance)


def test_known_answers() -> None:
    """Written down once: whoever changes them breaks every script that is out there."""
    assert {NAMES[EASY.index(asked)]: answers.decode() for asked, answers in SOLVED.items()} == KNOWN


KNOWN = {
    "pbkdf2": "0.1.2.5.2.2.26.15.4.23.20.5.5.3.6.22",
    "sha256": "147.284.77.230.4.118.92.28.42.150.6.133.41.32.35.50",
    "scrypt": "1.1.5.1",
}

SCRIPT = Path(__file__).with_name("solver.mjs")


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@easy
def test_a_script_written_from_the_format_finds_the_same_answers(asked: Difficulty) -> None:
    told = json.dumps({"ticket": TICKET.decode(), "algorithm": asked.algorithm.name.lower(), **numbers(asked)})
    done = subprocess.run(["node", str(SCRIPT), told], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == SOLVED[asked].decode()


def numbers(asked: Difficulty) -> dict[str, int]:
    return {"cost": asked.cost, "puzzles": asked.puzzles, "bits": asked.bits}


# -- what is no proof ------------------------------------------------------------------------------------------


def with_answer(answers: bytes, index: int, counter: bytes) -> bytes:
    parts = answers.split(b".")
    parts[index] = counter
    return b".".join(parts)


@pytest.mark.parametrize(
    "counter",
    [
        *[b"122.5", b"182.5", b"5e3", b"1e0", b"+5", b"-5", b"-0", b"05", b"00", b"", b" 5", b"5 ", b"5\n", b"0x5"],
        *[b"4294967296", b"9999999999", b"10000000000", b"\xb2", "٥".encode(), "５".encode(), b"5,", b"5;", b"NaN"],
        *[b"Infinity", b"null", b"1_0", b"5\0", b"\xff"],
    ],
)
@pytest.mark.parametrize("index", [0, 7, 15])
def test_anubis_1248_a_counter_is_written_in_decimal_digits_and_in_one_way(counter: bytes, index: int) -> None:
    """Anubis' scripts divided by the number of cores and sent 122.5, its server read it; and what else is a number
    to some parser."""
    for asked in (PBKDF2, SHA256):
        assert read(with_answer(SOLVED[asked], index, counter), asked) is None
        assert not verify(TICKET, asked, with_answer(SOLVED[asked], index, counter), 0)


def test_the_text_of_a_proof_as_a_whole() -> None:
    good = SOLVED[SHA256]
    for text in (b"", b".", b"." + good, good + b".", good + b".1", good[: good.rindex(b".")], good + b"\n"):
        assert read(text, SHA256) is None
    assert read(good.replace(b".", b".."), SHA256) is None
    assert read(good.replace(b".", b","), SHA256) is None
    assert read(b"4294967295" + b".4294967295" * 15, SHA256) == (2**32 - 1,) * 16
    assert read(b"1" * 10**6, SHA256) is None
    assert read(b"0." * 10**6, SHA256) is None


@given(st.binary(max_size=800) | st.text("0123456789.", max_size=800).map(str.encode), st.sampled_from(EASY))
def test_any_text_is_read_without_trouble(text: bytes, asked: Difficulty) -> None:
    counters = read(text, asked)
    assert counters is None or ".".join(map(str, counters)).encode() == text


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=MOST_PUZZLES))
def test_counters_have_one_text(counters: list[int]) -> None:
    asked = Difficulty(Algorithm.SHA256, 1, len(counters), 1)
    assert read(".".join(map(str, counters)).encode(), asked) == tuple(counters)


@easy
@given(st.data())
def test_every_wrong_answer_that_is_looked_at_refuses_all(asked: Difficulty, data: st.DataObject) -> None:
    """CVE-2025-24369: Anubis accepted any SHA-256. Every answer is held against the work asked for, for every
    algorithm."""
    index = data.draw(st.integers(0, asked.puzzles - 1))
    counter = data.draw(st.integers(0, 2**32 - 1).filter(lambda n: not by_the_book(asked, SEAL, index, n)))
    chance = data.draw(chances)
    wrong = with_answer(SOLVED[asked], index, str(counter).encode())
    assert verify(TICKET, asked, wrong, chance) is (index not in set(picked(asked, chance)))


@pytest.mark.parametrize("asked", [PBKDF2, SHA256], ids=NAMES[:2])
def test_cve_2025_24369_work_for_less_is_not_enough_for_more(asked: Difficulty) -> None:
    harder = asked._replace(bits=asked.bits + 5)
    assert not verify(TICKET, harder, SOLVED[asked], 0)
    assert not verify(TICKET, asked._replace(puzzles=asked.puzzles + 1), SOLVED[asked], 0)
    assert not verify(TICKET, asked._replace(puzzles=asked.puzzles - 1), SOLVED[asked], 0)


def test_work_of_one_kind_is_none_of_another() -> None:
    assert not verify(TICKET, SHA256, solve(TICKET, SHA256._replace(algorithm=Algorithm.PBKDF2)).encode(), 0)
    assert not verify(TICKET, PBKDF2._replace(bits=6, cost=3), solve(TICKET, PBKDF2._replace(bits=6)).encode(), 0)


@pytest.mark.parametrize("asked", [PBKDF2._replace(bits=6), SHA256], ids=NAMES[:2])
def test_work_on_one_ticket_is_worth_nothing_for_another(asked: Difficulty) -> None:
    solved = solve(TICKET, asked).encode()
    assert verify(TICKET, asked, solved, 0)
    assert not verify(OTHER, asked, solved, 0)


def test_answers_of_one_puzzle_are_none_of_another() -> None:
    turned = b".".join(reversed(SOLVED[SHA256].split(b".")))
    assert not verify(TICKET, SHA256, turned, 0)
    same = b".".join([SOLVED[SHA256].split(b".")[0]] * 16)
    assert not verify(TICKET, SHA256, same, 0), "nor is one answer good sixteen times"


@given(st.binary(max_size=20))
def test_a_ticket_that_asks_for_no_work_has_no_proof(answers: bytes) -> None:
    assert not verify(TICKET, NO_WORK, answers, 0)
    assert not verify(TICKET, Difficulty(Algorithm.NONE, 0, 1, 0), answers, 0)


@pytest.mark.parametrize(
    "asked",
    [PBKDF2._replace(cost=10**6), PBKDF2._replace(puzzles=65), PBKDF2._replace(bits=0), SHA256._replace(puzzles=0)],
)
def test_no_work_is_verified_that_no_ticket_can_ask_for(asked: Difficulty) -> None:
    assert not verify(TICKET, asked, b"0" + b".0" * (asked.puzzles - 1), 0)


# -- which answers are looked at -------------------------------------------------------------------------------


@given(st.integers(1, MOST_PUZZLES), st.sampled_from([1, 2, 3]), st.integers())
def test_as_many_different_puzzles_are_picked_as_are_to_be_verified(count: int, algorithm: int, chance: int) -> None:
    asked = Difficulty(Algorithm(algorithm), 1, count, 1)
    found = [*picked(asked, chance)]
    assert len({*found}) == len(found) == min(count, CHECKED[asked.algorithm])
    assert all(0 <= index < count for index in found)


def test_all_hashes_are_verified() -> None:
    asked = Difficulty(Algorithm.SHA256, 1, MOST_PUZZLES, 1)
    assert {*picked(asked, 12345)} == {*range(MOST_PUZZLES)}


def test_every_choice_is_as_likely_as_any_other() -> None:
    asked = Difficulty(Algorithm.PBKDF2, 1, 6, 1)
    choices = Counter(frozenset(picked(asked, chance)) for chance in range(6 * 5 * 4 * 10))
    assert {*choices} == {*map(frozenset, combinations(range(6), 3))}
    assert {*choices.values()} == {6 * 5 * 4 * 10 // comb(6, 3)}


def test_with_half_the_work_one_forgery_in_eight_passes() -> None:
    """The bound of the docstring, and that the chance decides: the same answers are now refused, now accepted."""
    asked = PBKDF2._replace(puzzles=32, bits=8)
    done = 16
    answers = ".".join([*solve(TICKET, asked._replace(puzzles=done)).split("."), *["0"] * (32 - done)]).encode()
    right = sum(by_the_book(asked, SEAL, index, int(n)) for index, n in enumerate(answers.split(b".")))
    dice = Random(7)
    passed = sum(verify(TICKET, asked, answers, dice.getrandbits(64)) for _ in range(3000)) / 3000
    assert 0.07 < passed < (right / 32) ** 3 + 0.02


# -- the cost --------------------------------------------------------------------------------------------------


class Counted:
    """A function of a try that counts its calls."""

    def __init__(self, zero: bool) -> None:
        self.calls, self._found = 0, bytes(32) if zero else b"\xff" * 32

    def __call__(self, _seal: bytes, _salt: bytes, _cost: int) -> bytes:
        self.calls += 1
        return self._found


@pytest.mark.parametrize("algorithm", [Algorithm.PBKDF2, Algorithm.SHA256, Algorithm.SCRYPT])
@pytest.mark.parametrize("step", [0, -1])
def test_verifying_costs_a_bounded_number_of_tries_and_a_forgery_one(
    algorithm: Algorithm, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = STEPS[algorithm][step]
    answers = b"0" + b".0" * (asked.puzzles - 1)
    right, wrong = Counted(zero=True), Counted(zero=False)
    monkeypatch.setattr(proof, "_FUNCTIONS", {algorithm: right})
    assert verify(TICKET, asked, answers, 99)
    assert right.calls == min(asked.puzzles, CHECKED[algorithm])
    monkeypatch.setattr(proof, "_FUNCTIONS", {algorithm: wrong})
    assert not verify(TICKET, asked, answers, 99)
    assert wrong.calls == 1
    assert not verify(TICKET, asked, answers[2:], 99)
    assert not verify(TICKET, asked, answers + b"x", 99)
    assert wrong.calls == 1, "a text that is none costs no derivation at all"
