"""What is wrong with a policy, all of it at once and each fault with the nearest right name.

Strategy: whoever checks a part appends to one list and goes on; only at the end is anything raised. So a person mends
a policy in one round and not in ten.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from contentguard.errors import Fault


class PolicyError(ValueError):
    """A policy holds faults. ``faults`` lists all of them; their places count from the policy."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


def unknown(where: str, found: object, kind: str, names: Iterable[str]) -> Fault:
    """The fault of a name that is none of ``names``."""
    known = list(map(str, names))
    near = difflib.get_close_matches(str(found).lower(), [name.lower() for name in known], 1, 0.6)
    nearest = next((name for name in known if near and name.lower() == near[0]), "")
    listed = ", ".join(known) if len(known) <= 16 else f"{len(known)} names"
    return Fault(where, shown(found), f"{kind}: {listed or 'there is none'}", nearest)


def shown(found: object) -> str:
    """What was found, short."""
    text = repr(found)
    return text if len(text) <= 80 else text[:77] + "…"
