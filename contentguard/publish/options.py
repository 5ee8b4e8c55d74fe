"""Options of what is published for robots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Robots:
    """``/robots.txt``, rendered from the policy."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    serve: bool = True
    """Answer ``/robots.txt`` where the app has none of its own."""
    sitemaps: tuple[str, ...] = ()
    """Sitemaps to name, as absolute URLs or as paths below ``origin``."""
    meta: bool = True
    """Say in articles' heads what the policy says to machines, as the headers do."""

    def __post_init__(self) -> None:
        """Refuse what robots could not fetch."""
        for sitemap in self.sitemaps:
            if not sitemap.startswith(("https://", "http://", "/")) or not sitemap.isprintable() or " " in sitemap:
                raise ValueError(f"sitemaps are URLs, or paths that start with /, not {sitemap!r}")
