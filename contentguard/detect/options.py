"""What the site's owner may say about the noticing of visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Visits:
    """What is remembered of clients between requests, in this process's memory."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    remember: bool = True
    """Notice what clients do from one article to the next. Off: requests are judged one by one, and articles hold no
    probes."""
    cookie: bool = True
    """Give readers a signed first-party cookie that tells one visit from another. Without it a client is known by its
    address and headers."""
    hours: float = 24.0
    """How long a visit lasts at most."""
    clients: int = 100_000
    """How many are remembered at once, 56 bytes each."""

    def __post_init__(self) -> None:
        """Refuse what remembers nobody."""
        if not 0.0 < self.hours <= 24.0:
            raise ValueError(f"visits.hours: more than 0 and at most 24, not {self.hours}")
        if not 1_000 <= self.clients <= 10_000_000:
            raise ValueError(f"visits.clients: 1,000 to 10,000,000, not {self.clients}")
