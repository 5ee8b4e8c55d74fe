"""``contentguard replay``: what a policy would have done with recorded traffic.

Strategy: one line at a time, in constant memory. Each request is judged as the guard would have judged it, its limits
taken from a store of their own that is driven by the log's clock, and compared with what the policy in force makes of
it: another settings file (``--against``), or what the log says became of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import replace

from contentguard.addresses import prefix
from contentguard.backends.memory import MemoryStore
from contentguard.cli.logs import read_line
from contentguard.cli.progress import Progress
from contentguard.cli.recorded import Recorded, UnreadableError
from contentguard.cli.report import Report, as_data, as_text
from contentguard.cli.senses import SENSES, Senses
from contentguard.cli.source import Source
from contentguard.limits import Limit
from contentguard.model import Action, Facts, Signal, Verdict
from contentguard.policy import decide, decide_article, over
from contentguard.policy.words import outcome
from contentguard.settings import Settings

_PAGES = frozenset(("", "html", "htm", "php", "asp", "aspx", "jsp"))
_EVERY = 256
"""Lines between two looks at the progress bar."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "logs", nargs="+", metavar="FILE", help="Facts or verdicts as JSON lines, or an access log; - for stdin"
    )
    parser.add_argument(
        "--settings", metavar="FILE", help="the policy to try (default: what CONTENTGUARD_SETTINGS names)"
    )
    parser.add_argument(
        "--against", metavar="FILE", help="the policy in force (default: what the log says became of it)"
    )
    parser.add_argument("--top", type=_positive, default=10, metavar="N", help="rows of each list (default: 10)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {number}")
    return number


class Judge:
    """One policy with its limits, on the clock of the log."""

    def __init__(self, settings: Settings, senses: Senses) -> None:
        self.policy = settings.policy
        self._caps = senses.caps
        self._articles, self._requests = settings.limits.parsed()
        # Nobody aims keys at the table of a replay, so its secret is none.
        self._store = MemoryStore(settings.limits.clients, secret=bytes(32))

    async def judge(self, recorded: Recorded, signals: tuple[Signal, ...]) -> Verdict:
        """The verdict on a request and, where it looks like an article, on its article."""
        facts, article = recorded.facts, is_page(recorded)
        if recorded.timed and (facts.wait or facts.waits):
            # Those were the limits of the policy of that day.
            facts = replace(facts, wait=0.0, waits=())
        if recorded.timed and self._requests:
            facts = _waiting(facts, await self._wait("r", self._requests, recorded))
        verdict = decide(self.policy, facts, signals, self._caps)
        if recorded.timed and verdict.paces:
            waits = {
                pace.rule: await self._wait(f"p{pace.rule}/", pace.limit, recorded)
                for pace in verdict.paces
                if article or not pace.articles
            }
            if any(waits.values()):
                verdict = decide(self.policy, over(facts, waits), signals, self._caps)
        if not article or verdict.action is not Action.ALLOW:
            return verdict
        if recorded.timed and self._articles and outcome(verdict) == "full":
            facts = _waiting(facts, await self._wait("a", self._articles, recorded))
        return decide_article(facts, verdict)

    async def _wait(self, kind: str, limit: Limit, recorded: Recorded) -> float:
        key = kind + (recorded.key or prefix(recorded.facts.client))
        decision = await self._store.take(key, limit, recorded.facts.now)
        return 0.0 if decision.allowed else max(decision.retry_after, 0.001)


def _waiting(facts: Facts, wait: float) -> Facts:
    return replace(facts, wait=wait) if wait else facts


def came_to(verdict: Verdict, recorded: Recorded) -> str:
    """What a verdict comes to for one request: a smaller rendition takes nothing from what is no article."""
    return outcome(verdict) if verdict.action is not Action.ALLOW or is_page(recorded) else "full"


def is_page(recorded: Recorded) -> bool:
    """Whether a request looks like one for an article: nothing in a log tells that for sure."""
    path = recorded.facts.path
    name = path.rpartition("/")[2]
    kind = name.rpartition(".")[2].lower() if "." in name else ""
    answered = recorded.status in (None, 200, 304, 402, 403, 429)
    return path != "/" and kind in _PAGES and recorded.facts.method in ("GET", "HEAD") and answered


async def replay(
    source: Source, settings: Settings, against: Settings | None, senses: Senses, progress: Progress
) -> Report:
    """Judge everything in ``source``."""
    report = Report()
    judge, other = Judge(settings, senses), Judge(against, senses) if against else None
    for place, line in source.lines():
        try:
            recorded = read_line(line)
        except UnreadableError as error:
            report.unreadable(place, line, str(error))
            continue
        facts = senses.identify(recorded.facts)
        recorded = recorded if facts is recorded.facts else replace(recorded, facts=facts)
        signals = (senses.signals(facts) if recorded.complete else ()) or recorded.signals
        verdict = await judge.judge(recorded, signals)
        before = came_to(await other.judge(recorded, signals), recorded) if other else recorded.outcome
        report.untimed += not recorded.timed
        report.unnamed += facts.crawler is None and facts.header(b"user-agent") is None
        kind = judge.policy.compiled.kind_of(facts.crawler)
        report.add(kind, facts.path, verdict, came_to(verdict, recorded), before)
        if report.requests % _EVERY == 0:
            progress.at(source.done, report.requests)
    progress.done()
    return report


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command: exit status 0, 1 where no line could be read, 2 where a file cannot be opened."""
    settings = Settings.load(options.settings)
    against = Settings.load(options.against) if options.against else None
    try:
        source = Source(options.logs)
        report = asyncio.run(replay(source, settings, against, senses, Progress(source.size, sys.stderr)))
    except (OSError, EOFError) as error:
        print(
            f"{getattr(error, 'filename', None) or 'the log'}: {getattr(error, 'strerror', None) or error}",
            file=sys.stderr,
        )
        return 2
    compared = options.against or "what the log says became of it"
    print(
        json.dumps(as_data(report, compared, options.top), indent=2)
        if options.json
        else as_text(report, compared, options.top)
    )
    return 0 if report.requests or not report.unread else 1
