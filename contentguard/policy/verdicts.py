"""Verdicts: what the words of rights and rules come to, and what the client is told."""

from __future__ import annotations

from contentguard.model import Action, Crawler, Facts, Rendition, Right, Standing, Verdict
from contentguard.policy.paths import is_readable, spellings
from contentguard.policy.rules import Rule

_OPEN_PATHS = frozenset(
    ("/robots.txt", "/sitemap.xml", "/favicon.ico", "/ads.txt", "/security.txt", "/llms.txt", "/license.xml")
)
_OPEN_PREFIX = "/.well-known/"

DENIED = "This site's policy does not allow this kind of automated access."
NOT_THE_ARTICLE = "This site's articles may not be copied by automated means without a licence."
CHARGED = "Automated access to this needs a licence."
TOO_FAST = "Too many articles were asked for in a short time."
WAIT = "One moment, please: this page can be read shortly."

FULL = Verdict(Action.ALLOW, Rendition.FULL, "readers")
"""What everybody gets of whom the policy says nothing else."""

UNREADABLE = Verdict(
    Action.DENY,
    Rendition.NONE,
    "limits.path",
    DENIED,
    "a path too long and too oddly spelled to be held against the rules",
)
"""What nobody gets where there are rules about paths: it could be any of them."""

CROWDED = Verdict(
    Action.DENY,
    Rendition.NONE,
    "limits.headers",
    DENIED,
    "more header lines than are read",
)
"""What nobody gets who sends more than ``MOST_HEADERS`` lines: what a rule is about could stand behind them."""

# Until excerpts are made, ``excerpt`` comes to the article's metadata.
_BY_RIGHT = {
    Right.ALLOW: (Action.ALLOW, Rendition.FULL, ""),
    Right.EXCERPT: (Action.ALLOW, Rendition.HEAD, ""),
    Right.HEAD: (Action.ALLOW, Rendition.HEAD, ""),
    Right.NO_ARTICLES: (Action.ALLOW, Rendition.NONE, NOT_THE_ARTICLE),
    Right.CHARGE: (Action.CHARGE, Rendition.NONE, CHARGED),
    Right.DENY: (Action.DENY, Rendition.NONE, DENIED),
}
_BY_ACTION = {
    Action.ALLOW: (Action.ALLOW, Rendition.FULL, ""),
    Action.LEAD: (Action.ALLOW, Rendition.LEAD, ""),
    Action.EXCERPT: (Action.ALLOW, Rendition.HEAD, ""),
    Action.HEAD: (Action.ALLOW, Rendition.HEAD, ""),
    Action.THROTTLE: (Action.THROTTLE, Rendition.NONE, TOO_FAST),
    Action.WAIT: (Action.WAIT, Rendition.NONE, WAIT),
    Action.CHARGE: (Action.CHARGE, Rendition.NONE, CHARGED),
    Action.DENY: (Action.DENY, Rendition.NONE, DENIED),
}


def by_right(right: Right, rule: str, crawler: Crawler, identity: Standing) -> Verdict:
    """What a robot's right comes to."""
    action, rendition, public = _BY_RIGHT[right]
    said = "" if identity is Standing.UNKNOWN else f", {identity.value}"
    return Verdict(action, rendition, rule, public, f"declared robot {crawler.name} ({crawler.purpose.value}{said})")


def by_rule(rule: Rule) -> Verdict:
    """What a rule decides; where it has a limit, without the time to wait."""
    action, rendition, public = _BY_ACTION[rule.action]
    over = f", over {rule.pace}" if rule.is_paced else ""
    return Verdict(action, rendition, rule.name, public, f"rule {rule.name}: {rule.action.value}{over}")


def throttled(facts: Facts, rule: str) -> Verdict:
    """The verdict on a client that has to wait for ``facts.wait`` seconds."""
    private = f"over {rule}, next request admitted in {facts.wait:.1f} s"
    return Verdict(Action.THROTTLE, Rendition.NONE, rule, TOO_FAST, private, retry_after=facts.wait)


def opened(verdict: Verdict) -> Verdict:
    """A refusal, on a path that is open to everybody: an article found there is still none for this client."""
    return Verdict(
        Action.ALLOW,
        Rendition.NONE,
        verdict.rule,
        NOT_THE_ARTICLE,
        verdict.private_reason,
        shadow=verdict.shadow,
        paces=verdict.paces,
    )


def is_open(path: str) -> bool:
    """Whether a path is one that robots are meant to read before anything else (RFC 8615, RFC 9309).

    Only in its one plain spelling: what is reached through it by dot segments is not open (CVE-2019-9901).
    """
    return path in _OPEN_PATHS or (path.startswith(_OPEN_PREFIX) and _stays(path))


def _stays(path: str) -> bool:
    return is_readable(path) and all(form.startswith(_OPEN_PREFIX) for form in spellings(path))


_RENDITIONS = {rendition: place for place, rendition in enumerate(Rendition)}
_ACTIONS = {action: place for place, action in enumerate(Action)}


def severity(verdict: Verdict) -> tuple[int, int]:
    """How strict a verdict is: refusals by the order of their actions, the rest by how much of an article leaves."""
    return _ACTIONS[verdict.action], _RENDITIONS[verdict.rendition]
