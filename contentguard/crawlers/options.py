"""How declared robots are verified: the options of this room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from contentguard.crawlers.agents import AgentError, split_url
from contentguard.model import Purpose


@dataclass(frozen=True, slots=True)
class Identification:
    """Address lists, DNS and signatures. ValueError when an agent is no https origin."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    ranges: str = ""
    """A file of address lists, as ``contentguard crawlers update`` writes it; empty: those of the package alone."""
    dns: bool = True
    """Whether the system's resolver is asked for the names of who says to be a robot that has such names."""
    signatures: bool = True
    """Whether Web Bot Auth signatures are verified; that needs ``contentguard[agents]``."""
    agents: Mapping[str, Purpose] = field(default_factory=dict)
    """Origins of further signing agents whose key directories are fetched, and what for they count."""
    discover: bool = False
    """Fetch the key directory of any agent that names one. What it then proves is a name, not a good one."""
    wait: float = 0.2
    """Seconds that a robot may have to wait for DNS or a directory; 0: none, and its first visits are unknown."""

    def __post_init__(self) -> None:
        if self.wait < 0:
            raise ValueError(f"wait must be 0 or more seconds, not {self.wait}")
        for agent in self.agents:
            _check_origin(agent)


def _check_origin(agent: str) -> None:
    try:
        origin, path, query = split_url(agent)
    except AgentError:
        origin, path, query = "", "", ""
    if not origin or origin != agent or path or query:
        raise ValueError(f"agents are https origins such as https://agent.example, not {agent!r}")
