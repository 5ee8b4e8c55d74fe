"""Which sites may show an article inside a page of theirs.

Strategy: a policy of our own beside the app's. Of several policies each must agree (CSP3 §8.1), so one more can only
narrow what the app allows; but it puts ``X-Frame-Options`` out of force (CSP3 §6.4.2.3), so where the app has said
either, all is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from contentguard.rewrite.csp import names_ancestors

_SOURCE = re.compile(
    r"'self'|'none'|[a-z][a-z0-9+.-]*:"
    r"|(?:[a-z][a-z0-9+.-]*://)?(?:\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(?:[0-9]+|\*))?/?",
    re.IGNORECASE,
)
"""CSP3 §6.4.2 ancestor-source, without a path: an ancestor's is not looked at."""
_KNOWN = (b"deny", b"sameorigin")
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Framing:
    """Who may frame articles."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    ancestors: tuple[str, ...] = ()
    """What an article's ``frame-ancestors`` says where the app says nothing: ``'self'``, ``https://partner.example``,
    or ``'none'`` alone. Empty: nothing is added, for who frames a site today must not find it gone tomorrow."""

    def __post_init__(self) -> None:
        """Refuse what browsers would not understand."""
        for source in self.ancestors:
            # "self" without quotes would be a host of that name.
            if source.lower() in ("self", "none") or _SOURCE.fullmatch(source) is None:
                raise ValueError(f"want 'self', 'none' or origins like https://partner.example, not {source!r}")
        if len(self.ancestors) > 1 and "'none'" in [source.lower() for source in self.ancestors]:
            raise ValueError("want 'none' alone, for it stands beside nothing")

    def headers(self, policies: Sequence[str], options: Sequence[bytes]) -> Headers:
        """What an article's response says besides what it says already.

        ``policies``, ``options``: the app's Content-Security-Policy and X-Frame-Options values.
        """
        if not self.ancestors or names_ancestors(policies) or has_frame_options(options):
            return []
        closed = self.ancestors[0].lower() == "'none'"
        policy = "frame-ancestors " + " ".join(self.ancestors)
        # The older header for what knows no other; a browser that knows the policy does not look at it.
        older = (b"x-frame-options", b"DENY" if closed else b"SAMEORIGIN")
        return [(b"content-security-policy", policy.encode("ascii")), older]


def has_frame_options(options: Sequence[bytes]) -> bool:
    """Whether X-Frame-Options values forbid anything (HTML §7.4.1: all but two words are not heeded)."""
    return any(word.strip().lower() in _KNOWN for value in options for word in value.split(b","))
