"""Marks in pictures: they outlive what websites do to pictures, say nothing of any that has none, and hardly show."""

from __future__ import annotations

import random
from io import BytesIO
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import EpsImagePlugin, Image, ImageOps

from contentguard.watermark.pictures import (
    CELLS,
    GROUPS,
    SIDE,
    best,
    cells,
    chance,
    group_of,
    marked,
    needed,
)
from tests.watermark.pictures import file, likeness, opened, photograph

KEY, OTHER = b"k" * 32, b"o" * 32
MONTHS = range(5, 9)
"""Those that are tried here; as many as needed count in the bound."""
NEEDED = needed(2 * 24 * GROUPS, 1e-6)
SEEDS = [1, 2, 3]


def copy(seed: int, caption: str = "") -> Image.Image:
    made = marked(file(photograph(seed)), KEY, 7, 5, caption)
    assert made is not None
    return opened(made)


def half(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)


DONE = {
    "as it was": lambda picture: file(picture, quality=95),
    "JPEG 75": lambda picture: file(picture, quality=75),
    "half the size, JPEG 75": lambda picture: file(half(picture), quality=75),
    "WebP 70": lambda picture: file(half(picture), "WEBP", quality=70),
    "a third, JPEG 60": lambda picture: file(picture.resize((300, 200), Image.Resampling.BICUBIC), quality=60),
    "larger": lambda picture: file(picture.resize((1400, 933)), quality=80),
    "squeezed to a square": lambda picture: file(picture.resize((500, 500)), quality=75),
    "grey": lambda picture: file(picture.convert("L"), quality=75),
    "eight colours": lambda picture: file(picture.quantize(8), "GIF"),
    "brighter": lambda picture: file(picture.point([min(255, value + 20) for value in range(256)] * 3), quality=75),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", DONE)
def test_a_mark_outlives(name: str, seed: int) -> None:
    found = best(cells(DONE[name](copy(seed))), KEY, MONTHS)
    assert found.score >= NEEDED
    assert (found.month, found.group, found.mirrored) == (7, 5, False)


def test_it_is_found_in_the_mirror() -> None:
    found = best(cells(file(ImageOps.mirror(half(copy(1))), quality=75)), KEY, MONTHS)
    assert (found.month, found.group, found.mirrored) == (7, 5, True)
    assert found.score >= NEEDED


@pytest.mark.parametrize("seed", SEEDS)
def test_who_has_another_key_or_an_unmarked_picture_finds_none(seed: int) -> None:
    assert best(cells(file(photograph(seed))), KEY, MONTHS).score < NEEDED
    assert best(cells(file(copy(seed))), OTHER, MONTHS).score < NEEDED


@pytest.mark.parametrize("seed", SEEDS)
def test_it_hardly_shows(seed: int) -> None:
    original = photograph(seed)
    assert likeness(original, copy(seed)) > 38
    flat = Image.new("RGB", (600, 400), (120, 130, 140))
    made = marked(file(flat, "PNG"), KEY, 7, 5)
    assert made is not None
    values = opened(made).tobytes()
    assert max(abs(value - was) for value, was in zip(values, flat.tobytes(), strict=True)) <= 3
    assert likeness(flat, opened(made)) > 44, "least where nothing hides it"


def test_the_bound_holds_for_cells_of_any_kind() -> None:
    """Of 3,072 sets of signs and 60 vectors none reaches what one in a million may; and few reach what many may."""
    draw = random.Random(4)
    worst = []
    for number in range(60):
        heavy = [draw.gauss(0, 1) ** (1 + 2 * (number % 3)) for _ in range(CELLS)]
        worst.append(best(heavy, KEY, range(3)).score)
    sets = 2 * 3 * GROUPS
    assert max(worst) < needed(sets, 1e-6)
    reached = sum(score >= needed(sets, 0.5) for score in worst)
    assert reached <= 45, "the bound is at most one half; 45 of 60 are four standard deviations above"


@given(st.integers(1, 10**6), st.floats(1e-12, 0.5))
def test_the_score_that_is_needed_is_the_chance_turned_round(sets: int, epsilon: float) -> None:
    assert chance(needed(sets, epsilon), sets) == pytest.approx(epsilon)
    assert chance(0.0, sets) == chance(-1.0, sets) == 1.0
    assert 0.0 < chance(50.0, sets) < 1e-200


@pytest.mark.parametrize(("sets", "epsilon"), [(0, 0.1), (1, 0.0), (1, 1.0)])
def test_what_is_no_probability_is_refused(sets: int, epsilon: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        needed(sets, epsilon)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_size_and_kind_stay(mode: str, kind: str) -> None:
    if kind == "JPEG" and "A" in mode:
        return
    picture = photograph(1, 300, 200).convert(mode)
    if "A" in mode:
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    for caption in ("", "The Daily Test"):
        made = marked(file(picture, kind), KEY, 1, 2, caption)
        assert made is not None
        after = opened(made)
        assert (after.size, after.format) == (picture.size, kind)
        assert ("A" in mode) is after.has_transparency_data or kind == "WEBP"
        if not caption and "A" in mode and kind == "PNG":
            assert after.getchannel("A").tobytes() == picture.getchannel("A").tobytes()


def test_what_a_file_says_of_its_colours_stays() -> None:
    exif = Image.Exif()
    exif[0x8298] = "(c) The Daily Test"
    made = marked(file(photograph(1, 300, 200), exif=exif, icc_profile=b"p" * 128), KEY, 1, 2)
    assert made is not None
    after = opened(made)
    assert after.info["icc_profile"] == b"p" * 128
    assert after.getexif()[0x8298] == "(c) The Daily Test"


def test_a_caption_shows_at_the_lower_edge_and_nowhere_else() -> None:
    original = photograph(2)
    made = marked(file(original, "PNG"), None, 0, 0, "Photo: The Daily Test, all rights reserved")
    assert made is not None
    after = opened(made)
    upper = (0, 0, 900, 560)
    assert after.crop(upper).tobytes() == original.crop(upper).tobytes()
    assert likeness(after.crop((0, 570, 900, 600)), original.crop((0, 570, 900, 600))) < 20
    assert best(cells(made), KEY, MONTHS).score < NEEDED
    assert best(cells(file(copy(2, "The Daily Test"), quality=75)), KEY, MONTHS).score >= NEEDED


LEFT = {
    "a drawing": lambda: file(photograph(1, 300, 200).quantize(16), "PNG"),
    "too small": lambda: file(photograph(1, 2 * SIDE - 1, 300)),
    "animated": lambda: file(photograph(1, 300, 200), "WEBP", save_all=True, append_images=[photograph(2, 300, 200)]),
    "animated PNG": lambda: file(
        photograph(1, 300, 200), "PNG", save_all=True, append_images=[photograph(2, 300, 200)]
    ),
    "four inks": lambda: file(photograph(1, 300, 200).convert("CMYK")),
    "sixteen bits": lambda: file(Image.new("I;16", (300, 200)), "PNG"),
    "far too large": lambda: file(Image.new("1", (8001, 5001)).convert("L"), "PNG"),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_better_left_alone_is(name: str) -> None:
    assert marked(LEFT[name](), KEY, 1, 2, "caption") is None


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_is_no_picture_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="no picture"):
        cells(data)


def test_no_copy_has_ghostscript_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library runs it for a file of PostScript, whatever its name is; and whoever copies chooses what is read."""
    run: list[object] = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *found, **more: run.append(found))
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n%%EndComments\n(%pipe%id) (r) file\n%%EOF\n"
    with pytest.raises(ValueError, match="no picture"):
        cells(script)
    assert not run


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_what_copies_are_saved_as_is_read(kind: str) -> None:
    data = BytesIO()
    Image.new("RGB", (200, 200), "white").save(data, kind)
    assert len(cells(data.getvalue())) == 64 * 64


def test_a_picture_too_large_to_look_into() -> None:
    with pytest.raises(ValueError, match="8001 by 5001"):
        cells(LEFT["far too large"]())


def test_one_colour_says_nothing() -> None:
    assert best(cells(file(Image.new("RGB", (200, 200), "red"), "PNG")), KEY, [0]).score == 0.0
    assert len(cells(file(photograph(1, 200, 200)))) == CELLS
    assert sqrt(CELLS) == SIDE


def test_pictures_paths_are_in_few_groups() -> None:
    assert {group_of(f"/images/{number}.jpg") for number in range(2000)} == set(range(GROUPS))
    assert group_of("/images/\ud800.jpg") in range(GROUPS)
