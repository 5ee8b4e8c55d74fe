"""``contentguard index``: what it learns is what the server would."""

from __future__ import annotations

from pathlib import Path

import pytest

from contentguard.backends.fetching import FetchError
from contentguard.backends.pages import Page
from contentguard.cli import index, main
from contentguard.watermark.compiled import Channels, Compiled
from tests.cli.tracing import Site
from tests.client import get, guarded, page

WORDS = (
    "Nobody at the harbour had expected that the old lighthouse would be bought by a brewer of the other shore. " * 4
)
HTML = (
    "<!doctype html><meta charset=utf-8><title>T</title>{}<nav>Home</nav><article><h1>No, don’t</h1>"
    f"<p>{WORDS} “They don’t.” <a href=/x>A link here</a> [[One|Another]] more.</p><p>Second.</p></article>"
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "content").mkdir()
    return Site(tmp_path, 1, indexed=False)


def run(site: Site, source: object, *options: str) -> int:
    return main(["index", "--from", str(source), "--settings", str(site.settings), *options])


def content(site: Site, name: str, text: str | bytes) -> Path:
    path = site.file.parent / "content" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path.parent


def test_a_folder(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    content(site, "b c.md", f"# Title\n\n{WORDS}\n\nMore & more.")
    folder = content(site, "a.html", HTML.format(""))
    assert run(site, folder, "--base", "https://news.example/news") == 0
    assert "2 articles are in the index" in capsys.readouterr().out
    with site.log() as log:
        (text,) = log.revisions("https://news.example/news/b%20c")
        assert text.paragraphs == (("# Title",), (WORDS.strip(),), ("More &amp; more.",))
        (html,) = log.revisions("https://news.example/news/a")
    assert "Second." in html.paragraphs[-1]
    assert not any("A link here" in run or "No, don" in run for paragraph in html.paragraphs for run in paragraph)


def test_a_page_is_called_by_its_canonical_link(site: Site) -> None:
    folder = content(site, "a.html", HTML.format('<link rel=canonical href="https://news.example/the/tide">'))
    assert run(site, folder / "a.html") == 0
    with site.log() as log:
        assert len(log.revisions("https://news.example/the/tide")) == 1


def test_it_learns_what_the_server_learns(site: Site, tmp_path: Path) -> None:
    served = HTML.format("").encode()
    app = guarded(page(served.decode()), watermark={"enabled": True}, evidence={"url": f"sqlite:///{site.file}"})
    assert get(app).status_code == 200
    assert app.guard.copies is not None
    assert app.guard.copies.evidence is not None
    app.guard.copies.evidence.close()
    with site.log() as log:
        (row,) = log.rows()
        (learnt,) = log.revisions(row.article)
    assert run(site, content(site, "x.html", served) / "x.html", "--base", row.article.rpartition("/")[0]) == 0
    with site.log() as log:
        (again,) = log.revisions(row.article.rpartition("/")[0] + "/x")
    assert learnt.revision == again.revision == row.revision


def test_an_old_charset_carries_the_same_marks(site: Site) -> None:
    """Otherwise its copies' code would be read from the wrong place."""
    served = HTML.format("").replace("utf-8", "windows-1252").encode("cp1252")
    assert run(site, content(site, "x.html", served) / "x.html", "--base", "https://news.example") == 0
    with site.log() as log:
        (learnt,) = log.revisions("https://news.example/x")
    again, first = (
        Compiled(learnt.paragraphs, learnt.channels),
        Compiled(learnt.paragraphs, Channels(), wide=False),
    )
    assert again.slots == first.slots
    assert again.size == first.size > len(again.variants) > 0


def test_a_sitemap(site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pages = {
        "https://news.example/sitemap.xml": "<urlset><url><loc> https://news.example/a?b=1&amp;c=2 </loc></url>"
        "<loc>https://news.example/gone</loc><loc>https://else.example/b</loc></urlset>",
        "https://news.example/a?b=1&c=2": HTML.format(""),
    }

    def fetch(url: str, *, private: bool, also: tuple[str, ...] = ()) -> Page:
        if url not in pages:
            raise FetchError("status 404")
        return Page(url, "text/html", "utf-8" if "sitemap" in url else "", pages[url].encode())

    monkeypatch.setattr(index, "fetch", fetch)
    assert run(site, "https://news.example/sitemap.xml") == 1
    captured = capsys.readouterr()
    assert "1 articles are in the index" in captured.out
    assert captured.err == "https://news.example/gone: status 404\n"
    assert run(site, "https://news.example/a?b=1&c=2") == 0
    assert run(site, "https://news.example/other.xml") == 2
    assert "a sitemap" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.html", "<p>Short.</p>", "no article in it"),
        ("a.txt", "\n \n", "no text in it"),
        ("a.txt", b"\0\0", "only programs read"),
        ("a.html", HTML.format("").encode() + b"\xff", ""),
        ("a.html", "<div>" * 3000 + "x", ""),
        ("a.html", "x" * 5_000_000, "article.max_bytes"),
    ],
)
def test_what_is_no_article(
    site: Site, name: str, data: str | bytes, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(site, content(site, name, data))
    assert status == (1 if why or "<div><div>" in str(data) else 0)
    assert why in capsys.readouterr().err


def test_faults(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(site, "/nowhere/at/all") == 2
    assert "a folder, a file or an URL" in capsys.readouterr().err
    folder = content(site, "a.txt", WORDS)
    assert run(site, folder, "--evidence", "/nowhere/e.sqlite") == 2
    assert "gives no answer" in capsys.readouterr().err
