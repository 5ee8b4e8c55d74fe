"""``contentguard variants lint`` and ``contentguard watermark survive``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from contentguard.cli import main, watermark
from contentguard.cli.variants import told_apart
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.frames import MARKS
from contentguard.watermark.keys import keys_of
from tests.watermark.articles import article as paragraphs

GOOD = "---\ntitle: [[x\n---\n# A title\n\n" + "\n\n".join(
    f"The harbour [[master{n}|chief{n}]] of town number {n} [[said|told us]] that everybody’s boat was safe."
    for n in range(25)
)


def lint(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str], name: str = "a.md") -> tuple[int, str, str]:
    (tmp_path / name).write_text(text)
    status = main(["variants", "lint", str(tmp_path / name)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_slots_are_counted_and_what_they_carry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = lint(tmp_path, GOOD.replace("[[x", "x"), capsys)
    assert (status, err) == (0, "")
    assert "75 slots" in out
    assert "    50  wording" in out
    assert "    25  apostrophe" in out
    assert "        master0 | chief0" in out
    assert "reduced to plain ASCII, one copy carries 48.7 bits: it names one among 463,309,561 readers" in out
    assert "without invisible marks only, 73.6 bits: it names one among more readers than there are" in out


def test_few_slots_name_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = lint(tmp_path, "Just [[one|a single]] slot in this sentence.", capsys, "a.txt")
    assert status == 0
    assert "it names nobody by itself (29.9 are needed among 1,000)" in out
    assert "0.0 bits" in lint(tmp_path, "None at all.", capsys)[1]


def test_a_bias_for_coalitions_says_less(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "g.toml").write_text("[watermark]\ncollusion = 4\n")
    (tmp_path / "a.txt").write_text(GOOD.replace("[[x", "x"))
    assert main(["variants", "lint", str(tmp_path / "a.txt"), "--settings", str(tmp_path / "g.toml")]) == 0
    assert "carries 36.0 bits" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("One.\n\nHe said “we [[will|shall]] go”.", 3, "[[will|shall]] stands in a quotation"),
        ("# [[Big|Large]] news\n\nText.", 1, "stands in a quotation, a heading"),
        ("> [[a|b]]\n\nText.", 1, "stands in a quotation, a heading"),
        ("A [[a|a]] b.", 1, "says the same twice"),
        ("A [[one] b.", 1, "expected [[one way|another]]"),
        ("A\nb [[one|two|three]] c.", 2, "expected [[one way|another]]"),
        ("A [[one]] c.", 1, "expected [[one way|another]]"),
        ("A one|two]] [[c|d]].", 1, "expected [[one way|another]]"),
        ("A [[c|d]] then [[", 1, "found '|d]] then [['"),
    ],
)
def test_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, what: str) -> None:
    status, _, err = lint(tmp_path, text, capsys)
    assert status == 1
    assert err.startswith(f"{tmp_path}/a.md:{line}: ")
    assert what in err


def test_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (
        "<!doctype html><article>" + "".join(f"<p>{'Plain words of a paragraph. ' * 6}</p>" for _ in range(4)) +
        "<p>They [[go|leave]] &amp; <span data-cg-variant=\"came\">went</span>.</p>"
        "<blockquote>[[no|never]]</blockquote></article>"
    )  # fmt: skip
    status, out, err = lint(tmp_path, page, capsys, "a.html")
    assert status == 1
    assert err.count("\n") == 1
    assert "[[no|never]] stands in a quotation" in err
    assert "     2  wording" in out
    assert "        went | came" in out


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.html").write_text("<p>No article.</p>")
    assert main(["variants", "lint", str(tmp_path / "a.html"), str(tmp_path / "none")]) == 1
    err = capsys.readouterr().err
    assert "a.html: no article in it" in err
    assert "none: No such file or directory" in err


def test_readers_told_apart() -> None:
    assert told_apart(0.0) == 0
    assert told_apart(40.0) == 1_099_511
    assert told_apart(1e9) > 0


def test_survival(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.md").write_text(GOOD.replace("[[x", "x"))
    extractors = watermark.extractors()

    def broken(page: str) -> str:
        raise ValueError("as strangers' code does")

    ways = {name: extractors[name] for name in ("contentguard", "trafilatura", "readability", "lxml")}
    ways |= {"absent": None, "broken": broken}
    monkeypatch.setattr(watermark, "extractors", lambda: ways)
    assert main(["watermark", "survive", str(tmp_path / "a.md")]) == 0
    rows = {line[:20].strip(): line[20:].split() for line in capsys.readouterr().out.splitlines()[1:]}
    assert rows["absent"] == ["not", "installed"]
    assert rows["broken"][0] == "failed:"
    for name in ("contentguard", "trafilatura", "readability", "lxml", "NFKC", "without Cf"):
        assert rows[name][-1] == "blind", name
    assert rows["without Mn"][-2:] == ["the", "log"]
    assert rows["ASCII"][-2:] == ["the", "log"], "50 slots are enough by themselves"
    assert float(rows["ASCII"][1]) == 0.0


def test_a_way_out_of_the_page_that_loses_the_reader(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_text("A short text without any slot of wording in it at all.")
    monkeypatch.setattr(watermark, "extractors", lambda: {"summary": lambda page: "It says little."})
    assert main(["watermark", "survive", str(tmp_path / "a.md")]) == 1
    assert main(["watermark", "survive", str(tmp_path / "none.md")]) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name, way in watermark.extractors().items() if way is not None])
def test_every_way_that_is_installed_keeps_the_text_and_its_marks(name: str) -> None:
    way = watermark.extractors()[name]
    assert way is not None
    made = Compiled(paragraphs(1), Channels())
    text = way(watermark.marked(made, keys_of(b"only for this test, no secret", 20)))
    assert len(text.split()) > 0.9 * len(made.words)
    assert any(mark in text for mark in MARKS)


def test_through_word_s_format_goes_by_pandoc_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def run(command: list[str], *, input: bytes, **options: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(tuple(command[1:3]))
        return subprocess.CompletedProcess(command, 0, input + b"!", b"")

    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", run)
    way = watermark.extractors()["pandoc docx"]
    assert way is not None
    assert way("the harbour") == "the harbour!!"
    assert asked == [("--from=html", "--to=docx"), ("--from=docx", "--to=plain")]
