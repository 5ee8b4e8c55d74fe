"""What the package knows of the world, as data with source, date and licence.

The files are read once, on first use, and leave as frozen values; a row that is not valid is an error at
once, never a robot that is silently not recognised.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from contentguard.model import Crawler, Purpose


@cache
def crawlers() -> tuple[Crawler, ...]:
    """Every row of ``crawlers.json``, in file order."""
    document = json.loads(text("crawlers.json"))
    return tuple(_crawler(row) for row in document["crawlers"])


@cache
def ranges() -> Mapping[str, Any]:
    """``ranges.json``: address lists and where they are published, as ``crawlers.ranges`` reads them."""
    document: Mapping[str, Any] = json.loads(text("ranges.json"))
    return document


@cache
def embedders() -> frozenset[str]:
    """Hosts whose pages may show a site's pictures: search, feeds, mail, cards (``embedders.json``)."""
    return frozenset(row["host"] for row in json.loads(text("embedders.json"))["hosts"])


def text(name: str) -> str:
    """The data file ``name`` as text."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _crawler(row: Mapping[str, Any]) -> Crawler:
    return Crawler(
        name=row["name"],
        token=row["token"],
        operator=row["operator"],
        purpose=Purpose(row["purpose"]),
        robots_token=row["robots_token"],
        control=row.get("control", False),
        ranges=tuple(row.get("ranges", ())),
        hosts=tuple(row.get("hosts", ())),
        agents=tuple(row.get("agents", ())),
        complete=frozenset(row.get("complete", ())),
        source=row["source"],
        date=row["date"],
    )
