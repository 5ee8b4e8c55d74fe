"""What a reader copies in real Chromium names their pass, whatever a cleaner does to it afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.servers.archive import Archive, archive
from tests.servers.test_traced import configured, serial, traced

LEAD = "[data-cg-rest] .cg-continue"
_SELECT = """number => {
  const paragraphs = [...document.querySelectorAll('article p')].filter(p => p.innerText.split(' ').length > 40);
  getSelection().selectAllChildren(paragraphs[number]);
}"""


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Path]]:
    folder = tmp_path_factory.mktemp("marked")
    settings = configured(folder)
    with archive(folder, "--settings", str(settings), size=6) as running:
        yield running, settings


@pytest.fixture
def reader(chromium: Browser, stories: tuple[Archive, Path]) -> Iterator[tuple[Page, str]]:
    """A window with the whole of an article, and its pass."""
    context = chromium.new_context(ignore_https_errors=True, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(stories[0].urls[2])
    page.wait_for_selector(LEAD, state="detached", timeout=20_000)
    (cookie,) = [one["value"] for one in context.cookies() if one["name"] == "__Host-contentguard"]
    yield page, cookie
    context.close()


def copied(page: Page, number: int) -> str:
    """What is in the clipboard after a paragraph was selected and copied by keyboard."""
    page.evaluate(_SELECT, number)
    page.keyboard.press("Control+c")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


@pytest.mark.parametrize("number", [0, 4], ids=["of the lead", "of the rest"])
@pytest.mark.parametrize(
    ("cleaning", "by_frames"),
    [
        (lambda text: text, True),
        (lambda text: " ".join(text.split()), True),
        (lambda text: re.sub("[\u200b-\u200f\u2060-\u2064\u00ad\ufeff]", "", " ".join(text.split())), True),
    ],
    ids=["as it came", "white space folded", "format characters dropped"],
)
def test_a_copied_paragraph_names_the_pass_it_was_served_to(
    stories: tuple[Archive, Path],
    reader: tuple[Page, str],
    tmp_path: Path,
    number: int,
    cleaning: object,
    by_frames: bool,
) -> None:
    page, cookie = reader
    text = copied(page, number).partition("\n\nSource:")[0]
    assert callable(cleaning)
    file = tmp_path / "pasted.txt"
    file.write_text(cleaning(text), "utf-8")
    (named,) = traced(stories[1], file)["named"]
    assert named["serial"] == serial(cookie)
    assert any(part["named_by_frame"] for part in named["articles"]) is by_frames


def test_another_reader_s_copy_names_another_pass(
    stories: tuple[Archive, Path], reader: tuple[Page, str], chromium: Browser, tmp_path: Path
) -> None:
    page, cookie = reader
    other = chromium.new_context(ignore_https_errors=True, permissions=["clipboard-read", "clipboard-write"])
    second = other.new_page()
    second.goto(stories[0].urls[2])
    second.wait_for_selector(LEAD, state="detached", timeout=20_000)
    (theirs,) = [one["value"] for one in other.cookies() if one["name"] == "__Host-contentguard"]
    file = tmp_path / "pasted.txt"
    file.write_text(copied(second, 3), "utf-8")
    other.close()
    (named,) = traced(stories[1], file)["named"]
    assert named["serial"] == serial(theirs) != serial(cookie)
    assert page.url.endswith(stories[0].slugs[2])


def test_words_without_any_marks_accuse_nobody(
    stories: tuple[Archive, Path], reader: tuple[Page, str], tmp_path: Path
) -> None:
    text = copied(reader[0], 4).encode("ascii", "ignore").decode().lower()
    file = tmp_path / "pasted.txt"
    file.write_text(text, "utf-8")
    answer = traced(stories[1], file)
    assert answer["named"] == []
    assert [one["article"] for one in answer["articles"]] == [stories[0].urls[2]]
