"""How large is a picture? Read from the first bytes of a PNG, JPEG or WebP file.

Pages need width and height to reserve the room before the picture arrives, and link previews ask for them.
The three formats keep the size near the front, so no imaging library is needed to serve the site.
"""

from __future__ import annotations

from pathlib import Path

TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0…SOF15 without tables and extensions


def media_type(name: str) -> str | None:
    """Return the media type of a picture by its file name, or None for a kind the site does not carry."""
    return TYPES.get(Path(name).suffix.lower())


def size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) in pixels, or None when the file is no PNG, JPEG or WebP picture."""
    data = path.read_bytes()
    for reader in (_png, _jpeg, _webp):
        found = reader(data)
        if found and min(found) > 0:
            return found
    return None


def _png(data: bytes) -> tuple[int, int] | None:
    if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header, which holds height and then width."""
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 9 < len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAME_MARKERS:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    """Read the size from whichever of the three WebP layouts the file has."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if data[12:16] == b"VP8 ":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return None
