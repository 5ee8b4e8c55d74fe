"""Split a Markdown file into its front matter and its body.

`---` fences YAML and `+++` fences TOML, as in every static site generator. A file that opens with neither is
not an article (a licence, a readme) and is told apart from an article whose header is broken.
"""

from __future__ import annotations

import tomllib
from typing import Any

import yaml

Header = dict[str, Any]


class HeaderError(ValueError):
    """The front matter is there but cannot be read; the message says what was expected and found."""


def split(source: str) -> tuple[Header, str] | None:
    """Return (header, Markdown body), or None for a file that has no front matter at all."""
    lines = source.removeprefix("\ufeff").splitlines()
    fence = lines[0].rstrip() if lines else ""
    if fence not in ("---", "+++"):
        return None
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == fence), None)
    if end is None:
        raise HeaderError(f"expected a closing {fence} line, found the end of the file")
    return _parse(fence, "\n".join(lines[1:end])), "\n".join(lines[end + 1 :])


def _parse(fence: str, block: str) -> Header:
    """Read the block between the fences as a mapping."""
    try:
        found = yaml.safe_load(block) if fence == "---" else tomllib.loads(block)
    except (yaml.YAMLError, ValueError) as fault:  # ValueError: also a YAML date such as 2026-02-31
        kind = "YAML" if fence == "---" else "TOML"
        raise HeaderError(f"expected {kind}, found: {' '.join(str(fault).split())}") from fault
    if not isinstance(found, dict):
        raise HeaderError(f"expected a list of `name: value` lines, found {type(found).__name__}")
    return found
