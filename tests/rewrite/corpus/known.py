"""The exceptions that are known and understood, held against what is found.

``exceptions.json`` is a list of entries, each with one reason and the cases it explains: under ``found`` the kinds of
problem for each parser ("lexbor": "tree", nothing for one that finds nothing wrong), under ``cases`` the ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.rewrite.corpus.adapter import MARKS, rewrite
from tests.rewrite.corpus.inputs import FORMS, Case, cases_to_judge
from tests.rewrite.corpus.places import Judgement, judge_all
from tests.rewrite.corpus.splits import faithful

TABLE = Path(__file__).parent / "exceptions.json"

Found = dict[str, str]
"""Parser → kinds of problem, in one string."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A case, whether it was rewritten, and what was found wrong."""

    case: Case
    rewritten: bool
    judged: Mapping[str, Judgement]

    @property
    def found(self) -> Found:
        """The problems, as they stand in the table."""
        return {name: kinds(judgement) for name, judgement in self.judged.items() if judgement.problems}


def kinds(judgement: Judgement) -> str:
    """The kinds of problem, each once."""
    return " ".join(sorted(set(judgement.problems)))


def verdicts(forms: Iterable[str] = FORMS) -> Iterator[Verdict]:
    """Every input in every form, rewritten and judged. Raises ``UnfaithfulError`` for a page that was changed."""
    for form in forms:
        for case in cases_to_judge(form):
            rewritten = faithful(case.page, rewrite(case.page, containers=case.containers))
            judged = judge_all(case.page, rewritten, marks=MARKS)
            yield Verdict(case, bool(rewritten.insertions), judged)


def listed() -> dict[str, Found]:
    """Case → the problems that are understood. KeyError for an entry without a reason, ValueError for a case twice."""
    table: dict[str, Found] = {}
    for entry in json.loads(TABLE.read_text("utf-8")):
        assert entry["reason"].strip(), entry
        for case in entry["cases"]:
            if case in table:
                raise ValueError(f"{case} is listed twice")
            table[case] = dict(entry["found"])
    return table


def differences(known: Mapping[str, Found], found: Mapping[str, Found]) -> list[str]:
    """One line for every exception that is new, that is gone, or that is another than it was."""
    lines = [f"new: {case} {found[case]}" for case in found if case not in known]
    lines += [f"gone: {case} {known[case]}" for case in known if case not in found]
    lines += [f"changed: {c} {known[c]} to {found[c]}" for c in known if c in found and known[c] != found[c]]
    return lines


def draft(found: Mapping[str, Found]) -> list[dict[str, object]]:
    """``exceptions.json`` as it would have to be: what still happens keeps its reason, the rest has an empty one."""
    entries = json.loads(TABLE.read_text("utf-8"))
    kept = {case: entry for entry in entries for case in entry["cases"] if found.get(case) == entry["found"]}
    groups: dict[tuple[str, str], list[str]] = {}
    for case, problems in found.items():
        reason = kept[case]["reason"] if case in kept else ""
        groups.setdefault((reason, json.dumps(problems)), []).append(case)
    return [
        {"reason": reason, "found": json.loads(problems), "cases": cases}
        for (reason, problems), cases in sorted(groups.items())
    ]
