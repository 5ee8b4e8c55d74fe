"""Marked pictures: each made once, in a thread, and remembered as long as there is room.

Strategy: the same picture for everybody, so any cache may keep it. What cannot be marked, or goes wrong, leaves as it
came: a reader sees a picture in any case.
"""

from __future__ import annotations

from collections import OrderedDict
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

import anyio

from contentguard.errors import Fault, SettingsError
from contentguard.policy.media import Paths
from contentguard.settings import Settings
from contentguard.tokens import Signer
from contentguard.watermark.keys import epoch_at

if TYPE_CHECKING:
    from types import ModuleType

MOST = 16 * 2**20
"""Bytes of a picture's file that is looked into."""
PURPOSE = "picture-marks"
"""What the marks' key is derived for."""
_UNMARKED = b""
_AT_ONCE = 2
"""Pictures that are worked on at one time."""


class Note(Protocol):
    """What counts events."""

    def __call__(self, what: str, message: str, *, failed: bool = False) -> None:
        """Count one."""


class Marks:
    """Those of one site."""

    def __init__(self, settings: Settings, signer: Signer, note: Note, marker: ModuleType) -> None:
        """``marker``: ``watermark.pictures``, which needs the extra ``images``."""
        chosen = settings.media
        self._paths, self._room, self._note, self._marker = Paths(chosen.marked), chosen.cache_bytes, note, marker
        self._key = signer.derive(PURPOSE) if chosen.invisible else None
        self._caption = chosen.caption.replace("{site}", settings.site)
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0
        self._busy: dict[bytes, anyio.Event] = {}
        self._turns: anyio.CapacityLimiter | None = None

    def wants(self, path: str) -> bool:
        """Whether the picture at ``path`` is to be marked."""
        return self._paths.may_mean(path)

    async def marked(self, data: bytes, path: str, since: float) -> bytes | None:
        """A picture's file with its marks; None where it is to leave as it came. ``since``: when it was published."""
        month = epoch_at(since)
        hashed = blake2b(month.to_bytes(4, "big") + path.encode("utf-8", "surrogatepass") + b"\0", digest_size=16)
        hashed.update(data)
        name = hashed.digest()
        while (busy := self._busy.get(name)) is not None:
            await busy.wait()
        kept = self._kept.get(name)
        if kept is None:
            done = self._busy[name] = anyio.Event()
            try:
                kept = self._keep(name, await self._made(data, path, month))
            finally:
                del self._busy[name]
                done.set()
        else:
            self._kept.move_to_end(name)
        return kept or None

    async def _made(self, data: bytes, path: str, month: int) -> bytes:
        if self._turns is None:
            self._turns = anyio.CapacityLimiter(_AT_ONCE)
        group = self._marker.group_of(path)
        work = partial(self._marker.marked, data, self._key, month, group, self._caption)
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._turns) or _UNMARKED
        except Exception:
            self._note("picture-failed", f"{path!a} could not be marked and left as it came", failed=True)
            return _UNMARKED

    def _keep(self, name: bytes, made: bytes) -> bytes:
        self._kept[name] = made
        self._bytes += _size(made)
        while self._bytes > self._room and self._kept:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= _size(gone)
        return made


def _size(made: bytes) -> int:
    return len(made) + 256


def marks_of(settings: Settings, signer: Signer, note: Note) -> Marks | None:
    """Those that the settings want; None for none. ``SettingsError`` where the library is not installed."""
    chosen = settings.media
    if not chosen.marked or not (chosen.invisible or chosen.caption):
        return None
    try:
        from contentguard.watermark import pictures
    except ImportError as error:
        wanted = "the extra images: pip install 'contentguard[images]'"
        raise SettingsError([Fault("media.marked", f"no Pillow ({error})", wanted)]) from None
    return Marks(settings, signer, note, pictures)


def published(modified: bytes | None, now: float) -> float:
    """When a picture was published, by its Last-Modified; ``now`` where it does not say."""
    try:
        return parsedate_to_datetime((modified or b"").decode("latin-1")).timestamp()
    except (ValueError, OverflowError):
        return now
