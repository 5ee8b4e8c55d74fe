"""The text of documents: what a reader would see, and every mark in it."""

from __future__ import annotations

import subprocess
import time
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.cli import texts
from contentguard.cli.texts import TextError, document, kind_of, text_of

MARK = "\U000e0101\u200c"


@pytest.fixture
def _no_pandoc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def docx(xml: str, name: str = "word/document.xml") -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, xml)
    return data.getvalue()


def word(body: str, before: str = "") -> bytes:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return docx(f'{before}<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>')


@pytest.mark.parametrize(
    ("name", "data", "media", "kind"),
    [
        ("a.docx", b"", "", "docx"),
        ("-", b"PK\x03\x04rest", "", "docx"),
        ("a.HTM", b"", "", "html"),
        ("https://a/", b"", "text/html", "html"),
        ("-", b"  <!DOCTYPE html>", "", "html"),
        ("-", b"<html>", "", "html"),
        ("a.md", b"", "", "markdown"),
        ("-", b"", "text/markdown", "markdown"),
        ("a.txt", b"words", "text/plain", "text"),
    ],
)
def test_kinds(name: str, data: bytes, media: str, kind: str) -> None:
    assert kind_of(name, data, media) == kind


def test_html_is_what_is_seen() -> None:
    page = (
        "<head><title>no</title><style>no</style><script>no('<p>')</script></head><body><svg><text>no</text></svg>"
        f"<p>One{MARK} <b>bo</b>ld<br>line&amp;</p><div>Two<template>no</template></div><noscript>no</noscript>"
    )
    found = text_of(page.encode(), "html")
    assert found.split() == [f"One{MARK}", "bold", "line&", "Two"]
    assert "no" not in found


def test_what_stays_open_ends_with_the_head() -> None:
    assert "seen" in text_of(b"<svg><body>seen", "html")
    assert "seen" in text_of(b"</p></svg>seen", "html")


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ("<svg/>seen<math/>", "seen"),
        ("<svg><svg></svg>seen", "seen"),
        ("<svg><iframe></iframe>no</svg>seen<template>no", "seen"),
        ("<template><svg>no</template>seen", "seen"),
        ("<textarea>a<b>&lt;c</TEXTAREA >d", "a<b><c\n\nd"),
        ("<!-- <p>no -->a<![CDATA[no]]>b<?no?>c</>d", "abcd"),
        ("1 < 2 &notin; <em class=x title='&gt;>'>3</em><p", "1 < 2 \u2209 3"),
        ("seen<title>no", "seen"),
        ("seen<p title='no", "seen"),
        ("seen<!-- no", "seen"),
    ],
)
def test_html_as_a_browser_shows_it(page: str, seen: str) -> None:
    assert text_of(page.encode(), "html").strip() == seen


def test_start_tags_with_two_attributes_or_more_are_kept_as_they_are_spelled() -> None:
    starts = document(b"<p id=1><P B='2&amp;' a=\"1\" b=no c><img src=a alt=b>", "html").starts
    assert starts == (("p", [("b", "2&"), ("a", "1"), ("c", "")]), ("img", [("src", "a"), ("alt", "b")]))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "piece",
    ["<a ", "<a\n", "<a b='", "<a b=c ", "<a b = ", "</a ", "</", "<!", "<!--", "<!-- -", "<?", "<![CDATA[", "<"],
)
def test_cve_2025_6069_a_page_of_what_never_ends_is_read_in_one_pass(piece: str) -> None:
    """The standard library's parser took 20 s of CPU for 40 kB of "<a ", and four times as long for twice as much."""

    def spent(page: str) -> float:
        begun = time.process_time()
        text_of(page.encode(), "html")
        return time.process_time() - begun

    size = 100_000
    usual = min(spent("<p>word</p> " * (size // 12)) for _ in range(3))
    assert min(spent(piece * (size // len(piece))) for _ in range(2)) < 10 * usual


def test_cve_2025_6069_nor_does_what_is_never_seen_cost_more_the_deeper_it_is() -> None:
    found = text_of(b"<svg>" * 50_000 + b"</math>" * 50_000 + b"</svg>seen", "html")
    assert found.split() == ["seen"]


@given(st.text(alphabet=st.sampled_from("<>/!-[]ab&;\"' =pscript"), max_size=80))
def test_any_html_has_some_text(page: str) -> None:
    assert isinstance(text_of(page.encode(), "html"), str)


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        ("“ü”".encode(), ""),
        ("“ü”".encode("utf-8-sig"), ""),
        ("“ü”".encode("utf-16"), ""),
        ("“ü”".encode("cp1252"), ""),
        ("“ü”".encode("cp1252"), "nonsense"),
        ("“ü”".encode("cp1250"), "cp1250"),
    ],
)
def test_charsets(data: bytes, charset: str) -> None:
    assert text_of(data, "text", charset) == "“ü”"


@pytest.mark.parametrize("charset", ["punycode", "idna", "utf-7", "unicode_escape", "raw_unicode_escape", "nonsense"])
def test_a_page_that_declares_what_no_browser_reads_costs_nothing(charset: str) -> None:
    """Python's punycode goes by the square of the length."""
    page = f"<meta charset={charset}>".encode() + b"<p>\xe9-" + b"aa" * 200_000
    started = time.monotonic()
    assert text_of(page, "html").lstrip().startswith("é-aa")
    assert text_of(page, "html", charset).lstrip().startswith("é-aa")
    assert time.monotonic() - started < 5.0


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"%PDF-1.7\n1 0 obj", "found a PDF document: pdftotext"),
        (rb"{\rtf1\ansi The harbour}", "found a document in RTF: pandoc"),
        (b"WARC/1.0\r\nWARC-Type: response\r\n\r\n", "WARC"),
        ("So it was.".encode("utf-32"), "found text in UTF-32: iconv"),
        (b"\x89PNG\r\n\x1a\n", "found a picture: trace-image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "found a picture: trace-image"),
        (b"From: a@example.org\r\nMIME-Version: 1.0\r\nSubject: x\r\n y\r\n\r\nbase64", "found an e-mail"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip", "EPUB"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.text", "OpenDocument"),
        (b"From a Tue\nReceived: by b\nSubject: x\n\nText", "found an e-mail"),
    ],
)
def test_what_is_no_text_is_told_by_its_name(data: bytes, told: str) -> None:
    with pytest.raises(TextError, match="expected text, HTML, Markdown or Word, found ") as failed:
        document(data, kind_of("copy", data))
    assert told in str(failed.value)


@pytest.mark.parametrize(
    "text", ["From: here to there: a story\n\nIt was so.", "Note: it is\nTo: be\n\nor not", "{\\x}"]
)
def test_a_text_with_colons_is_no_mail(text: str) -> None:
    assert text_of(text.encode(), "text") == text


def test_a_page_declares_its_own() -> None:
    page = '<meta http-equiv=x content="text/html; charset=koi8-r"><p>привет'.encode("koi8-r")
    assert text_of(page, "html").strip() == "привет"


def test_markdown_links_are_their_words() -> None:
    assert text_of(b"a [link b](http://x) ![c](d.png) [e]", "markdown") == "a link b c [e]"


def test_too_much_and_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TextError, match="only programs read"):
        text_of(b"\x7fELF\0\0", "text")
    monkeypatch.setattr(texts, "MOST", 10)
    with pytest.raises(TextError, match="more than"):
        text_of(b"x" * 11, "text")


@pytest.mark.usefixtures("_no_pandoc")
class TestWord:
    def test_paragraphs(self) -> None:
        body = (
            f"<w:p><w:r><w:t>One{MARK}</w:t></w:r><w:r><w:tab/><w:t>two</w:t></w:r></w:p>"
            "<w:p><w:del><w:r><w:delText>no</w:delText></w:r></w:del><w:r><w:t>three</w:t></w:r></w:p>"
        )
        assert text_of(word(body), "docx").split() == [f"One{MARK}", "two", "three"]

    @pytest.mark.parametrize("data", [b"PK\x03\x04", b"text", docx("x", "other.xml"), docx("<unclosed"), docx("")])
    def test_what_is_none(self, data: bytes) -> None:
        with pytest.raises(TextError, match="no document of Word"):
            text_of(data, "docx")

    def test_entities_that_grow_are_not_read(self) -> None:
        bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        with pytest.raises(TextError, match="a text without end"):
            text_of(word("<w:p><w:r><w:t>&b;</w:t></w:r></w:p>", bomb), "docx")

    def test_what_is_packed_too_well(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = word("<w:p/>" * 20_000)
        monkeypatch.setattr(texts, "MOST", 50_000)
        assert len(data) < 50_000
        with pytest.raises(TextError, match="unpacked"):
            text_of(data, "docx")


def test_by_pandoc_where_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "pandoc"
    program.write_text("#!/bin/sh\ncat >/dev/null\necho From pandoc\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    data = word("<w:p><w:r><w:t>From the file</w:t></w:r></w:p>")
    assert text_of(data, "docx") == "From pandoc\n"
    program.write_text("#!/bin/sh\nexit 3\n")
    assert text_of(data, "docx").strip() == "From the file"


@pytest.mark.parametrize(
    ("method", "said"), [(zipfile.ZIP_DEFLATED, "more than 64 MB unpacked"), (zipfile.ZIP_LZMA, "packed as none is")]
)
def test_no_bomb_is_handed_to_pandoc(method: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It unpacks all that is there; 70 kB of zeros are 70 MB, and 16 MB would be 16 GB."""
    monkeypatch.setattr("shutil.which", lambda name: pytest.fail("asked for"))
    data = BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        file.writestr("word/document.xml", "<w/>")
        file.writestr("word/media/a.bmp", bytes(70 * 2**20))
    with pytest.raises(TextError, match=said):
        text_of(data.getvalue(), "docx")


def test_a_pandoc_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*arguments: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("pandoc", 60)

    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/pandoc")
    monkeypatch.setattr("subprocess.run", hang)
    assert text_of(word("<w:p><w:r><w:t>Still</w:t></w:r></w:p>"), "docx").strip() == "Still"
