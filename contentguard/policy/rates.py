"""How much one client may ask for, whatever it is and however politely it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from contentguard.limits import Limit


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one client (an IPv4 address, an IPv6 /64) may ask for."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    articles: str = "120/minute"
    """Full articles. An empty text switches the limit off."""
    requests: str = ""
    """Requests of any kind, pictures and scripts included; off by default: many readers may share one address."""
    clients: int = 200_000
    """How many clients are remembered at once."""

    def __post_init__(self) -> None:
        for text in (self.articles, self.requests):
            if text:
                Limit.parse(text)
        if not 1 <= self.clients <= 100_000_000:
            raise ValueError(f"clients must be 1 to 100,000,000, not {self.clients}")

    def parsed(self) -> tuple[Limit | None, Limit | None]:
        """The limits on articles and on requests."""
        articles, requests = (Limit.parse(text) if text else None for text in (self.articles, self.requests))
        return articles, requests
