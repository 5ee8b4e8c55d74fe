"""Reading a copy's frames: who it was made for, without going through all readers.

Strategy: everything that could be a frame is unhidden with the keys of the epoch that it names and held against the
articles that it may come from. A frame that belongs to none of them proves nothing and is told apart from silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contentguard.watermark.frames import payloads
from contentguard.watermark.keys import keys_of, latest
from contentguard.watermark.token import belongs, read

_MOST = 256
"""Different frames of one text that are held against articles."""


class Named(NamedTuple):
    """What a genuine frame says."""

    serial: int
    article: bytes
    epoch: int


class Frames(NamedTuple):
    """All frames of one text."""

    genuine: tuple[Named, ...]
    foreign: int
    """Frames that belong to none of the articles: moved, made up, or made with another key."""


def frames(text: str, secrets: Sequence[bytes], epoch: int, articles: Iterable[bytes]) -> Frames:
    """The frames in ``text``. ``secrets``: the current one first; ``epoch``: the present one; ``articles``: what names
    those it may come from."""
    named: list[Named] = []
    foreign = 0
    known = tuple(articles)
    for count, (short, token) in enumerate(payloads(text)):
        if count >= _MOST:
            break
        own = latest(short, epoch)
        found = [
            Named(serial, article, own)
            for secret in secrets
            if own >= 0
            for keys in (keys_of(secret, own),)
            for serial, tag in (read(keys, token),)
            for article in known
            if belongs(keys, serial, tag, article)
        ]
        named += [one for one in found if one not in named]
        foreign += not found
    return Frames(tuple(named), foreign)
