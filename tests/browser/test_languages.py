"""Marked text in the world's scripts, in Chromium and in Firefox: every pixel is where it was.

What is asserted is the picture: letters that join differently, another form of a character, a break before a space and
a word that moves all show in it. Fonts that a script needs and that are missing are a failure where tests must run.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.keys import keys_of
from tests.browser.firefox import Firefox, firefox

KEYS = keys_of(b"a secret of the marks", 23)
WORDS = {
    "en": "The office affluent harbour waffles without distinction of any kind.",
    "el": "Ὅλοι οἱ ἄνθρωποι γεννιοῦνται ἐλεύθεροι στὴν ἀξιοπρέπεια.",
    "ru": "Правительство объявило вчера новые цены граждан.",
    "ka": "ყველა ადამიანი იბადება თავისუფალი და თანასწორი.",
    "ar": "يولد جميع الناس أحرارا متساوين الكرامة والحقوق وقد نشرت المدينة كتب الكاتب.",
    "fa": "تمام افراد بشر آزاد به دنیا می‌آیند و کتاب‌ها منتشر مردمان شهر قدیمی شنیدند.",
    "ur": "تمام انسان آزاد اور حقوق وعزت کے اعتبار سے پاکستان میں لوگ اخبار پڑھتے ہیں.",
    "he": "הממשלה החליטה אתמול להעלות מחירים לכל התושבים במדינה.",
    "hi": "सरकार बचपन अलमारी कसरत करवट पनघट अखबार सरगम अदरक बरतन.",
    "th": "รัฐบาล ประชาชน ออกมา ประท้วง นายกรัฐมนตรี สวยงาม ธนาคาร.",
    "my": "ကကကက တတတတ ပပပပ ကကကက တတတတ ပပပပ.",
    "ja": "東京都葛飾区葛 渡邊邉邉 辻堂駅前辻 祇園精舎神 芦屋市海海 株式会社社 ニュース.",
    "ko": "대통령은 기자회견에서 새로운 경제정책을 발표하였으며 서울특별시 시민들은 환영했다.",
}
RIGHT_TO_LEFT = ("ar", "fa", "ur", "he")

TEXTS = {language: f"{words} " * 4 for language, words in WORDS.items()}
STYLES = {
    "plain": "",
    "spaced": "letter-spacing: 1px; text-align: justify",
    "balanced": "word-break: keep-all; text-wrap: balance; font-variant: small-caps",
    "anywhere": "line-break: anywhere",
    "upright": "writing-mode: vertical-rl; height: 300px",
}
Shot = Callable[[str], bytes]


def need_fonts(language: str) -> None:
    """Without a font all is boxes, and these look the same whatever stands there."""
    program = shutil.which("fc-list")
    if program and subprocess.run([program, f":lang={language}"], capture_output=True, check=True).stdout.strip():
        return
    reason = f"no font for :lang={language} (fonts-noto-core, fonts-noto-cjk)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def page(language: str, text: str, style: str) -> str:
    way = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    rows = "".join(
        f'<p lang="{language}" dir="{way}" style="margin: 0 0 9px; font-size: 18px; width: {width}px; {style}">'
        f"{text}</p>"
        for width in (150, 290, 420)
    )
    return f'<!doctype html><meta charset="utf-8"><body style="margin: 0">{rows}'


def copies(language: str) -> list[str]:
    made = Compiled([[TEXTS[language]]], Channels(typography=False, wording=False))
    return ["".join(made.copy(KEYS, b"/news/tide", serial)) for serial in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def chromium_shot(chromium: Browser) -> Iterator[Shot]:
    shown = chromium.new_page(viewport={"width": 800, "height": 600})

    def shot(html: str) -> bytes:
        shown.set_content(html)
        return shown.screenshot(full_page=True)

    yield shot
    shown.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox") / "profile") as started:
        yield started


@pytest.fixture
def firefox_shot(running: Firefox, tmp_path: Path) -> Shot:
    def shot(html: str) -> bytes:
        (tmp_path / "page.html").write_text(html, "utf-8")
        running.open((tmp_path / "page.html").as_uri())
        return base64.b64decode(running.shot())

    return shot


@pytest.mark.parametrize("language", WORDS)
def test_chromium_shows_the_same(chromium_shot: Shot, language: str) -> None:
    same(chromium_shot, language)


@pytest.mark.parametrize("language", WORDS)
def test_firefox_shows_the_same(firefox_shot: Shot, language: str) -> None:
    same(firefox_shot, language)


def same(shot: Shot, language: str) -> None:
    need_fonts(language)
    for name, style in STYLES.items():
        plain = shot(page(language, TEXTS[language], style))
        for number, copy in enumerate(copies(language)):
            assert copy != TEXTS[language]
            assert shot(page(language, copy, style)) == plain, (name, number)
