"""Articles come in whole, or every fault of every file is named at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from examples.news import markdown, pictures
from examples.news.content import ContentError, load, section_slug
from tests.examples.news.conftest import PNG

GOOD = {
    "title": "A title",
    "slug": "a-slug",
    "date": "2026-03-14",
    "section": "Harbour",
    "summary": "A summary.",
}


def write(folder: Path, name: str = "a.md", body: str = "Some text.", **changed: str | None) -> Path:
    """Write one article; None leaves a field out."""
    folder.mkdir(exist_ok=True)
    fields = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    header = "".join(f"{name}: {value}\n" for name, value in fields.items())
    (folder / name).write_text(f"---\n{header}---\n{body}\n", encoding="utf-8")
    return folder


def faults(folder: Path) -> list[tuple[str, str]]:
    """Return (file, field) of everything that is wrong."""
    with pytest.raises(ContentError) as caught:
        load(folder)
    for fault in caught.value.faults:
        assert str(fault) in str(caught.value)
        assert "expected" in str(fault)
        assert "found" in str(fault)
    return [(fault.file, fault.field) for fault in caught.value.faults]


def test_a_good_folder_is_read_newest_first(folder: Path) -> None:
    articles = load(folder)
    assert [article.slug for article in articles] == [f"story-{number}" for number in range(12)]
    first = articles[0]
    assert first.author == "Ada Quayle"
    assert (first.image, first.image_alt) == ("pier.png", "The pier at dawn")
    assert (first.image_width, first.image_height) == (1200, 630)
    assert first.image_bytes > 0
    assert first.html.startswith("<p>The herring came early")
    assert first.text.splitlines() == [
        "The herring came early, paragraph one of 0.",
        "Nobody had nets, paragraph two of 0.",
    ]
    assert first.words == 15


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-14", datetime(2026, 3, 14, tzinfo=UTC)),
        ("2026-03-14T09:30:00", datetime(2026, 3, 14, 9, 30, tzinfo=UTC)),
        ("2026-03-14T09:30:00Z", datetime(2026, 3, 14, 9, 30, tzinfo=UTC)),
        ('"2026-03-14T09:30:00+01:00"', datetime(2026, 3, 14, 9, 30, tzinfo=timezone(timedelta(hours=1)))),
        ('"2026-03-14"', datetime(2026, 3, 14, tzinfo=UTC)),
    ],
)
def test_dates(tmp_path: Path, written: str, read: datetime) -> None:
    assert load(write(tmp_path, date=written))[0].date == read


@pytest.mark.parametrize(
    ("field", "written"),
    [
        *((name, None) for name in GOOD),
        *((name, "") for name in GOOD),
        ("title", "[a, list]"),
        ("title", "2026-03-14"),
        ("slug", "Upper-Case"),
        ("slug", "two--hyphens"),
        ("slug", "../../etc/passwd"),
        ("slug", '"a-slug\\n"' + "x"),
        ("date", "yesterday"),
        ("date", "20"),
        ("date", '"2026-02-31"'),
        ("section", '"!?"'),
        ("author", "[A, B]"),
        ("image", "missing.png"),
        ("image", "../secret.png"),
        ("image", "notes.txt"),
    ],
)
def test_a_faulty_field_is_named(tmp_path: Path, field: str, written: str | None) -> None:
    found = faults(write(tmp_path, "a.md", "Text.", **{field: written}))
    assert found[0][0] == "a.md"
    assert found[0][1] in (field, "front matter")


@pytest.mark.parametrize(
    "source",
    [
        "---\ntitle: never closed\n",
        "---\n- a list\n---\ntext",
        "---\n[unbalanced\n---\ntext",
        "---\ndate: 2026-02-31\n---\ntext",
        "+++\ntitle = unquoted\n+++\ntext",
        "---\n---\ntext",
    ],
)
def test_broken_front_matter(tmp_path: Path, source: str) -> None:
    (tmp_path / "b.md").write_text(source)
    assert faults(tmp_path) == [("b.md", "front matter")]


def test_all_faults_of_all_files_come_together(tmp_path: Path) -> None:
    write(tmp_path, "a.md", slug="Bad Slug", date="never")
    write(tmp_path, "b.md", summary=None, body="")
    write(tmp_path, "c.md")
    write(tmp_path, "d.md", title="Same slug")
    (tmp_path / "e.md").write_bytes(b"---\ntitle: \xff\n---\n")
    assert sorted(faults(tmp_path)) == [
        ("a.md", "date"),
        ("a.md", "slug"),
        ("b.md", "body"),
        ("b.md", "summary"),
        ("d.md", "slug"),
        ("e.md", "file"),
    ]


def test_a_picture_must_be_one(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "x.png").write_bytes(b"not a picture")
    assert faults(write(tmp_path, image="x.png")) == [("a.md", "image")]


def test_an_empty_or_missing_folder_is_told(tmp_path: Path) -> None:
    assert faults(tmp_path)[0][1] == "folder"
    with pytest.raises(ContentError, match="no such folder"):
        load(tmp_path / "nowhere")


def test_toml_front_matter(tmp_path: Path) -> None:
    fields = "".join(f'{name} = "{value}"\n' for name, value in GOOD.items() if name != "date")
    (tmp_path / "a.md").write_text(f"+++\n{fields}date = 2026-03-14T09:30:00Z\n+++\nText.\n")
    assert load(tmp_path)[0].date == datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Arts & Books", "arts-books"), ("  Town Hall ", "town-hall"), ("Straße", "strasse"), ("新闻", "新闻")],
)
def test_section_slugs(name: str, slug: str) -> None:
    assert section_slug(name) == slug


def test_markdown_brings_no_code_and_no_inline_style() -> None:
    html, text = markdown.render(
        "# Top\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) <img src=x onerror=alert(1)>\n\n"
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n![A boat](images/boat.jpg)\n\nTwo\nlines.\n\n    code\n"
    )
    assert "<script" not in html
    assert "<img src=x" not in html.replace('"', "")
    assert 'href="javascript' not in html
    assert "style=" not in html
    assert '<td class="align-right">2</td>' in html
    assert "<h2>Top</h2>" in html
    assert 'src="/images/boat.jpg"' in html
    assert "Two lines." in text
    assert "code" in text


def _webp(kind: bytes, rest: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBP" + kind + bytes(4) + rest + bytes(20)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x02\x76\x04\xb0\x03" + bytes(9), (1200, 630)),
        (b"\xff\xd8\xff\xe0\x00\x04ab", None),
        (_webp(b"VP8X", bytes(4) + (1199).to_bytes(3, "little") + (629).to_bytes(3, "little")), (1200, 630)),
        (_webp(b"VP8L", b"\x2f" + (1199 | 629 << 14).to_bytes(4, "little")), (1200, 630)),
        (_webp(b"VP8 ", bytes(6) + (1200).to_bytes(2, "little") + (630).to_bytes(2, "little")), (1200, 630)),
        (_webp(b"ANIM", b""), None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"", None),
    ],
)
def test_picture_sizes(tmp_path: Path, data: bytes, size: tuple[int, int] | None) -> None:
    (tmp_path / "x").write_bytes(data)
    assert pictures.size(tmp_path / "x") == size


def test_a_picture_in_the_text_has_its_size_and_a_double(tmp_path: Path) -> None:
    folder = tmp_path / "images" / "photos"
    folder.mkdir(parents=True)
    for name in ("pier.png", "pier@2x.png", "sea wall.png"):
        (folder / name).write_bytes(PNG)
    shown = (
        "![Pier](images/photos/pier.png)\n\n![Wall](images/photos/sea%20wall.png)\n\n![Far](https://a.example/x.png)"
    )
    write(tmp_path, body=shown)
    pier, wall, far = re.findall("<img [^>]*>", load(tmp_path)[0].html)
    assert 'src="/images/photos/pier.png"' in pier
    assert 'width="1200" height="630"' in pier
    assert 'srcset="/images/photos/pier.png 1x, /images/photos/pier@2x.png 2x"' in pier
    assert ('src="/images/photos/sea%20wall.png"' in wall, 'width="1200"' in wall, "srcset" in wall) == (
        True,
        True,
        False,
    )
    assert far == '<img src="https://a.example/x.png" alt="Far" loading="lazy">'


@pytest.mark.parametrize("shown", ["missing.png", "../a.md", "../../images/pier.png", "notes.txt"])
def test_a_picture_in_the_text_has_to_be_there(tmp_path: Path, shown: str) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "notes.txt").write_text("no picture")
    write(tmp_path, body=f"Text.\n\n![It](images/{shown})")
    assert faults(tmp_path) == [("a.md", "body")]
