"""Marks in pictures: an invisible one in the brightness, which survives another size and another compression.

Strategy: a picture is seen as a grid of 64 by 64 cells, whatever its size, and each cell is made a little lighter or
darker, as a key says (spread spectrum; Cox, Kilian, Leighton and Shamoon 1997). The change is a few levels where there
is texture to hide it and one where there is none. Its detector needs no original: it compares each cell with those
around it, and how well all of them agree with what the key says.

What is found is told with a bound that holds for any picture whatever: for cells x and signs c that are drawn without
regard to them, sum(c·x) reaches t·|x| with a probability of at most exp(-t²/2) (Hoeffding 1963). Signs come from
SHAKE-256 under a key, so a picture that was not marked with it is as good as any. What the bound does not cover is who
has many marked pictures and takes the mark from them into another one.

A mark says when (the month) and which picture's (6 bits of its path): so many sets of signs that a mean over a site's
pictures shows none of them. Cropping, turning and drawing over large parts destroy it; a mirror image is looked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b, shake_256
from io import BytesIO
from itertools import compress
from math import exp, log, sqrt
from sys import float_info
from typing import Any, NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, JpegImagePlugin

SIDE = 64
CELLS = SIDE * SIDE
GROUPS = 64
"""Sets of signs of one month."""
MOST_PIXELS = 40_000_000
SMALLEST = 2 * SIDE
"""Pixels of a picture's shorter side; a smaller one is left unmarked."""
_FORMATS = ("JPEG", "PNG", "WEBP")
_READ = (*_FORMATS, "GIF", "BMP", "TIFF", "AVIF")
"""What a copy is read as. Not all that the library knows: a file of PostScript, say, it has Ghostscript run."""
_MODES = ("L", "RGB", "RGBA", "LA")
_QUALITY = 90
_FAINT, _STRONG = 1.4, 5.0
"""Levels of 255 by which a cell is changed where there is no texture, and where there is much."""
_ZERO_ONE = bytes.maketrans(b"01", b"\0\1")


class Found(NamedTuple):
    """What a picture says."""

    month: int
    group: int
    score: float
    """How well its cells agree with the signs, in standard deviations of what chance does."""
    mirrored: bool


def group_of(path: str) -> int:
    """The set of signs of the picture at ``path``."""
    return blake2b(path.encode("utf-8", "surrogatepass"), digest_size=1).digest()[0] % GROUPS


def needed(sets: int, epsilon: float) -> float:
    """The score that none of so many sets of signs reaches in a picture without a mark, but with ``epsilon``."""
    if sets < 1 or not 0.0 < epsilon < 1.0:
        raise ValueError(f"want sets of signs and a probability between 0 and 1, not {sets} and {epsilon}")
    return sqrt(2.0 * log(sets / epsilon))


def chance(score: float, sets: int) -> float:
    """With what probability, at most, a picture without a mark reaches ``score`` with any of so many sets."""
    if score <= 0.0:
        return 1.0
    # What is too small to be written down is not nothing.
    return min(1.0, sets * max(exp(-0.5 * score * score), float_info.min))


# -- marking -------------------------------------------------------------------------------------------------------


def marked(data: bytes, key: bytes | None, month: int, group: int, caption: str = "") -> bytes | None:
    """A picture's file with its marks; None where it is none that can be marked, or is better left alone.

    ``key``: of the invisible mark, None for none; ``caption``: a line of text over its lower edge, empty for none.
    Raises what the library raises for a file that is broken.
    """
    with Image.open(BytesIO(data), formats=_FORMATS) as picture:
        kind, width, height = picture.format, *picture.size
        animated = getattr(picture, "is_animated", False)
        if animated or width * height > MOST_PIXELS or min(width, height) < SMALLEST or picture.mode not in _MODES:
            # What has a palette is a drawing: with a mark in it it would take many times the bytes.
            return None
        picture.load()
        about = {name: picture.info[name] for name in ("icc_profile", "exif") if picture.info.get(name)}
        made = picture if key is None else _hidden(picture, key, month, group)
        made = _captioned(made, caption) if caption else made
        options = _options(picture)
    out = BytesIO()
    made.save(out, kind, **about, **options)
    return out.getvalue()


def _options(picture: Image.Image) -> dict[str, Any]:
    """How a picture's file is written: as good as it came, as far as that can be told."""
    if picture.format == "PNG":
        return {"optimize": True}
    if picture.format == "WEBP":
        return {"quality": _QUALITY, "method": 4}
    sampling = {} if picture.mode == "L" else {"subsampling": JpegImagePlugin.get_sampling(picture)}
    return {"quality": _QUALITY, "optimize": True, "progressive": True, **sampling}


def _hidden(picture: Image.Image, key: bytes, month: int, group: int) -> Image.Image:
    alpha = picture.getchannel("A") if picture.mode in ("RGBA", "LA") else None
    grey = picture.mode in ("L", "LA")
    bands = [picture.getchannel("L")] if grey else list(picture.convert("RGB").convert("YCbCr").split())
    bands[0] = _changed(bands[0], _signs(key, month, group))
    made = bands[0] if grey else Image.merge("YCbCr", bands).convert("RGB")
    if alpha is None:
        return made
    return Image.merge(picture.mode, [*made.split(), alpha])


def _changed(light: Image.Image, signs: bytes) -> Image.Image:
    """Brightness with the signs in it: more of them where it is uneven."""
    grid = Image.frombytes("L", (SIDE, SIDE), signs.translate(bytes((0, 255)) + bytes(254)))
    pattern = grid.resize(light.size, Image.Resampling.BICUBIC)
    faint, strong = (
        ImageChops.add(light, pattern.point([_level(value, most) for value in range(256)]), 1.0, -128)
        for most in (_FAINT, _STRONG)
    )
    radius = max(2.0, min(light.size) / SIDE)
    uneven = ImageChops.difference(light, light.filter(ImageFilter.BoxBlur(radius / 2))).filter(
        ImageFilter.BoxBlur(radius)
    )
    mask = uneven.point([min(255, 16 * value) for value in range(256)])
    return Image.composite(strong, faint, mask)


def _level(value: int, most: float) -> int:
    return 128 + round((value - 127.5) / 127.5 * most)


def _captioned(picture: Image.Image, caption: str) -> Image.Image:
    """A picture with a line of text on a bar over its lower edge; its size stays what its page reserves for it."""
    width, height = picture.size
    size = max(10, min(height // 28, int(1.6 * width / max(1, len(caption)))))
    font = ImageFont.load_default(size)
    bar = max(size + size // 2, 1)
    shade = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(shade)
    draw.rectangle((0, height - bar, width, height), fill=150)
    dark = Image.composite(Image.new("RGB", picture.size, 0), picture.convert("RGB"), shade)
    ImageDraw.Draw(dark).text((size // 2, height - bar + size // 5), caption, font=font, fill=(255, 255, 255))
    if picture.mode in ("L", "LA"):
        dark = dark.convert("L")
    if picture.mode in ("RGBA", "LA"):
        solid = ImageChops.lighter(picture.getchannel("A"), shade.point([255 if value else 0 for value in range(256)]))
        dark = Image.merge(picture.mode, [*dark.split(), solid])
    return dark


# -- finding -------------------------------------------------------------------------------------------------------


def cells(data: bytes) -> list[float]:
    """What a picture's file has to say: by how much each cell is lighter than those around it.

    ValueError for a file that is no picture, or is too large.
    """
    try:
        Image.init()
        with Image.open(BytesIO(data), formats=[name for name in _READ if name in Image.OPEN]) as picture:
            if picture.size[0] * picture.size[1] > MOST_PIXELS:
                raise ValueError(f"a picture of {picture.size[0]} by {picture.size[1]} pixels is too large")
            light = picture.convert("RGB").convert("L").convert("F").resize((SIDE, SIDE), Image.Resampling.BOX)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"no picture ({error})") from None
    return _residue(array("f", light.tobytes()))


def _residue(grid: array[float]) -> list[float]:
    made = []
    for at in range(CELLS):
        row, column = divmod(at, SIDE)
        around = [
            grid[SIDE * y + x]
            for y in range(max(0, row - 1), min(SIDE, row + 2))
            for x in range(max(0, column - 1), min(SIDE, column + 2))
        ]
        made.append(grid[at] - sum(around) / len(around))
    # An edge of the picture says much and means nothing.
    middle = sorted(map(abs, made))[CELLS // 2]
    most = 2.0 * middle
    return [max(-most, min(most, value)) for value in made]


def best(found: list[float], key: bytes, months: Iterable[int]) -> Found:
    """The mark of ``key`` that a picture's cells agree with best. ValueError where there is no month."""
    norm = sqrt(sum(value * value for value in found)) or 1.0
    turned = [found[SIDE * row + SIDE - 1 - column] for row in range(SIDE) for column in range(SIDE)]
    return max(_scores(found, turned, norm, key, months), key=lambda one: one.score)


def _scores(found: list[float], turned: list[float], norm: float, key: bytes, months: Iterable[int]) -> Iterator[Found]:
    whole = sum(found)
    for month in months:
        for group in range(GROUPS):
            signs = _signs(key, month, group)
            for mirrored, values in ((False, found), (True, turned)):
                agreement = 2.0 * sum(compress(values, signs)) - whole
                yield Found(month, group, agreement / norm, mirrored)


def _signs(key: bytes, month: int, group: int) -> bytes:
    """For each cell 1, where it is made lighter, or 0."""
    drawn = shake_256(key + month.to_bytes(4, "big") + bytes((group,))).digest(CELLS // 8)
    return f"{int.from_bytes(drawn, 'big'):0{CELLS}b}".encode("ascii").translate(_ZERO_ONE)
