"""Address lists from files and from the network: what is taken, what is refused, and that nothing is lost."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import tracemalloc
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from contentguard.backends.ranges import (
    LOOKED,
    RangesFile,
    Refreshed,
    describe,
    from_folder,
    from_network,
    load,
    save,
)
from contentguard.crawlers.ranges import DAY, Place, RangeList, Ranges, RangeSource, snapshot

NOW = 1_787_500_000.0
GOOGLE = {"prefixes": [{"ipv4Prefix": "66.249.64.0/27"}, {"ipv6Prefix": "2001:4860:4801:10::/64"}]}
SOURCES = (
    RangeSource("one", ("https://example.com/one.json",), ("one-bot",), 7, also=("uno",)),
    RangeSource("two", ("https://example.com/a.json", "https://example.com/b.json"), ("a", "b"), 7),
    RangeSource("none", (), (), 7),
)
ONE = RangeList("one", NOW - 100 * DAY, (ip_network("66.249.64.0/27"),))
KNOWN = Ranges([ONE], SOURCES)


def written(folder: Path, name: str, document: object, age: float = 0.0) -> None:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    os.utime(path, (NOW - age, NOW - age))


def networks(done: list[Refreshed]) -> dict[str, list[str]]:
    return {d.name: [str(network) for network in d.entry.networks] if d.entry else [d.fault] for d in done}


@pytest.mark.parametrize("name", ["one.json", "one.txt", "one", "one-bot.json", "uno.csv"])
def test_a_folder_is_searched_for_every_name(name: str, tmp_path: Path) -> None:
    written(tmp_path, name, GOOGLE, age=DAY)
    written(tmp_path, "unrelated.json", GOOGLE)
    done = from_folder(tmp_path, KNOWN, SOURCES, NOW)
    assert networks(done) == {"one": ["66.249.64.0/27", "2001:4860:4801:10::/64"]}
    assert done[0].entry is not None
    assert done[0].entry.fetched == NOW - DAY, "a document is as old as its file"


def test_a_list_of_two_documents_is_whole_with_both_only(tmp_path: Path) -> None:
    written(tmp_path, "a.json", GOOGLE)
    (half,) = from_folder(tmp_path, KNOWN, SOURCES, NOW)
    assert half.entry is not None
    ranges = Ranges([half.entry], SOURCES)
    assert ranges.place(("two",), "66.249.64.1", NOW) is Place.INSIDE
    assert ranges.place(("two",), "192.0.2.1", NOW) is Place.STALE
    written(tmp_path, "b.json", "157.55.39.0/24\n")
    (whole,) = from_folder(tmp_path, KNOWN, SOURCES, NOW)
    assert whole.entry is not None
    ranges = Ranges([whole.entry], SOURCES)
    assert ranges.place(("two",), "157.55.39.1", NOW) is Place.INSIDE
    assert ranges.place(("two",), "192.0.2.1", NOW) is Place.OUTSIDE


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ("", "no address"),
        ("0.0.0.0/0", "too large"),
        ("10.0.0.0/24", "not public"),
        ("<html>busy</html>", "no address"),
        ("66.249.64.0/29", "25%"),
    ],
)
def test_what_cannot_be_true_leaves_the_list_as_it_was(document: str, fault: str, tmp_path: Path) -> None:
    written(tmp_path, "one.json", document)
    (done,) = from_folder(tmp_path, KNOWN, SOURCES, NOW)
    assert done.entry is None
    assert fault in done.fault
    (line,) = describe([done], KNOWN)
    assert line.endswith("the list stays as it was")


def test_a_much_smaller_list_is_believed_when_one_says_so(tmp_path: Path) -> None:
    written(tmp_path, "one.json", "66.249.64.0/29")
    (done,) = from_folder(tmp_path, KNOWN, SOURCES, NOW, smaller=True)
    assert done.entry is not None


Handler = Callable[[httpx.Request], httpx.Response]


def _said(document: object) -> httpx.Response:
    """An answer as it comes from the network: not read yet."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return httpx.Response(200, stream=httpx.ByteStream(data))


def fetched(handler: Handler, *sources: RangeSource, **options: float) -> dict[str, list[str]]:
    transport = httpx.MockTransport(handler)
    return networks(asyncio.run(from_network(KNOWN, sources, NOW, transport=transport, **options)))  # type: ignore[arg-type]


def test_lists_are_fetched_from_where_they_are_published() -> None:
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return _said(GOOGLE if "a.json" not in str(request.url) else ["157.55.39.0/24"])

    assert fetched(handler, *SOURCES) == {
        "one": ["66.249.64.0/27", "2001:4860:4801:10::/64"],
        "two": ["66.249.64.0/27", "157.55.39.0/24", "2001:4860:4801:10::/64"],
    }
    assert sorted(asked) == [f"https://example.com/{name}.json" for name in ("a", "b", "one")]


def _raises(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route")


def _redirect(to: str) -> Handler:
    return lambda request: httpx.Response(302, headers={"Location": to})


def _packed(data: bytes, coding: str = "gzip") -> Handler:
    return lambda request: httpx.Response(
        200, headers={"Content-Encoding": coding}, stream=httpx.ByteStream(gzip.compress(data))
    )


def test_a_compressed_list_is_read() -> None:
    assert fetched(_packed(json.dumps(GOOGLE).encode()), SOURCES[0])["one"][0] == "66.249.64.0/27"


def test_a_compressed_bomb_is_not_opened_further_than_a_list_is_long() -> None:
    """Unpacked by httpx, a chunk at a time, 1.4 MB became 2 GB in memory before anybody counted."""
    bomb = gzip.compress(bytes(400_000_000), 6)

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "gzip"
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(bomb))

    tracemalloc.start()
    (found,) = fetched(handler, SOURCES[0])["one"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "more than 8,388,608 bytes" in found
    assert peak < 100_000_000


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (_packed(b"", "br"), "compressed as 'br', though that was not asked for"),
        (lambda request: httpx.Response(302), "status 302"),
        (lambda request: httpx.Response(304), "status 304"),
        (_redirect("https://xn--/"), "A-label"),
        (lambda request: httpx.Response(404), "status 404"),
        (lambda request: _said(b"x" * (8 * 2**20 + 1)), "more than"),
        (lambda request: _said(b"::/0"), "too large"),
        (_redirect("http://example.com/one.json"), "not https"),
        (_redirect("file:///etc/passwd"), "not https"),
        (_redirect("/again"), "redirects"),
        (_raises, "no route"),
    ],
    ids=["br", "nowhere", "not modified", "no name", "404", "endless", "everybody", "http", "file", "circle", "down"],
)
def test_what_cannot_be_fetched_leaves_the_list_as_it_was(handler: Handler, fault: str) -> None:
    (found,) = fetched(handler, SOURCES[0])["one"]
    assert fault in found


def test_a_redirect_is_followed_to_https() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        moved = httpx.Response(301, headers={"Location": "https://www.example.com/new.json"})
        return _said(GOOGLE) if request.url.path == "/new.json" else moved

    assert fetched(handler, SOURCES[0])["one"] == ["66.249.64.0/27", "2001:4860:4801:10::/64"]


def test_a_slow_publisher_is_given_up() -> None:
    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    transport = httpx.MockTransport(slow)
    (done,) = asyncio.run(from_network(KNOWN, SOURCES[:1], NOW, transport=transport, seconds=0.05))
    assert done.entry is None


def test_one_list_in_trouble_does_not_hold_up_the_others() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return _said(GOOGLE) if request.url.path == "/one.json" else httpx.Response(500)

    found = fetched(handler, *SOURCES)
    assert found["one"][0] == "66.249.64.0/27"
    assert "status 500" in found["two"][0]


def test_lists_are_saved_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "ranges.json"
    save(path, [ONE])
    assert load(path) == (ONE,)
    assert path.stat().st_mode & 0o777 == 0o644

    def fails(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="disk full"):
        save(path, [])
    assert load(path) == (ONE,)
    assert [file.name for file in path.parent.iterdir()] == ["ranges.json"]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_file_is_taken_up_when_it_changes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, clock = tmp_path / "ranges.json", Clock()
    file = RangesFile(str(path), clock)
    assert file().lists.keys() == {entry.name for entry in snapshot()[0]}
    assert "No such file" in file.fault
    save(path, [RangeList("apple", NOW, (ip_network("17.22.237.0/24"),))])
    assert "apple" not in file().lists, "the file is looked at once a minute"
    clock.now += LOOKED
    assert file().place(("apple",), "17.22.237.1", NOW) is Place.INSIDE
    assert file() is file()
    assert file.fault == ""
    path.write_text("{")
    for _ in range(3):
        clock.now += LOOKED
        assert file().place(("apple",), "17.22.237.1", NOW) is Place.INSIDE, "a broken file leaves the lists"
    told = [record.message for record in caplog.records]
    assert ["No such file" in told[0], "Expecting" in told[1], len(told)] == [True, True, 2], "each fault is told once"
    assert str(path) in file.fault


def test_older_lists_of_a_file_do_not_push_out_newer_ones_of_the_package(tmp_path: Path) -> None:
    path = tmp_path / "ranges.json"
    save(path, [RangeList("bing", 1.0, (ip_network("17.22.237.0/24"),))])
    assert RangesFile(str(path))().place(("bing",), "17.22.237.1", NOW) is not Place.INSIDE


@pytest.mark.parametrize("text", ["[]", "{}", '{"lists":{"a":{"fetched":1,"networks":["x"]}}}', "\x00", '{"lists":7}'])
def test_files_that_hold_no_lists(text: str, tmp_path: Path) -> None:
    path = tmp_path / "ranges.json"
    path.write_text(text)
    file = RangesFile(str(path))
    file()
    assert file.fault


def test_a_file_of_lists_inside_lists_is_no_file_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "ranges.json"
    path.write_text("[" * 200_000)
    file = RangesFile(str(path), Clock())
    assert file().lists.keys() == {entry.name for entry in snapshot()[0]}
    assert "lists inside lists" in file.fault
