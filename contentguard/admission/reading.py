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
