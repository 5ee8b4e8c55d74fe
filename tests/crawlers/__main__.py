"""``python -m tests.crawlers FILE``: how well the catalogue tells robots from browsers, on User-Agents of one's own.

FILE is JSON: ``{"robots": [...], "browsers": [...]}``, or groups of such lists by any name, over or under these
(``{"source": {"browsers": [...]}}``, ``{"browsers": {"source": [...]}}``); what stands under ``browsers`` should not
be recognised, everything else should. Prints for each list how many are, the rate with its upper bound (95 %,
one-sided), and at the end what they come to together: recall and false positives. ``--without FILE`` leaves out what
stands in another such file (what rules were tuned on), ``--show N`` prints the first N that came out wrong.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from contentguard.crawlers import CATALOGUE
from tests.calibrate.judge import at_most


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.crawlers", description="Try the catalogue on User-Agents.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--without", type=Path, metavar="FILE", help="leave out the User-Agents of this file")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print the first N that came out wrong")
    chosen = parser.parse_args(arguments)
    known = _all(chosen.without) if chosen.without else frozenset[str]()
    seen: dict[bool, set[str]] = {True: set(), False: set()}
    failed: dict[bool, set[str]] = {True: set(), False: set()}
    for name, agents in lists(json.loads(chosen.file.read_text("utf-8"))):
        browsers = "browsers" in name.split("/")
        kept = [agent for agent in dict.fromkeys(agents) if agent not in known]
        found = [(agent, CATALOGUE.match(agent.encode("utf-8", "replace"))) for agent in kept]
        wrong = [(agent, robot) for agent, robot in found if (robot is not None) is browsers]
        print(f"{name}: {_rate('taken for robots' if browsers else 'missed', len(wrong), len(found))}")
        for agent, robot in wrong[: chosen.show]:
            print(f"  {robot.name if robot else '-'} | {agent[:200]}")
        seen[browsers].update(kept)
        failed[browsers].update(agent for agent, _ in wrong)
    print(f"all robots: {_rate('missed', len(failed[False]), len(seen[False]))}")
    print(f"all browsers: {_rate('taken for robots', len(failed[True]), len(seen[True]))}")
    return 0


def _rate(what: str, wrong: int, all_of_them: int) -> str:
    share, most = wrong / max(all_of_them, 1), at_most(wrong, all_of_them)
    return f"{wrong} of {all_of_them} {what}, {share:.3%} (at most {most:.3%})"


def _all(path: Path) -> frozenset[str]:
    return frozenset(agent for _, agents in lists(json.loads(path.read_text("utf-8"))) for agent in agents)


def lists(tree: Any, name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every list of texts in a document, with the names that lead to it."""
    if isinstance(tree, list):
        yield name, [text for text in tree if isinstance(text, str)]
    elif isinstance(tree, dict):
        for key, inner in tree.items():
            yield from lists(inner, f"{name}/{key}" if name else key)


if __name__ == "__main__":
    raise SystemExit(main())
