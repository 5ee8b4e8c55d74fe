"""Options of the evidence log: where it is written down who was given which copy, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Kept:
    """Options of the evidence log."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    url: str = ""
    """``sqlite:///FILE`` or ``postgresql://…``; empty: nothing is written down."""
    days: float = 90.0
    """After which a copy is forgotten."""

    def __post_init__(self) -> None:
        if not self.days > 0:
            raise ValueError(f"days must be more than 0, not {self.days}")
        if self.url and not self.url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("want an URL that starts with sqlite:/// or postgresql://")
