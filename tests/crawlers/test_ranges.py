"""Published address ranges: where an address stands, and for how long that proves anything."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from contentguard.crawlers.ranges import DAY, Place, RangeList, Ranges, RangeSource, read_lists, snapshot, write_lists
from contentguard.data import crawlers

NOW = 1_787_500_000.0


def a_list(name: str, *networks: str, fetched: float = NOW) -> RangeList:
    return RangeList(name, fetched, tuple(ip_network(network) for network in networks))


def a_source(name: str, days: float) -> RangeSource:
    return RangeSource(name, (f"https://example.com/{name}.json",), (name,), days)


RANGES = Ranges(
    [a_list("a", "66.249.64.0/27", "2001:4860:4801::/48"), a_list("b", "157.55.39.0/24", fetched=NOW - 10 * DAY)],
    [a_source("a", 30), a_source("b", 5)],
)


@pytest.mark.parametrize(
    ("names", "address", "place"),
    [
        (("a",), "66.249.64.0", Place.INSIDE),
        (("a",), "66.249.64.31", Place.INSIDE),
        (("a",), "66.249.64.32", Place.OUTSIDE),
        (("a",), "66.249.63.255", Place.OUTSIDE),
        (("a",), "::ffff:66.249.64.1", Place.INSIDE),
        (("a",), "2001:4860:4801:10::1", Place.INSIDE),
        (("a",), "2001:4860:4802::", Place.OUTSIDE),
        (("b",), "157.55.39.1", Place.INSIDE),
        (("b",), "157.55.38.1", Place.STALE),
        (("a", "b"), "157.55.39.1", Place.INSIDE),
        (("a", "b"), "157.55.38.1", Place.STALE),
        (("c",), "66.249.64.1", Place.MISSING),
        (("c", "a"), "66.249.64.1", Place.INSIDE),
        (("c", "b"), "157.55.38.1", Place.MISSING),
        (("a",), "not an address", Place.MISSING),
        (("a",), None, Place.MISSING),
    ],
)
def test_places(names: tuple[str, ...], address: str | None, place: Place) -> None:
    assert RANGES.place(names, address, NOW) is place


def test_absence_proves_something_only_while_the_list_is_fresh() -> None:
    assert RANGES.place(("a",), "192.0.2.1", NOW + 29 * DAY) is Place.OUTSIDE
    assert RANGES.place(("a",), "192.0.2.1", NOW + 31 * DAY) is Place.STALE
    assert RANGES.place(("a",), "66.249.64.1", NOW + 31 * DAY) is Place.INSIDE


def test_the_newer_list_counts() -> None:
    newer, older = a_list("a", "192.0.2.0/24", fetched=NOW + 1), a_list("b", "192.0.2.0/24", fetched=0.0)
    merged = RANGES.updated([newer, older, a_list("c", "198.51.100.0/24")], [])
    assert merged.place(("a",), "192.0.2.1", NOW) is Place.INSIDE
    assert merged.place(("b",), "157.55.39.1", NOW) is Place.INSIDE
    assert merged.place(("c",), "198.51.100.1", NOW) is Place.INSIDE


def test_the_packaged_lists() -> None:
    lists, sources = snapshot()
    ranges = Ranges(lists, sources)
    assert ranges.place(("google-common",), "66.249.66.1", NOW) is Place.INSIDE
    assert ranges.place(("google-common",), "203.0.113.1", NOW) is Place.OUTSIDE
    assert ranges.place(("bing",), "157.55.39.1", NOW) is Place.INSIDE
    assert ranges.place(("openai",), "203.0.113.1", lists[0].fetched + 6 * DAY) is Place.STALE
    named = {source.name for source in sources}
    assert {entry.name for entry in lists} <= named
    assert {name for crawler in crawlers() for name in crawler.ranges} == named
    assert all(len(source.urls) == len(source.files) for source in sources)
    assert all(url.startswith("https://") for source in sources for url in source.urls)
    files = [name for source in sources for name in {source.name, *source.files, *source.also}]
    assert len(files) == len(set(files)), "a document belongs to one list"


def test_lists_are_written_down_and_read_back() -> None:
    lists = tuple(RANGES.lists.values())
    assert read_lists(write_lists(lists)) == lists


@pytest.mark.parametrize(
    "document", [{}, [], {"lists": []}, {"lists": {"a": {}}}, {"lists": {"a": {"fetched": "x", "networks": []}}}]
)
def test_what_is_no_snapshot(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"snapshot|convert"):
        read_lists(document)
