"""Pictures for tests: made of noise that is like a photograph's (the finer, the fainter), drawn from a seed."""

from __future__ import annotations

import random
from io import BytesIO
from math import log10
from typing import Any

from PIL import Image, ImageChops


def photograph(seed: int, width: int = 900, height: int = 600) -> Image.Image:
    """Shapes and textures of all sizes, in colour."""
    draw = random.Random(seed)
    bands = [_band(draw, width, height) for _ in range(3)]
    faint = [128 + (value - 128) // 4 for value in range(256)]
    return Image.merge("YCbCr", (bands[0], bands[1].point(faint), bands[2].point(faint))).convert("RGB")


def _band(draw: random.Random, width: int, height: int) -> Image.Image:
    made, side, amount = Image.new("L", (width, height), 128), 3, 90.0
    while side <= width:
        rows = max(2, side * height // width)
        grain = Image.frombytes("L", (side, rows), draw.randbytes(side * rows))
        levels = [128 + round((value - 128) / 128 * amount) for value in range(256)]
        made = ImageChops.add(made, grain.resize((width, height), Image.Resampling.BICUBIC).point(levels), 1, -128)
        side, amount = side * 2, amount * 0.62
    return made


def file(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """A picture as a file."""
    out = BytesIO()
    picture.save(out, kind, **({"quality": 92} if kind == "JPEG" else {}) | options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """A file as a picture."""
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def likeness(one: Image.Image, other: Image.Image) -> float:
    """The peak signal-to-noise ratio, in decibels."""
    counts = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).histogram()
    return 10 * log10(255**2 * sum(counts) / sum((level % 256) ** 2 * count for level, count in enumerate(counts)))
