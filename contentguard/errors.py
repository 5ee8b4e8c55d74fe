"""The errors of this package.

    ContentGuardError
    └── SettingsError      the configuration holds faults; carries all of them

Requests never raise them: a page that cannot be rewritten leaves as it came, and a client that is refused gets a
response.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ContentGuardError(Exception):
    """Any error of this package."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a configuration."""

    where: str
    """The setting's dotted name, e.g. ``copying.policy``."""
    found: str
    expected: str
    nearest: str = ""
    """The right name that the found one is nearest to, if any is near."""
    stands_alone: bool = False
    """Whether ``expected`` is a sentence that says more than what was expected."""

    def __str__(self) -> str:
        hint = f" Did you mean {self.nearest!r}?" if self.nearest else ""
        expected = "" if self.stands_alone else "expected "
        end = "" if self.expected.endswith("?") else "."
        return f"{self.where}: found {self.found}; {expected}{self.expected}{end}{hint}"


class SettingsError(ContentGuardError):
    """The configuration holds faults. ``faults`` lists all of them, and so does the message."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = f"{len(self.faults)} fault{'s' if len(self.faults) != 1 else ''}"
        lines = "".join(f"\n  - {fault}" for fault in self.faults)
        super().__init__(f"The contentguard settings hold {count}:{lines}")
