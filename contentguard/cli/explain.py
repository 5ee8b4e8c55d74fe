"""``contentguard explain``: why one request gets what it gets, and what would change that.

Strategy: everything is gathered into one value first; it is printed as text or as JSON, and both say the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contentguard.cli.copied import is_command, read_command
from contentguard.cli.har import is_archive, read_archive
from contentguard.cli.headers import Saved, path_of, read_headers
from contentguard.cli.recorded import Recorded, UnreadableError, read_facts, read_record
from contentguard.cli.senses import SENSES, Senses
from contentguard.model import Facts, Standing, Verdict
from contentguard.policy import Policy, decide, decide_article, tally
from contentguard.policy.score import Tally
from contentguard.policy.whatif import Change, changes
from contentguard.policy.words import outcome, rule_in_words
from contentguard.settings import Settings

_TOLD = {
    "full": "everything, articles whole",
    "search": "everything, and of an article the word that readers see its rest later",
    "lead": "everything, but of an article its lead; the rest when it has been earned",
    "head": "everything, but of an article its metadata only",
    "none": "everything but articles (403 in their place)",
    "throttle": "429, with the time to wait",
    "wait": "429, with the time to wait",
    "charge": "402, with the licence",
    "deny": "403",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("facts", nargs="?", metavar="FACTS.json", help="the facts of a request as JSON; - for stdin")
    parser.add_argument("--header-file", metavar="FILE", help="a request as people save it: HAR, Copy as cURL, curl -v")
    parser.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)")
    parser.add_argument("--client", metavar="ADDRESS", help="the client's address")
    parser.add_argument("--path", help="the path that was asked for")
    parser.add_argument("--method", help="the method, like GET")
    parser.add_argument(
        "--identity", choices=[identity.value for identity in Standing], help="who the robot turned out to be"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision, with all that it rests on."""

    policy: Policy
    facts: Facts
    verdict: Verdict
    groups: tuple[Tally, ...]
    changes: tuple[Change, ...]

    @property
    def article(self) -> Verdict:
        """The verdict on a response that holds an article."""
        return decide_article(self.facts, self.verdict)

    @property
    def rule(self) -> str:
        """The rule that decided, in words; empty where it is no rule but a right or a default."""
        thresholds = self.policy.effective_thresholds()
        rules = {rule.name: rule for rule in self.policy.effective_rules()}
        rule = rules.get(self.verdict.rule)
        return "" if rule is None else rule_in_words(rule, thresholds)


def explain(policy: Policy, recorded: Recorded, senses: Senses = SENSES) -> Explanation:
    """Judge a request, and find out what would change the verdict."""
    facts = senses.identify(recorded.facts)
    signals = (senses.signals(facts) if recorded.complete else ()) or recorded.signals
    verdict = decide(policy, facts, signals, senses.caps)
    groups = tuple(tally(signals, senses.caps))
    return Explanation(policy, facts, verdict, groups, tuple(changes(policy, facts, signals, senses.caps)))


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command: exit status 0, or 2 where there is nothing to judge. Raises ``SettingsError`` for wrong settings."""
    settings = Settings.load(options.settings)
    try:
        recorded = _asked(options)
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2
    found = explain(settings.policy, recorded, senses)
    print(json.dumps(as_data(found), indent=2) if options.json else "\n".join(as_text(found)))
    return 0


def _asked(options: argparse.Namespace) -> Recorded:
    if bool(options.facts) == bool(options.header_file):
        raise UnreadableError("one request is wanted: FACTS.json or --header-file FILE")
    text = _read(options.facts or options.header_file)
    recorded = _from_headers(text, options.path or "") if options.header_file else _from_json(text)
    given = {"client": options.client, "path": options.path, "method": options.method}
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if options.path is not None:
        changed["path"] = path_of(options.path)
    if options.identity is not None:
        changed["identity"] = Standing(options.identity)
    return replace(recorded, facts=replace(recorded.facts, **changed))


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text("utf-8", "replace")
    except OSError as error:
        raise UnreadableError(f"{name}: no readable file ({error.strerror})") from None


def _from_json(text: str) -> Recorded:
    try:
        return read_record(json.loads(text))
    except (json.JSONDecodeError, RecursionError) as error:
        raise UnreadableError(f"not one JSON object: {error}; for headers there is --header-file") from None


def _saved(text: str, path: str) -> Saved:
    """A request in whatever form it was saved. ``path``: which of several is meant."""
    if is_archive(text):
        return read_archive(text, path_of(path))
    return read_command(text) if is_command(text) else read_headers(text)


def _from_headers(text: str, path: str) -> Recorded:
    try:
        saved = _saved(text, path)
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    facts = read_facts({"method": saved.method, "path": path_of(saved.target), "headers": saved.headers})
    return Recorded(replace(facts, scheme=saved.scheme, http_version=saved.http_version, proxied=not saved.as_sent))


def as_text(found: Explanation) -> Iterator[str]:
    """The explanation for people."""
    facts, verdict = found.facts, found.verdict
    yield _safe(f"{facts.method} {facts.path} by {facts.client or 'an unknown address'}")
    crawler = facts.crawler
    who = (
        f"{crawler.name} ({crawler.purpose.value}), identity {facts.identity.value}" if crawler else "no declared robot"
    )
    yield _safe(f"  {who}; judged as {found.policy.compiled.kind_of(crawler)}")
    if facts.proxied:
        yield "  not as its client sent it: what a direct connection shows is left out"
    yield ""
    yield from _signals_as_text(found)
    yield ""
    yield f"Verdict: {outcome(verdict)}: {_TOLD[outcome(verdict)]}"
    if outcome(found.article) != outcome(verdict):
        yield f"  of an article: {outcome(found.article)}: {_TOLD[outcome(found.article)]}"
    yield _safe(f"  by {verdict.rule}{': ' + found.rule if found.rule else ''}")
    if verdict.private_reason:
        yield _safe(f"  because: {verdict.private_reason}")
    if verdict.public_reason:
        yield f"  told: {verdict.public_reason}"
    for name in verdict.shadow:
        yield f"  in shadow, would have decided: {name}"
    for pace in verdict.paces:
        yield f"  as long as it keeps to {pace.rule}: {pace.limit} of {'articles' if pace.articles else 'requests'}"
    yield ""
    yield "What would change it" if found.changes else "Nothing else about it would change that."
    width = max((len(change.what) for change in found.changes), default=0)
    for change in found.changes:
        yield _safe(f"  {change.what:<{width}}  → {outcome(change.verdict)}, by {change.verdict.rule}")


def _signals_as_text(found: Explanation) -> Iterator[str]:
    signals = found.verdict.signals
    thresholds = ", ".join(f"{name} {value:g}" for name, value in found.policy.effective_thresholds().items())
    if not signals:
        yield f"No signal was noticed; score 0 ({thresholds})"
        return
    width = max(len(signal.name) for signal in signals)
    yield "Signals"
    for signal in signals:
        yield _safe(f"  {signal.name:<{width}}  {signal.weight:+7.2f}  {signal.group}")
    yield "Groups"
    for group in found.groups:
        capped = f", capped at {group.cap:g}" if group.counts != group.total else ""
        yield _safe(f"  {group.group or '(none)':<{width}}  {group.counts:+7.2f}  of {group.total:+.2f}{capped}")
    yield f"Score {sum(group.counts for group in found.groups):.2f} ({thresholds})"


def _safe(text: str) -> str:
    """``text`` fit for a terminal: what a client chose cannot move the cursor."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def as_data(found: Explanation) -> dict[str, Any]:
    """The explanation for programs."""
    facts = found.facts.as_dict()
    return {
        "facts": facts,
        "class": found.policy.compiled.kind_of(found.facts.crawler),
        "groups": [group._asdict() for group in found.groups],
        "thresholds": found.policy.effective_thresholds(),
        "verdict": _verdict(found.verdict),
        "article": _verdict(found.article),
        "conditions": found.rule,
        "limits": [
            [pace.rule, str(pace.limit), "articles" if pace.articles else "requests"] for pace in found.verdict.paces
        ],
        "changes": [
            {"kind": change.kind, "what": change.what, "verdict": _verdict(change.verdict)} for change in found.changes
        ],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": outcome(verdict),
        "status": verdict.status,
        "public_reason": verdict.public_reason,
        **verdict.as_dict(),
    }
