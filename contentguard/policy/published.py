"""The policy as terms to publish: what a robot that reads and obeys them has to be told.

Strategy: for each robot, the rules are read with what is known of an honest one: its name, its purpose, and that it is
no impostor. What then still depends on more than the path (a score, an address, a header) cannot be said to machines;
it is enforced all the same, and ``unpublished`` lists it. What remains are path patterns of which the first that
matches decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from contentguard.model import Action, Crawler, Purpose, Right
from contentguard.policy.intervals import Intervals, Span, beginning_with
from contentguard.policy.lines import Place, Said, ranked
from contentguard.policy.paths import Pattern, parse_pattern
from contentguard.policy.policy import Policy
from contentguard.policy.reach import Reach, reach
from contentguard.policy.rights import DEFAULT_CRAWLERS, refuses
from contentguard.policy.rules import Rule, When
from contentguard.terms import Terms, Use, Uses

PRIVATE = ("/.contentguard/",)
"""Paths of ours that are nobody's to index."""

_OPENS = frozenset({Action.ALLOW, Action.LEAD, Action.EXCERPT, Action.HEAD})
_CLOSES = frozenset({Action.CHARGE, Action.DENY})


class _Grant(NamedTuple):
    """When a use is granted: by which rights of its purpose, and by which actions of a rule."""

    purpose: Purpose
    rights: frozenset[Right]
    actions: frozenset[Action]


# A search index lives on links and excerpts, so metadata is enough; a model is fed with the article.
_EXCERPTS = frozenset({Right.ALLOW, Right.EXCERPT, Right.HEAD})
_USES = {
    Use.SEARCH: _Grant(Purpose.SEARCH, _EXCERPTS, _OPENS),
    Use.AI_INPUT: _Grant(Purpose.AI_SEARCH, frozenset({Right.ALLOW}), frozenset({Action.ALLOW})),
    Use.AI_TRAIN: _Grant(Purpose.AI_TRAINING, frozenset({Right.ALLOW}), frozenset({Action.ALLOW})),
}


class Unpublished(NamedTuple):
    """Something that is enforced and that machines are not told."""

    rule: str
    why: str


class Published:
    """What one policy says to machines; ``crawlers`` is the catalogue, ``private`` what is closed to all of them."""

    def __init__(self, policy: Policy, crawlers: Iterable[Crawler], private: Iterable[str] = PRIVATE) -> None:
        self._policy = policy
        self._crawlers = tuple(crawlers)
        self._private = tuple(map(parse_pattern, private))
        self._rules = [rule for rule in policy.effective_rules() if not rule.shadow]
        self._names = {rule.name: frozenset(_named(rule.when)) for rule in self._rules}
        self._named = frozenset(name for names in self._names.values() for name in names)
        self._alone = self._named.union(map(str.lower, (*policy.crawlers, *DEFAULT_CRAWLERS)))
        self._reaches: dict[tuple[str, str, str], Reach] = {}
        self._said: dict[tuple[Purpose | None, str], Said] = {}
        self._written: dict[tuple[tuple[Place, ...], bool], Said] = {}
        self._bearers = _bearers(self._crawlers)
        robots = {crawler.robots_token or "": self._lines(crawler).lines for crawler in self._bearers.values()}
        uses, self._places = self._uses()
        self._filed = Intervals(
            (Span(*beginning_with(pattern.prefix)), place) for place, (pattern, _) in enumerate(self._places)
        )
        places = tuple((str(pattern), granted) for pattern, granted in self._places)
        self.terms = Terms({**robots, "*": self._lines(None).lines}, uses, places, policy.max_snippet)

    def uses_at(self, path: str) -> Uses:
        """What is granted on one path: for each use the first place that matches and speaks of it."""
        places = self._filed.at(path) if self._places else ()
        if not places:
            return self.terms.uses
        found: dict[Use, bool] = {}
        for place in places:
            pattern, granted = self._places[place]
            if pattern.matches(path):
                found = {**granted, **found}
        return {**self.terms.uses, **found}

    def unpublished(self) -> list[Unpublished]:
        """What is enforced but not published, each with the reason."""
        found: dict[str, str] = {}
        told = [crawler for crawler in self._crawlers if crawler.robots_token is not None]
        kinds = {self._kind(crawler): crawler for crawler in told}
        named = {crawler.name.lower(): crawler for crawler in told if crawler.name.lower() in self._named}
        for rule in self._rules:
            asked = [None, *kinds.values(), *(named[name] for name in self._names[rule.name] if name in named)]
            if why := _why_unsaid(rule, [self._reach(rule, self._kind(one), self._name(one)) for one in asked]):
                found[rule.name] = why
        for crawler in (None, *kinds.values(), *named.values()):
            found |= dict.fromkeys(self._lines(crawler).unsaid, "it cannot be put before what contradicts it")
        rights = self._policy.effective_rights()
        for purpose, right in self._policy.effective_unverified().items():
            if refuses(right) and not refuses(rights[purpose]):
                found[f"unverified.{purpose.value}"] = "robots.txt cannot ask a robot to prove who it is"
        return [*(Unpublished(rule, why) for rule, why in found.items()), *self._followers()]

    def _followers(self) -> Iterator[Unpublished]:
        """Robots that obey another's name and are treated otherwise than that one."""
        for crawler in self._crawlers:
            bearer = self._bearers.get((crawler.robots_token or "").lower(), crawler)
            if self._lines(crawler).lines != self._lines(bearer).lines:
                right = self._policy.right_of(crawler)[1]
                yield Unpublished(right, f"{crawler.name} reads what robots.txt says to {bearer.name}")

    def _kind(self, crawler: Crawler | None) -> str:
        """The class of a robot; None is one that the catalogue does not know: a tool, by default."""
        return Purpose.TOOL.value if crawler is None else self._policy.compiled.kind_of(crawler)

    def _name(self, crawler: Crawler | None) -> str:
        """The name of a robot that any rule names; of all others it makes no difference."""
        name = "" if crawler is None else crawler.name.lower()
        return name if name in self._named else ""

    def _reach(self, rule: Rule, kind: str, name: str) -> Reach:
        """Where a rule holds for an honest robot."""
        key = rule.name, kind, name if name in self._names[rule.name] else ""
        if key not in self._reaches:
            self._reaches[key] = reach(rule.when, kind, key[2])
        return self._reaches[key]

    def _lines(self, crawler: Crawler | None) -> Said:
        # Robots that neither a rule nor an exception names are told the same if they have the same purpose.
        name = "" if crawler is None else crawler.name.lower()
        key = None if crawler is None else crawler.purpose, name if name in self._alone else ""
        if key not in self._said:
            policy = self._policy
            right = policy.effective_rights()[Purpose.TOOL] if crawler is None else policy.right_of(crawler)[0]
            self._said[key] = self._ranked(self._kind(crawler), self._name(crawler), granted=not refuses(right))
        return self._said[key]

    def _ranked(self, kind: str, name: str, *, granted: bool) -> Said:
        places = [Place("private", pattern, granted=False) for pattern in self._private]
        for rule in self._rules:
            if rule.action not in _OPENS | _CLOSES:
                continue
            found = self._reach(rule, kind, name)
            places += [Place(rule.name, pattern, rule.action in _OPENS) for pattern in found.patterns]
            if found.everywhere:
                granted = rule.action in _OPENS
                break
        known = tuple(places), granted
        if known not in self._written:
            self._written[known] = ranked(places, granted=granted)
        return self._written[known]

    def _uses(self) -> tuple[Uses, list[tuple[Pattern, Uses]]]:
        """What each use is granted, as a nameless robot of its purpose would find: by default, and by path."""
        rights = self._policy.effective_rights()
        default = {use: rights[grant.purpose] in grant.rights for use, grant in _USES.items()}
        places: list[tuple[Pattern, Uses]] = []
        open_uses = dict(_USES)
        for rule in self._rules:
            if rule.action not in _OPENS | _CLOSES:
                continue
            here: dict[Pattern, dict[Use, bool]] = {}
            closed = _closed_to_all(rule)
            for use, grant in tuple(open_uses.items()):
                found = self._reach(rule, grant.purpose.value, "")
                for pattern in found.patterns:
                    if pattern not in closed:
                        here.setdefault(pattern, {})[use] = rule.action in grant.actions
                if found.everywhere:
                    default[use] = rule.action in grant.actions
                    del open_uses[use]
            places += here.items()
        return default, places


def _bearers(crawlers: Iterable[Crawler]) -> dict[str, Crawler]:
    """For each product token, in lower case, the robot that speaks for it: of several, the one that bears it."""
    bearers: dict[str, Crawler] = {}
    for crawler in crawlers:
        token = crawler.robots_token
        if token is not None and (token.lower() not in bearers or token == crawler.name):
            bearers[token.lower()] = crawler
    return bearers


def _closed_to_all(rule: Rule) -> frozenset[Pattern]:
    """The patterns that no robot may fetch: nobody has a use to make of what lies there."""
    if rule.action not in _CLOSES:
        return frozenset()
    reaches = [reach(rule.when, purpose.value, "") for purpose in Purpose]
    return frozenset(reaches[0].patterns).intersection(*(found.patterns for found in reaches))


def _named(when: When) -> set[str]:
    inside = (name for part in when.parts() for name in _named(part))
    return {*map(str.lower, when.crawler), *inside}


def _why_unsaid(rule: Rule, found: list[Reach]) -> str:
    """Why a rule is not published for every robot that it concerns; empty where it is."""
    if rule.is_paced:
        return "a limit; robots.txt knows none"
    if any(one.unknown for one in found):
        kinds = [kind for kind in dict.fromkeys(rule.when.used()) if kind not in ("purpose", "crawler")]
        return f"it depends on {' and '.join(kinds)}, in a way that robots.txt cannot say"
    if not any(one.everywhere or one.patterns for one in found):
        return "it concerns no robot that says truly what it is"
    return ""
