"""The policy: one immutable value that says who may have what.

Strategy: what a person writes stays readable here; ``compiled`` is the same policy made ready to judge by, made once.
Everything that is enforced and everything that is published comes from this object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

from contentguard.errors import Fault
from contentguard.model import Crawler, Purpose, Right, Standing
from contentguard.policy.checks import crawler_faults, rule_faults, threshold_faults
from contentguard.policy.compiled import Compiled
from contentguard.policy.faults import PolicyError, shown, unknown
from contentguard.policy.presets import PRESETS, Preset
from contentguard.policy.rights import DEFAULT_CRAWLERS, stricter
from contentguard.policy.rules import Rule


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may have what. Raises ``PolicyError`` (a ValueError) with every fault at once.

    A request is judged by the first of ``rules`` that holds, then by the preset's rules, then, where it is a declared
    robot's, by the right of its name or purpose; everybody else reads.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "arbitrary_types_allowed": True}

    rights: Mapping[Purpose, Right] = field(default_factory=dict)
    """Purpose → right, for those that differ from the preset."""
    crawlers: Mapping[str, Right] = field(default_factory=dict)
    """A robot's name in the catalogue → its right, whatever its purpose's is."""
    preset: str = "press"
    """The policy to begin with: ``open``, ``press``, ``strict`` or ``classic-wordpress``."""
    unverified: Mapping[Purpose, Right] = field(default_factory=dict)
    """Purpose → right of robots that have not proved who they are, where it is stricter than their purpose's."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Name → score, for those that differ from the preset and for new ones."""
    rules: tuple[Rule, ...] = ()
    """Rules of one's own; one that has the name of a preset's rule takes its place."""
    shadow: tuple[str, ...] = ()
    """Names of rules, a preset's too, that are tried and not acted on."""
    max_snippet: int = -1
    """The longest snippet, in characters, that search engines are asked to show; -1 says nothing about it."""
    compiled: Compiled = field(init=False, repr=False, compare=False)
    """This policy, ready to judge by."""

    def __post_init__(self) -> None:
        faults = list(policy_faults(vars_of(self)))
        if faults:
            raise PolicyError(faults)
        made = Compiled(self.effective_rules(), self.effective_thresholds(), self.right_of, self._screenless())
        object.__setattr__(self, "compiled", made)

    @property
    def begins_with(self) -> Preset:
        """The preset."""
        return PRESETS[self.preset]

    def effective_rights(self) -> dict[Purpose, Right]:
        """Every purpose with the right it has under this policy."""
        return {**self.begins_with.rights, **self.rights}

    def effective_unverified(self) -> dict[Purpose, Right]:
        """The purposes whose robots must prove who they are, each with the right of those that have not."""
        return {**self.begins_with.unverified, **self.unverified}

    def effective_thresholds(self) -> dict[str, float]:
        """Every threshold by its name."""
        return {**self.begins_with.thresholds, **self.thresholds}

    def effective_rules(self) -> tuple[Rule, ...]:
        """All rules in the order in which they are tried."""
        own = {rule.name for rule in self.rules}
        preset = (rule for rule in self.begins_with.rules if rule.name not in own)
        return tuple(
            replace(rule, shadow=True) if rule.name in self.shadow else rule for rule in (*self.rules, *preset)
        )

    def right_of(self, crawler: Crawler, identity: Standing = Standing.VERIFIED) -> tuple[Right, str]:
        """A robot's right, and the name of what gives it."""
        wanted, purpose = crawler.name.lower(), crawler.purpose
        for table in (self.crawlers, DEFAULT_CRAWLERS):
            for name, right in table.items():
                if name.lower() == wanted:
                    return right, f"crawlers.{crawler.name}"
        # Asked for every robot of the catalogue: no table is put together for it.
        right = self.rights.get(purpose, self.begins_with.rights[purpose])
        least = right if identity is Standing.VERIFIED else self.effective_unverified().get(purpose, right)
        if stricter(right, least) is not right:
            return least, f"unverified.{purpose.value}"
        return right, f"rights.{purpose.value}"

    def _screenless(self) -> frozenset[str]:
        """Robots that are judged like readers, unless this policy names them."""
        return frozenset(map(str.lower, DEFAULT_CRAWLERS)) - frozenset(map(str.lower, self.crawlers))


def vars_of(policy: Policy) -> dict[str, Any]:
    """What a policy was made of, by name."""
    return {part.name: getattr(policy, part.name) for part in fields(policy) if part.init}


def policy_faults(made_of: Mapping[str, Any], crawlers: Iterable[str] | None = None) -> Iterator[Fault]:
    """What is wrong with the policy that ``made_of`` would make; ``crawlers``: the catalogue's names, if known."""
    preset = PRESETS.get(made_of.get("preset", "press"))
    if preset is None:
        yield unknown("preset", made_of["preset"], "one of", PRESETS)
        preset = PRESETS["press"]
    own: Sequence[Rule | None] = made_of.get("rules", ())
    thresholds = made_of.get("thresholds", {})
    yield from threshold_faults(thresholds)
    yield from rule_faults(own, {**preset.thresholds, **thresholds})
    if crawlers is not None:
        yield from crawler_faults(own, made_of.get("crawlers", {}), crawlers)
    names = [rule.name for rule in (*own, *preset.rules) if rule is not None]
    for name in made_of.get("shadow", ()):
        if name not in names:
            yield unknown("shadow", name, "the name of a rule", names)
    if made_of.get("max_snippet", -1) < -1:
        yield Fault("max_snippet", shown(made_of["max_snippet"]), "a number of characters, or -1")
