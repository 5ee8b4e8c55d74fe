"""``python -m tests.benchmarks [NAME …]``: measure, print a table, and write the figures as JSON if asked to.

A new group of figures is one file with a function ``run(options)`` and one line in ``BENCHMARKS``. Benchmarks print;
they never judge what they print. Exit status 2 for a wrong name, 1 where something could not be measured: what it was
is said last, and everything else is printed and written all the same.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks import admission, comments, decide, governor, redis, rewrite, serve, watermark
from tests.benchmarks.measure import Benchmark, Figures, MeasureError, Options, gathered
from tests.benchmarks.versions import about

BENCHMARKS: Mapping[str, Benchmark] = {
    "serve": serve.run,
    "rewrite": rewrite.run,
    "decide": decide.run,
    "admission": admission.run,
    "redis": redis.run,
    "governor": governor.run,
    "watermark": watermark.run,
    "comments": comments.run,
}
"""Name → what measures it."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure contentguard.")
    made.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)} (default: all)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write one flat object, figure name → number")
    made.add_argument("--rounds", type=_rounds, metavar="N", help="alternated rounds (default: 7, quick: 1)")
    made.add_argument("--quick", action="store_true", help="short runs: rough figures, in about a minute")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was named; return the exit status."""
    made = parser()
    chosen = made.parse_args(arguments)
    for name in chosen.names:
        if name not in BENCHMARKS:
            made.error(_unknown(name))
    options = Options(chosen.rounds or (1 if chosen.quick else 7), chosen.quick)
    print(about(), end="\n\n", flush=True)
    start = time.monotonic()
    fault = ""
    try:
        named = dict.fromkeys(chosen.names or BENCHMARKS)
        figures = gathered(partial(BENCHMARKS[name], options) for name in named)
    except MeasureError as error:
        figures, fault = error.figures, str(error)
    print(table(figures))
    print(f"{len(figures)} figures in {time.monotonic() - start:.0f} s", file=sys.stderr)
    if chosen.json is not None:
        flat = {name: float(f"{figure.value:.4g}") for name, figure in figures.items()}
        chosen.json.write_text(json.dumps(flat, indent=1) + "\n", "utf-8")
    if fault:
        print(f"could not be measured: {fault}", file=sys.stderr)
    return 1 if fault else 0


def table(figures: Figures) -> str:
    """The figures as text, one per line."""
    width = max(map(len, figures), default=0)
    return "\n".join(
        f"{name:<{width}}  {_number(figure.value):>9} {figure.unit:<2}  {figure.meaning}"
        for name, figure in figures.items()
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _rounds(written: str) -> int:
    rounds = int(written)
    if rounds < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {written}")
    return rounds


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, list(BENCHMARKS), 1, 0.4)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"unknown benchmark {name!r}{hint}; there are {', '.join(BENCHMARKS)}"


if __name__ == "__main__":
    sys.exit(main())
