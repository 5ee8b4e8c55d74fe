"""What the site's owner may say about reading without a pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Reading:
    """How articles are read by who has not earned a pass yet."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    mode: Literal["progressive", "open", "off"] = "progressive"
    """``progressive``: the first paragraphs at once, the rest while they are read. ``open``: all of it, until somebody
    looks suspicious. ``off``: all of it."""
    undivided: Literal["whole", "wait"] = "whole"
    """Articles that cannot be cut in two (one block, a table, a page that scripts take over). ``whole``: they come
    whole, but for who looks suspicious. ``wait``: who has no pass comes to them by way of a page of two seconds."""
