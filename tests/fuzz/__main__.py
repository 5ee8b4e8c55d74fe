"""Hunts that are too long for every run of the tests.

    python -m tests.fuzz rewrite --pages N --seed S    mutated pages: identity, cuts, places
    python -m tests.fuzz splits                        every one-point split of every input of html5lib-tests
    python -m tests.fuzz corpus                        those inputs, judged and held against exceptions.json
    python -m tests.fuzz folder DIR...                 any folder of saved pages
    python -m tests.fuzz tokens --tries N --seed S     forged tickets, passes, links and proofs
    python -m tests.fuzz requests --requests N         requests judged: no exception, no verdict above a millisecond
    python -m tests.fuzz comments --comments N         hostile comments posted: an answer to each, and safe HTML

Each ends with 0 when it found nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz import comments, court, tokens
from tests.fuzz.folder import report, try_folder
from tests.fuzz.hunt import Finding, Tally, hunt, smallest
from tests.rewrite.corpus.adapter import MARKS
from tests.rewrite.corpus.inputs import FORMS, cases
from tests.rewrite.corpus.known import Verdict, differences, draft, listed, verdicts
from tests.rewrite.corpus.splits import ALL, SHORT, UnfaithfulError, check, one_point, two_point

_FINDINGS = Path(tempfile.gettempdir()) / "contentguard-fuzz"
_POSTS = 5_000
"""Comments posted to one site."""
_BLOCK = 250
"""Pages between two lines of progress."""


def main(arguments: list[str] | None = None) -> int:
    """Run one hunt; 0 when it found nothing, else 1."""
    options = _parser().parse_args(arguments)
    begin = time.monotonic()
    found: int = options.run(options)
    print(f"{time.monotonic() - begin:.0f} s")
    return min(found, 1)


def _rewrite(options: argparse.Namespace) -> int:
    tally, kinds = Tally(), Counter[str]()
    last, until = options.first + options.pages, time.monotonic() + options.seconds
    for first in range(options.first, last, _BLOCK):
        block = min(_BLOCK, last - first)
        for finding in hunt(options.seed, block, first=first, judge_each=options.judge_each, tally=tally):
            kinds[finding.kind] += 1
            if kinds[finding.kind] <= options.show:
                _tell(finding, options.out / f"{options.seed}-{finding.number}.html")
        _progress(f"{tally.pages} of {options.pages} pages, {kinds.total()} findings")
        if time.monotonic() > until:
            break
    print(*report(tally, kinds), sep="\n")
    return kinds.total()


def _tell(finding: Finding, path: Path) -> None:
    page = smallest(finding)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page)
    print(f"page {finding.number}: {finding.kind}\n  {finding.detail}\n  {len(page)} bytes in {path}: {page[:400]!r}")
    if finding.cuts:
        print(f"  cut at {list(finding.cuts)[:20]}")


def _splits(options: argparse.Namespace) -> int:
    reaches, runs, failed = (SHORT if options.short else ALL), 0, 0
    for form in options.form or FORMS:
        some = cases(form)[options.start :: options.step]
        for number, case in enumerate(some):
            ways = [*one_point(case, reaches[form]), *two_point(case, reaches[form])]
            try:
                runs += check(case.page, ways, containers=case.containers)
            except UnfaithfulError as error:
                failed += 1
                print(f"{case.id}: {error}")
            if number % _BLOCK == 0:
                _progress(f"{form}: {number} of {len(some)} inputs, {runs} runs, {failed} wrong")
    print(f"{runs} runs, {failed} pages came out wrong")
    return failed


def _corpus(options: argparse.Namespace) -> int:
    forms = options.form or FORMS
    seen = list(verdicts(forms))
    rewritten = [verdict for verdict in seen if verdict.rewritten]
    found = {verdict.case.id: verdict for verdict in rewritten if verdict.found}
    known = {case: problems for case, problems in listed().items() if case.rpartition(" ")[2] in forms}
    problems = {case: verdict.found for case, verdict in found.items()}
    if options.draft:
        print(json.dumps(draft(problems), indent=1))
        return 0
    lines = differences(known, problems)
    for line in lines:
        print(line, *_explained(line, found), sep="\n")
    share = 100 * (1 - len(found) / max(len(rewritten), 1))
    print(
        f"{len(seen)} pages, {len(rewritten)} rewritten, {len(found)} with something out of place ({share:.3f} % right)"
    )
    for name in rewritten[0].judged if rewritten else ():
        said = [verdict.judged[name] for verdict in rewritten]
        marks = f"marks {sum(j.right for j in said)} of {sum(j.expected for j in said)}; " if MARKS else ""
        print(f"  {name}: {marks}{sum(j.excused for j in said)} without a place for the widget")
    return len(lines)


def _explained(line: str, found: dict[str, Verdict]) -> list[str]:
    verdict = next((v for case, v in found.items() if f" {case} " in line), None)
    if verdict is None:
        return []
    details = [f"  {name}: {detail[:300]}" for name, j in verdict.judged.items() for detail in j.details[:2]]
    return [f"  {verdict.case.input[:300]!r}", *details]


def _folder(options: argparse.Namespace) -> int:
    tally, kinds = Tally(), Counter[str]()
    tried = try_folder(
        options.folders, seed=options.seed, chunkings=options.chunkings, limit=options.limit, tally=tally
    )
    for path, finding in tried:
        if finding is not None:
            kinds[finding.kind] += 1
            print(f"{path}: {finding.kind}\n  {finding.detail}")
        if tally.pages % _BLOCK == 0:
            _progress(f"{tally.pages} pages, {kinds.total()} findings")
    print(*report(tally, kinds), sep="\n")
    return kinds.total()


def _tokens(options: argparse.Namespace) -> int:
    found, tally, wrong = tokens.targets(options.seed), Counter[str](), 0
    until = time.monotonic() + options.seconds
    last = options.first + max(1, options.tries // (tokens.BLOCK * len(found)))
    for block in range(options.first, last):
        for finding in tokens.hunt(options.seed, range(block, block + 1), found, tally):
            wrong += 1
            print(finding)
        if block % _BLOCK == 0:
            _progress(f"block {block} of {last}, {wrong} accepted or broken")
        if time.monotonic() > until:
            break
    tries = sum(tally[name] for name in found)
    print(
        f"{tries:,} forgeries, {wrong} accepted or broken", *(f"  {kind}: {tally[kind]:,}" for kind in tally), sep="\n"
    )
    return wrong


def _requests(options: argparse.Namespace) -> int:
    tally, kinds = court.Tally(), Counter[str]()
    last, until = options.first + options.requests, time.monotonic() + options.seconds
    for first in range(options.first, last, options.block):
        block = min(options.block, last - first)
        for finding in court.hunt(options.seed, block, first=first, tally=tally):
            kinds[finding.kind] += 1
            if kinds[finding.kind] <= options.show:
                print(f"request {finding.number}: {finding.kind}\n  {finding.detail}", flush=True)
        _progress(f"{tally.judged:,} of {options.requests:,} requests, {kinds.total()} findings")
        if time.monotonic() > until:
            break
    print(*court.report(tally, kinds), sep="\n")
    return kinds.total()


def _comments(options: argparse.Namespace) -> int:
    tally, found = Counter[str](), 0
    last = options.first + options.comments
    for first in range(options.first, last, _POSTS):
        numbers = range(first, min(first + _POSTS, last))
        for finding in asyncio.run(comments.hunt(options.seed, numbers, tally)):
            found += 1
            print(finding[:2000])
        _progress(f"{numbers.stop:,} of {last:,} comments, {found} findings")
    print(*(f"  {kind}: {count:,}" for kind, count in sorted(tally.items())), sep="\n")
    return found


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    hunts = parser.add_subparsers(required=True)
    rewrite = hunts.add_parser("rewrite", help="mutated pages")
    rewrite.add_argument("--pages", type=int, default=100_000)
    rewrite.add_argument("--seed", type=int, default=1)
    rewrite.add_argument("--first", type=int, default=0, help="the number of the first page, to see one again")
    rewrite.add_argument("--seconds", type=float, default=float("inf"), help="stop after this long")
    rewrite.add_argument("--judge-each", type=int, default=1, help="ask the parsers about every N-th page")
    rewrite.add_argument("--show", type=int, default=3, help="how many findings of a kind to minimise and keep")
    rewrite.add_argument("--out", type=Path, default=_FINDINGS, help=f"where to keep them ({_FINDINGS})")
    rewrite.set_defaults(run=_rewrite)
    splits = hunts.add_parser("splits", help="every split of html5lib-tests")
    splits.add_argument("--form", action="append", choices=FORMS)
    splits.add_argument("--short", action="store_true", help="only those of the tests")
    splits.add_argument("--start", type=int, default=0)
    splits.add_argument("--step", type=int, default=1, help="every N-th input, to share the work out")
    splits.set_defaults(run=_splits)
    corpus = hunts.add_parser("corpus", help="html5lib-tests, judged")
    corpus.add_argument("--form", action="append", choices=FORMS)
    corpus.add_argument("--draft", action="store_true", help="print exceptions.json as it would have to be")
    corpus.set_defaults(run=_corpus)
    folder = hunts.add_parser("folder", help="folders of saved pages")
    folder.add_argument("folders", type=Path, nargs="+")
    folder.add_argument("--seed", type=int, default=1)
    folder.add_argument("--chunkings", type=int, default=4, help="ways to cut each page")
    folder.add_argument("--limit", type=int, help="no more pages than this")
    folder.set_defaults(run=_folder)
    judging = hunts.add_parser("requests", help="requests judged by the whole decision path")
    judging.add_argument("--requests", type=int, default=1_000_000)
    judging.add_argument("--seed", type=int, default=1)
    judging.add_argument("--first", type=int, default=0, help="the number of the first request, to see one again")
    judging.add_argument("--block", type=int, default=20_000, help="requests that one set of guards judges")
    judging.add_argument("--seconds", type=float, default=float("inf"), help="stop after this long")
    judging.add_argument("--show", type=int, default=5, help="how many findings of a kind to print")
    judging.set_defaults(run=_requests)
    posting = hunts.add_parser("comments", help="hostile comments")
    posting.add_argument("--comments", type=int, default=100_000)
    posting.add_argument("--seed", type=int, default=1)
    posting.add_argument("--first", type=int, default=0, help="the number of the first comment, to see one again")
    posting.set_defaults(run=_comments)
    forging = hunts.add_parser("tokens", help="forged tickets, passes, links and proofs")
    forging.add_argument("--tries", type=int, default=10_000_000)
    forging.add_argument("--seed", type=int, default=1)
    forging.add_argument("--first", type=int, default=0, help="the number of the first block, to see one again")
    forging.add_argument("--seconds", type=float, default=float("inf"), help="stop after this long")
    forging.set_defaults(run=_tokens)
    return parser


if __name__ == "__main__":
    sys.exit(main())
