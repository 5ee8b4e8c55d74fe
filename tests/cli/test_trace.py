"""``contentguard trace``: names whom the marks name, and nobody else."""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from contentguard.backends import Revision
from contentguard.backends.pages import Page
from contentguard.cli import main, suspects, trace
from contentguard.watermark.buckets import bucket, serial_of_bucket
from contentguard.watermark.compiled import Channels, Compiled
from tests.cli.tracing import KEYS, NOW, Site, article, ascii_only
from tests.client import KEY, get, guarded, page

LEAKER = 4242


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.opened([*range(1, 40), LEAKER], (0, 1, 2))
    return site


def run(site: Site, *sources: object, options: tuple[str, ...] = ()) -> int:
    return main(["trace", *map(str, sources), "--settings", str(site.settings), *options])


def found(site: Site, capsys: pytest.CaptureFixture[str], *sources: object, status: int = 0) -> dict[str, Any]:
    assert run(site, *sources, options=("--json",)) == status
    return dict(json.loads(capsys.readouterr().out))


def file(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_page_names_the_pass(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "stolen.html", site.page(LEAKER))
    assert run(site, path) == 0
    out = capsys.readouterr().out
    assert f"{path}: 2" in out
    assert "Pass serial 0000001092:" in out
    assert "named by a frame" in out
    assert "address address4242  network prefix  allow by people" in out
    assert "of 1,000 innocent readers none has that but with a probability of 1e-06" in out
    assert "not to whoever published it" in out
    assert "\x1b" not in out
    copied, original = out.partition("    copy:    ")[2].partition("    article: ")[::2]
    assert copied.strip() == original.partition("\n")[0]


def test_as_data(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = found(site, capsys, file(tmp_path, "stolen.html", site.page(LEAKER)))
    (named,) = told["named"]
    assert named["serial"] == "0000001092"
    assert named["bits"] > 200
    assert {row["article"] for row in named["given"]} == set(site.articles)
    (article,) = told["articles"]
    assert article["article"] == site.name(0)
    assert article["of_article"] > 0.5
    assert article["genuine_frames"] == 1
    assert told["needed_bits"] == pytest.approx(29.897, abs=0.001)


def test_one_paragraph_from_a_clipboard_through_standard_input(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(site.copy(LEAKER)[2].encode())))
    assert [one["serial"] for one in found(site, capsys, "-")["named"]] == ["0000001092"]


def test_without_frames_the_log_is_compared(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n\n".join(site.copy(LEAKER))
    stripped = "".join(c for c in text if not ("\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"))
    told = found(site, capsys, file(tmp_path, "a.txt", stripped))
    (named,) = told["named"]
    assert named["serial"] == "0000001092"
    assert not named["articles"][0]["named_by_frame"]
    assert told["compared"] == 40


def test_ascii_from_one_article_with_many_slots(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = found(site, capsys, file(tmp_path, "a.txt", ascii_only(site.copy(LEAKER))))
    (named,) = told["named"]
    assert named["serial"] == "0000001092"
    assert named["articles"][0]["gaps"] == named["articles"][0]["frames"] == 0


def test_ascii_from_several_articles_adds_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(tmp_path, 3, slots=4)
    site.opened([*range(1, 40), LEAKER], (0, 1, 2))
    folder = tmp_path / "leak"
    folder.mkdir()
    one = file(folder, "0.txt", ascii_only(site.copy(LEAKER, 0)))
    told = found(site, capsys, one, status=1)
    assert told["named"] == []
    assert told["others"][0]["serial"] == "0000001092"
    assert run(site, one) == 1
    out = capsys.readouterr().out
    assert "Nobody is named: the most that speaks for one reader is" in out
    assert "What cannot be traced" in out
    for number in (1, 2):
        file(folder, f"{number}.md", ascii_only(site.copy(LEAKER, number)))
    told = found(site, capsys, folder)
    (named,) = told["named"]
    assert named["serial"] == "0000001092"
    assert len(named["articles"]) == 3


def test_two_files_of_one_article_are_not_twice_the_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path, 1, slots=4)
    site.opened([*range(1, 40), LEAKER])
    paths = [file(tmp_path, f"{n}.txt", ascii_only(site.copy(LEAKER))) for n in range(4)]
    once = found(site, capsys, paths[0], status=1)["others"][0]["bits"]
    assert found(site, capsys, *paths, status=1)["others"][0]["bits"] == pytest.approx(once, abs=0.01)


def test_two_leakers_are_both_named(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file(tmp_path, "a.txt", "\n\n".join(site.copy(LEAKER, 0)))
    file(tmp_path, "b.txt", "\n\n".join(site.copy(7, 1)))
    told = found(site, capsys, tmp_path / "a.txt", tmp_path / "b.txt")
    assert {one["serial"] for one in told["named"]} == {"0000001092", "0000000007"}


def test_a_frame_moved_to_another_article_names_nobody(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = "".join(c for c in "".join(site.copy(LEAKER, 0)) if "\ufe00" <= c <= "\ufe0f" or c >= "\U000e0100")[:16]
    clean = site.articles[site.name(1)]
    text = "\n\n".join(clean.filled([mark.decode() for mark in clean.plain])) + own
    told = found(site, capsys, file(tmp_path, "a.txt", text), status=1)
    assert told["named"] == []
    assert told["articles"][0]["foreign_frames"] == 1
    run(site, tmp_path / "a.txt")
    assert "1 different frames belong to no article here" in capsys.readouterr().out


@pytest.mark.parametrize("references", [False, True])
def test_marks_that_an_editor_pasted_into_an_article_accuse_nobody(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], references: bool
) -> None:
    """A paragraph from a colleague's own copy stands in another article, so every reader's copy of that has it."""
    pasted = site.copy(LEAKER)[0]
    if references:
        pasted = pasted.encode("ascii", "xmlcharrefreplace").decode()
    other = Compiled([[pasted], *article(77).paragraphs], Channels(enabled=True))
    name = site.name(77)
    site.articles[name] = other
    with site.log() as log:
        log.learn(Revision(name, other.revision, other.paragraphs, other.channels, NOW))
    site.opened([7], (77,))
    copy = file(tmp_path, "stolen.html", site.page(7, 77))
    told = found(site, capsys, copy)
    assert [one["serial"] for one in told["named"]] == ["0000000007"]
    assert all(one["published_marks"] > 20 for one in told["articles"])
    paragraph = file(tmp_path, "paragraph.html", f"<meta charset=utf-8><p>{site.copy(7, 77)[0]}")
    assert [one["serial"] for one in found(site, capsys, paragraph)["named"]] == ["0000000007"]
    assert run(site, paragraph) == 0
    assert "stand in the article as published" in capsys.readouterr().out


def test_the_authors_own_text_accuses_nobody(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean = site.articles[site.name(1)]
    text = "\n\n".join(clean.filled([mark.decode() for mark in clean.plain]))
    told = found(site, capsys, file(tmp_path, "a.txt", text), status=1)
    assert told["named"] == []
    assert told["articles"][0]["of_article"] > 0.5


def test_whom_the_log_has_forgotten_a_frame_still_names(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file(tmp_path, "stolen.html", site.page(LEAKER))
    with site.log() as log:
        log.erase(serial=LEAKER)
    assert run(site, path) == 0
    out = capsys.readouterr().out
    assert "Pass serial 0000001092" in out
    assert "the evidence log does not know it, or no more" in out


def sentence(site: Site) -> str:
    """One of a copy, with its frame: too short to be found by its words."""
    text = site.copy(LEAKER)[0]
    end = text.index(".", text.index(".") + 20) + 1
    start = text.rindex(" ", 0, end - 12) + 1
    return text[start:end] + text[end : end + 16]


def test_a_few_words_with_their_frame(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = found(site, capsys, file(tmp_path, "a.txt", sentence(site)))
    assert [one["serial"] for one in told["named"]] == ["0000001092"]
    assert told["articles"][0]["passages"] == []


def test_frames_tell_the_article_where_there_is_no_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(tmp_path, 1, indexed=False)
    site.opened([*range(1, 40), LEAKER])
    path = file(tmp_path, "a.txt", "\n".join(site.copy(LEAKER)))
    told = found(site, capsys, path)
    assert [one["serial"] for one in told["named"]] == ["0000001092"]
    assert told["articles"][0]["of_article"] is None
    run(site, path)
    assert "its text is not in the index" in capsys.readouterr().out


def test_nothing_of_ours(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(site, file(tmp_path, "a.txt", "Quite another text altogether, about cabbages and about kings.")) == 3
    assert "Nothing of this site's was found." in capsys.readouterr().out


def test_bad_sources_are_named_and_the_rest_goes_on(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = file(tmp_path, "a.html", site.page(LEAKER)), file(tmp_path, "b.txt", b"\x00\x01\x02")
    assert run(site, good, bad, tmp_path / "none.txt") == 0
    err = capsys.readouterr().err
    assert "b.txt: no text, but what only programs read" in err
    assert "none.txt: No such file or directory" in err
    assert run(site, bad) == 2


def test_a_folder_with_everything_in_it(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "leak" / "deep"
    folder.mkdir(parents=True)
    (folder / ".git").mkdir()
    file(folder / ".git", "config", "hidden")
    file(folder, "a.htm", site.page(LEAKER))
    file(folder, "photo.jpeg", b"\xff\xd8")
    told = found(site, capsys, tmp_path / "leak")
    assert [one["name"] for one in told["sources"]] == [str(folder / "a.htm")]


def test_word(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    runs = "".join(f"<w:p><w:r><w:t>{paragraph}</w:t></w:r></w:p>" for paragraph in site.copy(LEAKER))
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as packed:
        packed.writestr("word/document.xml", f'<w:document xmlns:w="{space}"><w:body>{runs}</w:body></w:document>')
    told = found(site, capsys, tmp_path / "a.docx")
    assert [one["serial"] for one in told["named"]] == ["0000001092"]


def test_an_address(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []

    def fetch(url: str, *, private: bool) -> Page:
        asked.append((url, private))
        return Page(url, "text/html", "utf-8", site.page(LEAKER).encode())

    monkeypatch.setattr(trace, "fetch", fetch)
    assert run(site, "https://copy.example/a", options=("--allow-private",)) == 0
    assert asked == [("https://copy.example/a", True)]
    assert "Pass serial 0000001092" in capsys.readouterr().out


def test_ghsa_mrvx_jmjw_vggc_an_address_of_ones_own_network_is_refused(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(site, "http://127.0.0.1:9/") == 2
    assert "an address that is not public" in capsys.readouterr().err


def test_a_report_to_hand_on(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = site.page(LEAKER).replace("<h1>Look", "<h1>&lt;script&gt;alert(1)&lt;/script&gt;")
    path = file(tmp_path, "a.html", text)
    assert run(site, path, options=("--report", str(tmp_path / "out"))) == 0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "src=" not in page
    assert "The &lt;Daily&gt; Test" in page
    assert page.count("<mark>") == page.count("</mark>") >= 4
    assert "Pass serial 0000001092" in page
    notice = (tmp_path / "out" / "takedown-notice.txt").read_text("utf-8")
    assert notice.startswith("DRAFT")
    assert site.name(0) in notice
    assert json.loads((tmp_path / "out" / "trace.json").read_text("utf-8"))["named"]
    assert "written: " in capsys.readouterr().err
    assert run(site, path, options=("--report", str(path))) == 2
    assert "--report" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["Nothing of yours.", ""])
def test_a_report_of_nothing(site: Site, tmp_path: Path, text: str) -> None:
    assert run(site, file(tmp_path, "a.txt", text), options=("--report", str(tmp_path / "out"))) == 3
    assert "No passes named" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "(none found)" in (tmp_path / "out" / "takedown-notice.txt").read_text("utf-8")


def test_more_readers_need_more_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(tmp_path, 1, slots=6)
    site.opened([*range(1, 40), LEAKER])
    path = file(tmp_path, "a.txt", ascii_only(site.copy(LEAKER)))
    bits = found(site, capsys, path, status=1)["others"][0]["bits"]
    assert 17 < bits < 29.9
    assert run(site, path, options=("--readers", "100", "--epsilon", "0.001")) == 0


@pytest.mark.parametrize(
    ("options", "wanted"),
    [(("--readers", "0"), "at least 1"), (("--epsilon", "0"), "a probability"),
     (("--evidence", "mysql://x"), "expected"), (("--evidence", "/nowhere/e.sqlite"), "is not there")],
)  # fmt: skip
def test_faults(site: Site, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], wanted: str) -> None:
    assert run(site, site.settings, options=options) == 2
    assert wanted in capsys.readouterr().err


def test_settings_without_a_log_or_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text("")
    assert main(["trace", "x", "--settings", str(tmp_path / "a.toml")]) == 2
    assert "evidence.url" in capsys.readouterr().err
    assert main(["trace", "x", "--settings", str(tmp_path / "a.toml"), "--evidence", "e.sqlite"]) == 2
    assert "secret_key" in capsys.readouterr().err


def test_revocation(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "a.html", site.page(LEAKER))
    assert run(site, path, options=("--revoke",)) == 2, "no store is configured"
    assert "store" in capsys.readouterr().err


def test_what_is_revoked() -> None:
    from contentguard.cli.finding import Reader
    from tests.backends.evidence import issued

    told: list[argparse.Namespace] = []

    def act(options: argparse.Namespace) -> int:
        told.append(options)
        return 0

    options = argparse.Namespace(settings="guard.toml")
    readers = [Reader(1, 50.0, (), (issued(1, visit="b"), issued(1, visit="a"), issued(1, visit="b")))]
    assert trace.revoked(readers, options, act) == 0
    assert told == [argparse.Namespace(names=["a", "b"], url=None, settings="guard.toml")]
    assert trace.revoked([Reader(1, 50.0, (), ())], options, act) == 1


def test_names_cannot_move_the_cursor() -> None:
    assert suspects.shown("a\x1b[2J\nb\u202e") == "a�[2J b�"


def test_from_a_served_page_to_the_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way: a reader's page is saved, cleaned as scrapers clean, and traced to the pass it was served to."""
    trafilatura = pytest.importorskip("trafilatura")
    site = Site(tmp_path, 0)
    words = [f"<p>{' '.join(paragraph)}</p>" for paragraph in article(5).paragraphs]
    app = guarded(
        page(
            f"<!doctype html><html><head><title>T</title></head><body><article>{''.join(words)}</article></body></html>"
        ),
        secret_key=KEY,
        watermark={"enabled": True},
        evidence={"url": f"sqlite:///{site.file}"},
    )
    served = get(app).text
    assert app.guard.copies is not None
    assert app.guard.copies.evidence is not None
    app.guard.copies.evidence.close()
    with site.log() as log:
        (row,) = log.rows()
    path = file(tmp_path, "scraped.txt", str(trafilatura.extract(served)))
    told = found(site, capsys, path)
    (named,) = told["named"]
    assert named["given"][0]["visit"] == row.visit
    assert named["serial"] == f"{row.serial:010x}"
    assert told["articles"][0]["article"] == row.article


def test_a_mirror_without_invisible_marks_is_traced_by_the_order_of_attributes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ASCII only, no wording, and the class is taken out: what is left is how the site's own tags stand."""
    site = Site(tmp_path, 0)
    (words,) = article(5, slots=0).paragraphs[0]
    parts = [f'<p class="a" id="n{number}" title="{number}" lang="en">{words} {number}</p>' for number in range(20)]
    body = f"<!doctype html><html><head><title>T</title></head><body><article>{''.join(parts)}</article></body></html>"
    app = guarded(
        page(body),
        secret_key=KEY,
        watermark={"enabled": True},
        evidence={"url": f"sqlite:///{site.file}"},
    )
    pages = [get(app).content.decode().encode("ascii", "ignore").decode() for _ in range(6)]
    assert app.guard.copies is not None
    assert app.guard.copies.evidence is not None
    app.guard.copies.evidence.close()
    with site.log() as log:
        rows = list(log.rows())
    path = file(tmp_path, "mirror.html", re.sub(" cg-[0-9a-v]{16}", "", pages[3]))
    (named,) = found(site, capsys, path)["named"]
    assert named["serial"] == f"{rows[3].serial:010x}"
    (part,) = named["articles"]
    assert part["html"] > 60
    assert part["frames"] == part["gaps"] == pytest.approx(0.0, abs=0.1)
    # Beside the class the frames say it, which is the same said once more.
    (named,) = found(site, capsys, file(tmp_path, "whole.html", pages[3]))["named"]
    assert named["articles"][0]["named_by_frame"]
    assert named["articles"][0]["frames"] < 75


def test_ten_articles_of_buckets_name_the_pass_that_was_in_all_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Copies that shared caches gave out: one in 64 readers has each, and one has all."""
    channels = Channels(enabled=True, buckets=64)
    site = Site(tmp_path, 0)
    site.articles = {site.name(number): article(number, channels=channels) for number in range(10)}
    with site.log() as log:
        for name, compiled in site.articles.items():
            log.learn(Revision(name, compiled.revision, compiled.paragraphs, channels, NOW))
    site.opened([*range(1, 200), LEAKER], range(10))
    for number in range(10):
        encoded = site.name(number).encode()
        own = serial_of_bucket(encoded, bucket(KEYS, encoded, LEAKER, 64))
        site.opened([own], [number])
        (tmp_path / "leaked").mkdir(exist_ok=True)
        file(tmp_path / "leaked", f"{number}.html", site.page(own, number))
    told = found(site, capsys, tmp_path / "leaked")
    (named,) = told["named"]
    assert named["serial"] == f"{LEAKER:010x}"
    assert named["bits"] == pytest.approx(58.0, abs=2.0)
    assert all(part["buckets"] > 5 for part in named["articles"])
    assert len(told["buckets"]) == 10
    # Six bits each: six articles are too few among a million.
    few = [tmp_path / "leaked" / f"{number}.html" for number in range(6)]
    assert run(site, *few, options=("--readers", "1000000")) == 1
    out = capsys.readouterr().out
    assert out.count("A copy that shared caches gave to one reader in 64: bucket") == 6
    assert "Nobody is named: the most that speaks for one reader is 3" in out
    seven = [*few, tmp_path / "leaked" / "6.html"]
    assert run(site, *seven, options=("--readers", "1000000")) == 0
    assert run(site, *few[:1], options=("--report", str(tmp_path / "case"))) == 1
    assert "one reader in 64" in (tmp_path / "case" / "report.html").read_text()


def test_somebody_s_own_copy_beside_a_bucket_s_names_him(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    channels = Channels(enabled=True, buckets=64)
    site = Site(tmp_path, 0)
    name = site.name(0)
    site.articles = {name: article(0, channels=channels)}
    with site.log() as log:
        log.learn(Revision(name, site.articles[name].revision, site.articles[name].paragraphs, channels, NOW))
    own = serial_of_bucket(name.encode(), 7)
    site.opened([*range(1, 20), LEAKER, own])
    file(tmp_path, "a.html", site.page(own))
    path = file(tmp_path, "b.html", site.page(LEAKER))
    (named,) = found(site, capsys, tmp_path / "a.html", path)["named"]
    assert named["serial"] == f"{LEAKER:010x}"


def test_after_a_rotation_old_copies_are_still_traced(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = site.settings.read_text().replace(f'"{KEY}"', f'["a quite new and secret key", "{KEY}"]')
    site.settings.write_text(both)
    for text in (site.page(LEAKER), ascii_only(site.copy(LEAKER))):
        told = found(site, capsys, file(tmp_path, "a.html", text))
        assert [one["serial"] for one in told["named"]] == ["0000001092"]


def test_an_article_that_nobody_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(tmp_path, 1)
    path = file(tmp_path, "a.txt", ascii_only(site.copy(LEAKER)))
    assert run(site, path, options=("--report", str(tmp_path / "out"))) == 1
    assert "the log knows nobody who was given this" in capsys.readouterr().out
    assert "the log knows nobody" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_whom_only_a_frame_names_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(tmp_path, 1)
    path = file(tmp_path, "a.html", site.page(LEAKER))
    assert run(site, path, options=("--report", str(tmp_path / "out"), "--revoke")) == 0
    assert "The evidence log does not know it" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "nothing to take back" in capsys.readouterr().err


def test_who_reads_much(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with site.log() as log:
        log.write([row for row in list(log.rows(serial=LEAKER)) for _ in range(5)])
    assert run(site, file(tmp_path, "a.html", site.page(LEAKER))) == 0
    assert "and 8 copies more" in capsys.readouterr().out


def test_a_copy_of_a_text_that_the_index_has_no_more(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an older state only the log knows: its marks cannot be compared, and that accuses nobody."""
    old = site.articles[site.name(0)].revision
    with site.log() as log:
        rows = [row._replace(revision=bytes(8)) for row in log.rows(article=site.name(0))]
        for row in rows:
            log.erase(serial=row.serial)
        log.write(rows)
    assert old != bytes(8)
    told = found(site, capsys, file(tmp_path, "a.txt", ascii_only(site.copy(LEAKER))), status=1)
    assert told["compared"] == 0
