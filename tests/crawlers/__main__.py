"""``python -m tests.crawlers FILE``: how well the catalogue tells robots from browsers, on User-Agents of one's own.

FILE is JSON: ``{"robots": [...], "browsers": [...]}``, or groups of such lists by any name (``{"source": {...}}``);
what stands under ``browsers`` should not be recognised, everything else should. Prints for each list how many are
recognised, the rate with its upper bound (95 %, one-sided), and with ``--show N`` the first N that came out wrong.
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
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print the first N that came out wrong")
    chosen = parser.parse_args(arguments)
    for name, agents in lists(json.loads(chosen.file.read_text("utf-8"))):
        browsers = name.rpartition("/")[2] == "browsers"
        found = [(agent, CATALOGUE.match(agent.encode("utf-8", "replace"))) for agent in dict.fromkeys(agents)]
        wrong = [(agent, robot) for agent, robot in found if (robot is not None) is browsers]
        what = "taken for robots" if browsers else "missed"
        share, most = len(wrong) / max(len(found), 1), at_most(len(wrong), len(found))
        print(f"{name}: {len(wrong)} of {len(found)} {what}, {share:.3%} (at most {most:.3%})")
        for agent, robot in wrong[: chosen.show]:
            print(f"  {robot.name if robot else '-'} | {agent[:200]}")
    return 0


def lists(tree: Any, name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every list of texts in a document, with the names that lead to it."""
    if isinstance(tree, list):
        yield name, [text for text in tree if isinstance(text, str)]
    elif isinstance(tree, dict):
        for key, inner in tree.items():
            yield from lists(inner, f"{name}/{key}" if name else key)


if __name__ == "__main__":
    raise SystemExit(main())
