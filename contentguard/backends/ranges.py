"""Address lists from the outer world: a file that is read again when it changes, and what operators publish.

``contentguard crawlers update`` writes the file, from a folder of documents or from the documented addresses; a
running guard takes it up by itself. What cannot be read, or cannot be true, leaves the list as it was.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from contentguard.backends.fetching import FetchError, unpacked
from contentguard.crawlers.addresses import Network, collapse
from contentguard.crawlers.published import MAX_BYTES, check_shrinkage, read_published
from contentguard.crawlers.ranges import (
    RangeList,
    Ranges,
    RangeSource,
    packaged_ranges,
    read_lists,
    snapshot,
    write_lists,
)

_LOG = logging.getLogger("contentguard.crawlers")
LOOKED = 60.0
"""Seconds between two looks at the file."""

_EXTENSIONS = (".json", ".txt", ".csv", "")
_REDIRECTS = 3
_HEADERS = {"User-Agent": "contentguard", "Accept-Encoding": "gzip"}


class RangesFile:
    """The packaged lists, with newer ones of a file in their place. Call it for the lists as they are now."""

    def __init__(self, path: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.sources = snapshot()[1]
        """Where the lists are published."""
        self._packaged = packaged_ranges()
        self._path = path
        self._clock = clock
        self._looked = float("-inf")
        self._changed: tuple[int, int] | None = None
        self.fault = ""
        """Why the file could not be read, when it could not."""
        self._current = self._packaged

    def __call__(self) -> Ranges:
        """The lists; the file is looked at once a minute and read only when it has changed."""
        if self._path and self._clock() - self._looked >= LOOKED:
            self._looked = self._clock()
            self._look()
        return self._current

    def _look(self) -> None:
        try:
            status = os.stat(self._path)
            changed = (status.st_mtime_ns, status.st_size)
            if changed != self._changed:
                self._current = self._packaged.updated(load(Path(self._path)), self.sources)
                self._changed, self.fault = changed, ""
        except (OSError, ValueError) as error:
            fault = f"{self._path}: {error}"
            if fault != self.fault:
                _LOG.warning("identification.ranges is not read, and the lists stay as they were: %s", fault)
            self.fault = fault


def load(path: Path) -> tuple[RangeList, ...]:
    """The lists in the file at ``path``. OSError when it cannot be read, ValueError when it holds none."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    try:
        return read_lists(json.loads(path.read_text("utf-8")))
    except RecursionError:
        raise ValueError("lists inside lists, deeper than any file of ours") from None


def save(path: Path, lists: Iterable[RangeList]) -> None:
    """Write the lists to ``path``, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        try:
            json.dump(write_lists(lists), file, indent=1)
            file.close()
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of one list."""

    name: str
    entry: RangeList | None
    fault: str = ""
    """Why the list stays as it was."""


def from_folder(
    folder: Path, known: Ranges, sources: Iterable[RangeSource], now: float, *, smaller: bool = False
) -> list[Refreshed]:
    """Lists from the documents in ``folder``, which are named like the list or like they are where they are published.

    A list of which nothing is there is left out of the result. A document's age is its file's. Of a list of several
    documents, one without the others adds its networks, but the list gets no younger: it cannot prove an absence.
    ``smaller``: believe a list of which less than half is left.
    """
    results = (_from_folder(folder, known.lists.get(source.name), source, now, smaller) for source in sources)
    return [done for done in results if done is not None]


def _from_folder(
    folder: Path, before: RangeList | None, source: RangeSource, now: float, smaller: bool
) -> Refreshed | None:
    whole = _found(folder, (source.name, *source.also))
    files = [whole] if whole else [_found(folder, (name,)) for name in source.files]
    there = [file for file in files if file is not None]
    if not there:
        return None
    try:
        documents = [file.read_bytes() for file in there]
        fetched = min(now, *(file.stat().st_mtime for file in there))
    except OSError as error:
        return Refreshed(source.name, None, str(error))
    against = None if smaller else before
    if len(there) == len(files):
        return _refreshed(source, against, documents, fetched)
    kept = before or RangeList(source.name, 0.0, ())
    return _refreshed(source, against, documents, kept.fetched, kept.networks)


async def from_network(
    known: Ranges,
    sources: Iterable[RangeSource],
    now: float,
    *,
    smaller: bool = False,
    seconds: float = 30.0,
    transport: httpx.AsyncBaseTransport | None = None,
) -> list[Refreshed]:
    """Lists from where operators publish them; those without an address are left out of the result."""
    async with httpx.AsyncClient(transport=transport, timeout=seconds) as client:
        wanted = [source for source in sources if source.urls]
        against: Mapping[str, RangeList] = {} if smaller else known.lists
        tasks = (_from_network(client, against.get(s.name), s, now, seconds) for s in wanted)
        return list(await asyncio.gather(*tasks))


async def _from_network(
    client: httpx.AsyncClient, before: RangeList | None, source: RangeSource, now: float, seconds: float
) -> Refreshed:
    try:
        async with asyncio.timeout(seconds):
            documents = [await _get(client, url) for url in source.urls]
    except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        # ValueError: of an address that a redirect names, where IDNA cannot read it.
        return Refreshed(source.name, None, str(error) or type(error).__name__)
    return _refreshed(source, before, documents, now)


async def _get(client: httpx.AsyncClient, url: str) -> bytes:
    for _ in range(_REDIRECTS + 1):
        if urlsplit(url).scheme != "https":
            raise OSError(f"{url} is not https")
        async with client.stream("GET", url, headers=_HEADERS) as response:
            if response.has_redirect_location:
                url = str(response.url.join(response.headers["location"]))
                continue
            if response.status_code != 200:
                raise OSError(f"{url}: status {response.status_code}")
            try:
                return await unpacked(response, MAX_BYTES)
            except FetchError as error:
                raise OSError(f"{url}: {error}") from None
    raise OSError(f"{url}: more than {_REDIRECTS} redirects")


def _refreshed(
    source: RangeSource,
    before: RangeList | None,
    documents: Iterable[bytes],
    fetched: float,
    kept: Iterable[Network] = (),
) -> Refreshed:
    networks = list(kept)
    try:
        for document in documents:
            networks += read_published(document, source.service)
        networks = collapse(networks)
        if before is not None:
            check_shrinkage(before.networks, networks)
    except ValueError as error:
        return Refreshed(source.name, None, str(error))
    return Refreshed(source.name, RangeList(source.name, fetched, tuple(networks)))


def _found(folder: Path, names: Iterable[str]) -> Path | None:
    paths = (folder / f"{name}{extension}" for name in names for extension in _EXTENSIONS)
    return next((path for path in paths if path.is_file()), None)


def strangers(folder: Path, sources: Iterable[RangeSource]) -> list[str]:
    """What lies in ``folder`` and belongs to no list, by name: documents that nobody would look for."""
    stems = {name for source in sources for name in (source.name, *source.also, *source.files)}
    known = {f"{stem}{extension}" for stem in stems for extension in _EXTENSIONS}
    return sorted(path.name for path in folder.iterdir() if path.name not in known or not path.is_file())


def describe(done: Iterable[Refreshed], known: Ranges) -> Iterator[str]:
    """What became of the lists, a line for each."""
    for result in done:
        before = known.lists.get(result.name)
        if result.entry is None:
            kept = "stays as it was" if before else "is not there"
            yield f"  ! {result.name}: {result.fault}; the list {kept}"
        else:
            old = f", before: {len(before.networks)}" if before else ""
            yield f"    {result.name}: {len(result.entry.networks)} networks{old}"
