"""Whether an address is one that a robot's operator has published.

The lists ship as a dated snapshot and are refreshed by ``contentguard crawlers update``. That an address is on a
list proves something however old the list is; that it is missing proves something only while the list is fresh,
and how long that is differs by operator: Telegram's networks did not change in three years, of OpenAI's addresses
an eighth is new every month (measured on the history of github.com/lord-alfred/ipranges, 2021 to 2026).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from ipaddress import ip_network
from typing import Any

from contentguard.crawlers.addresses import AddressSet, Network, read_address
from contentguard.data import ranges as packaged

DAY = 86400.0


class Place(StrEnum):
    """Where an address stands in relation to the lists of one robot."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    """On none of them, and all of them are fresh."""
    STALE = "stale"
    """On none of them, but one is too old to prove anything."""
    MISSING = "missing"
    """On none of them, but one has not been loaded."""


_INSIDE, _OUTSIDE, _STALE, _MISSING = Place  # an attribute of an enumeration costs a fifth of a look-up


@dataclass(frozen=True, slots=True)
class RangeSource:
    """Where a list comes from."""

    name: str
    urls: tuple[str, ...]
    """Documents that make up the list together."""
    files: tuple[str, ...]
    """Under which name each of them is looked for in a folder."""
    fresh_days: float
    """How long the absence of an address from the list proves something."""
    service: str = ""
    also: tuple[str, ...] = ()
    """Other names under which the whole list is known as a file."""


@dataclass(frozen=True, slots=True)
class RangeList:
    """One operator's list as of a moment."""

    name: str
    fetched: float
    """Seconds since the epoch; when it was current."""
    networks: tuple[Network, ...]


class Ranges:
    """All lists that are known, compiled."""

    def __init__(self, lists: Iterable[RangeList], sources: Iterable[RangeSource] = ()) -> None:
        self.lists: Mapping[str, RangeList] = {entry.name: entry for entry in lists}
        fresh = {source.name: source.fresh_days * DAY for source in sources}
        self._sets = {
            name: (AddressSet(entry.networks), entry.fetched + fresh.get(name, 7 * DAY))
            for name, entry in self.lists.items()
        }

    def place(self, names: Iterable[str], address: str | None, now: float) -> Place:
        """Where ``address`` stands at ``now`` (seconds since the epoch) in relation to the lists ``names``."""
        number = None if address is None else read_address(address)
        if number is None:
            return _MISSING
        missing = stale = False
        for name in names:
            known = self._sets.get(name)
            if known is None:
                missing = True
            elif number in known[0]:
                return _INSIDE
            elif now > known[1]:
                stale = True
        return _MISSING if missing else _STALE if stale else _OUTSIDE

    def updated(self, lists: Iterable[RangeList], sources: Iterable[RangeSource]) -> Ranges:
        """These lists with ``lists`` in the place of older ones of the same name."""
        merged = dict(self.lists)
        for entry in lists:
            known = merged.get(entry.name)
            if known is None or entry.fetched >= known.fetched:
                merged[entry.name] = entry
        return Ranges(merged.values(), sources)


@cache
def snapshot() -> tuple[tuple[RangeList, ...], tuple[RangeSource, ...]]:
    """The lists and sources that ship with the package."""
    document = packaged()
    sources = tuple(
        RangeSource(
            name,
            tuple(row["urls"]),
            tuple(row["files"]),
            row["fresh_days"],
            row.get("service", ""),
            tuple(row.get("also", ())),
        )
        for name, row in document["sources"].items()
    )
    return read_lists(document), sources


@cache
def packaged_ranges() -> Ranges:
    """The packaged lists, compiled: once for all guards of a process, since nothing changes them."""
    return Ranges(*snapshot())


def read_lists(document: Mapping[str, Any]) -> tuple[RangeList, ...]:
    """The lists of a snapshot document, as ``write_lists`` gives it. ValueError when it is none."""
    try:
        return tuple(
            RangeList(str(name), float(row["fetched"]), tuple(ip_network(text) for text in row["networks"]))
            for name, row in document["lists"].items()
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no snapshot of address lists: {error!r}") from None


def write_lists(lists: Iterable[RangeList]) -> dict[str, Any]:
    """The lists as JSON-ready data."""
    rows = {e.name: {"fetched": e.fetched, "networks": [str(network) for network in e.networks]} for e in lists}
    return {"lists": dict(sorted(rows.items()))}
