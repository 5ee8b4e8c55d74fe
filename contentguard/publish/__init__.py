"""What machines read of the policy: one file = one dialect, one line here = one publication."""

from collections.abc import Callable
from types import MappingProxyType

from contentguard.publish.robots import render_robots

PUBLICATIONS: MappingProxyType[str, Callable[..., str]] = MappingProxyType({"/robots.txt": render_robots})
"""Path → what renders the document published there."""

__all__ = ["PUBLICATIONS", "render_robots"]
