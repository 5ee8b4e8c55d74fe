"""Rights and rules → Verdict.

A request is judged by ``decide``; a policy is written as ``Policy`` or read by ``read_policy`` from the settings;
what is published comes from ``published.terms``.
"""

from contentguard.policy.decide import decide, decide_article, over
from contentguard.policy.faults import PolicyError
from contentguard.policy.policy import Policy
from contentguard.policy.presets import PRESETS
from contentguard.policy.rates import Limits
from contentguard.policy.rights import DEFAULT_CRAWLERS, DEFAULT_RIGHTS
from contentguard.policy.rules import Header, Rule, Score, When
from contentguard.policy.score import score, tally
from contentguard.policy.verdicts import is_open, throttled
from contentguard.policy.written import read_policy

__all__ = [
    "DEFAULT_CRAWLERS",
    "DEFAULT_RIGHTS",
    "PRESETS",
    "Header",
    "Limits",
    "Policy",
    "PolicyError",
    "Rule",
    "Score",
    "When",
    "decide",
    "decide_article",
    "is_open",
    "over",
    "read_policy",
    "score",
    "tally",
    "throttled",
]
