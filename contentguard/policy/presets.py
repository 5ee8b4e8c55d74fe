"""Whole policies to begin with, as data. What a site writes itself goes before them, word by word.

A new preset is one value here. The thresholds are scores in nats (see ``score.py``), on the scale of
``data/weights.toml``: 3 is about one group at its cap, 8 is more than a reader's surroundings can bring about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from contentguard.model import Action, Purpose, Right
from contentguard.policy.rights import DEFAULT_RIGHTS
from contentguard.policy.rules import READER, ROBOT, Rule, Score, When

THRESHOLDS: Mapping[str, float] = MappingProxyType({"suspicious": 1.0, "lead-only": 3.0, "wait": 5.0, "refuse": 8.0})


@dataclass(frozen=True, slots=True)
class Preset:
    """A policy to begin with."""

    says: str
    """What it is for, in a sentence."""
    rights: Mapping[Purpose, Right] = field(default_factory=lambda: DEFAULT_RIGHTS)
    unverified: Mapping[Purpose, Right] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=lambda: THRESHOLDS)
    rules: tuple[Rule, ...] = ()


_SPOOFED = Rule("spoofed", Action.DENY, When(identity=("spoofed",)))
_REFUSE = Rule("refuse", Action.DENY, When(purpose=(READER,), score=Score("refuse")))
# In shadow: how articles are read (``reading.mode``) decides who gets a lead; this counts who would by score alone.
_LEAD_ONLY = Rule("lead-only", Action.LEAD, When(purpose=(READER,), score=Score("lead-only")), shadow=True)

_OPEN = MappingProxyType(dict.fromkeys(Purpose, Right.ALLOW))
_STRICT = MappingProxyType(
    {
        **dict.fromkeys(Purpose, Right.DENY),
        Purpose.SEARCH: Right.ALLOW,
        Purpose.LINK_PREVIEW: Right.HEAD,
        Purpose.FEED: Right.HEAD,
        Purpose.USER_FETCH: Right.NO_ARTICLES,
        Purpose.MONITORING: Right.NO_ARTICLES,
        Purpose.TOOL: Right.NO_ARTICLES,
    }
)

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "open": Preset(
            "everything is for everybody; only who lies about its name is refused",
            rights=_OPEN,
            rules=(_SPOOFED,),
        ),
        "press": Preset(
            "found by search, previewed when shared, not copied",
            rules=(_SPOOFED, _REFUSE, _LEAD_ONLY),
        ),
        "strict": Preset(
            "whole articles for readers and verified search engines only",
            rights=_STRICT,
            unverified=MappingProxyType({Purpose.SEARCH: Right.EXCERPT}),
            thresholds=MappingProxyType({**THRESHOLDS, "lead-only": 2.0}),
            rules=(_SPOOFED, _REFUSE, _LEAD_ONLY),
        ),
        "classic-wordpress": Preset(
            "press, for a WordPress site: robots also keep out of its other doors, where the same articles lie",
            rules=(
                _SPOOFED,
                _REFUSE,
                _LEAD_ONLY,
                Rule("wp-ajax", Action.ALLOW, When(purpose=("search",), path=("/wp-admin/admin-ajax.php",))),
                Rule(
                    "wp-doors",
                    Action.DENY,
                    When(purpose=(ROBOT,), path=("/wp-admin/", "/wp-json/", "/wp-login.php", "/xmlrpc.php")),
                ),
            ),
        ),
    }
)
