"""What a replay found: counted as it goes, told as text or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from contentguard.cli.tables import Grid, Top
from contentguard.model import Verdict

OUTCOMES = ("full", "lead", "head", "none", "throttle", "wait", "charge", "deny")
_SERVED = frozenset(("full", "lead", "head", "none"))
_PATH = 200
"""Characters of a path that are kept."""
_REASONS = 50
"""How many reasons for lines that could not be read are told apart."""


class Change(NamedTuple):
    """Two policies come to two outcomes."""

    before: str
    after: str
    rule: str
    """The rule that decides under the new policy."""


class Report:
    """What was found in the traffic."""

    def __init__(self) -> None:
        self.requests = 0
        self.untimed = self.unnamed = 0
        self.unread: Counter[str] = Counter()
        self.first_unread = ""
        self.classes, self.rules = Grid(OUTCOMES), Grid(OUTCOMES)
        self.paths: Top[tuple[str, str]] = Top()
        self.changes: Counter[Change] = Counter()
        self.examples: dict[Change, str] = {}
        self.changed_paths: Top[tuple[str, str]] = Top()
        self.shadow: Counter[str] = Counter()

    def add(self, kind: str, path: str, verdict: Verdict, after: str, before: str | None) -> None:
        """Note what one verdict comes to (``after``), and what the policy in force came to, if that is known."""
        path = path[:_PATH]
        self.requests += 1
        self.classes.add(kind, after)
        self.rules.add(verdict.rule, after)
        self.shadow.update(verdict.shadow)
        if after != "full":
            self.paths.add((path, after))
        if before is None or before == after or (before == "served" and after in _SERVED):
            return
        change = Change(before, after, verdict.rule)
        self.changes[change] += 1
        self.examples.setdefault(change, path)
        self.changed_paths.add((path, f"{before} → {after}"))

    def unreadable(self, place: str, line: str, why: str) -> None:
        """Note a line that could not be read."""
        if not self.unread:
            self.first_unread = f"{place}: {why}: {_safe(line[:100].rstrip())}"
        known = why in self.unread or len(self.unread) < _REASONS
        self.unread[why if known else "other reasons"] += 1


def _safe(text: str) -> str:
    return text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode("ascii")


def as_text(report: Report, compared: str, top: int) -> str:
    """The report for people."""
    return "\n".join(_text(report, compared, top))


def _text(report: Report, compared: str, top: int) -> Iterator[str]:
    yield f"{report.requests:,} requests, {report.unread.total():,} lines that could not be read"
    if report.unread:
        yield from (f"  {count:,} × {why}" for why, count in report.unread.most_common())
        yield f"  the first: {report.first_unread}"
    if report.untimed:
        yield f"  {report.untimed:,} have no time: limits were not replayed for them"
    if report.unnamed:
        yield f"  {report.unnamed:,} have no User-Agent: robots among them were judged as readers"
    yield "  A GET of a path without a file's ending (or .html) counts as an article; a log does not tell."
    for title, grid in (("by class", report.classes), ("by rule", report.rules)):
        yield ""
        yield from grid.lines(title)
    yield from _list("paths that did not get everything", report.paths, top)
    if report.shadow:
        yield "\nin shadow, would have decided"
        yield from (f"  {count:>9,}  {rule}" for rule, count in report.shadow.most_common(top))
    yield f"\nagainst {compared}: {report.changes.total():,} requests come to something else"
    for change, count in report.changes.most_common(top):
        what = f"{change.before} → {change.after}, by {change.rule}"
        yield f"  {count:>9,}  {what}, e.g. {_safe(report.examples[change])}"
    yield from _list("paths that come to something else", report.changed_paths, top)


def _list(title: str, table: Top[tuple[str, str]], top: int) -> Iterator[str]:
    if len(table):
        yield f"\n{title}"
    for (path, what), count, missed in table.most(top):
        yield f"  {count:>9,}  {what}  {_safe(path)}" + (f"  (up to {missed:,} more)" if missed else "")


def as_data(report: Report, compared: str, top: int) -> dict[str, Any]:
    """The report for programs."""
    return {
        "requests": report.requests,
        "unread": dict(report.unread),
        "first_unread": report.first_unread,
        "untimed": report.untimed,
        "unnamed": report.unnamed,
        "classes": report.classes.rows,
        "rules": report.rules.rows,
        "paths": [[path, what, count, missed] for (path, what), count, missed in report.paths.most(top)],
        "shadow": dict(report.shadow),
        "against": compared,
        "changes": [
            {**change._asdict(), "requests": count, "example": report.examples[change]}
            for change, count in report.changes.most_common()
        ],
        "changed_paths": [[path, what, n, missed] for (path, what), n, missed in report.changed_paths.most(top)],
    }
