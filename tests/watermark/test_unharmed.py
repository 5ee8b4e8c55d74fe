"""What marks must not harm: full-text search, and what extractors keep of an article."""

from __future__ import annotations

import re
import sqlite3
from html import unescape

import pytest

from contentguard.cli.watermark import extractors
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.keys import keys_of
from tests.servers.harness import need_module
from tests.watermark.articles import article

KEYS = keys_of(b"a secret of the marks", 23)
INVISIBLE = re.compile("[\u200c-\u200e\u2060\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def both(number: int) -> tuple[list[str], list[str]]:
    """The texts of an article without marks and with them."""
    made = Compiled(article(number), Channels(typography=False, wording=False))
    return made.texts, made.copy(KEYS, b"/news/tide", 4711)


@pytest.mark.parametrize("tokenizer", ["unicode61", "porter unicode61"])
def test_full_text_search_finds_every_word_and_phrase(tokenizer: str) -> None:
    """SQLite's FTS5, as many sites search with it."""
    plain, marked = both(1)
    database = sqlite3.connect(":memory:")
    try:
        database.execute(f"CREATE VIRTUAL TABLE news USING fts5(text, tokenize='{tokenizer}')")
        database.execute("INSERT INTO news VALUES (?)", (unescape(" ".join(marked)),))
        words = re.findall(r"\w+", unescape(" ".join(plain)).replace("’", " "))
        phrases = [" ".join(words[at : at + 3]) for at in range(0, len(words) - 3, 3)]
        missed = [
            wanted
            for wanted in {*words, *phrases}
            if not database.execute("SELECT 1 FROM news WHERE news MATCH ?", (f'"{wanted}"',)).fetchone()
        ]
        assert len(phrases) > 100
        assert missed == []
    finally:
        database.close()


def page(texts: list[str]) -> str:
    body = "\n".join(f"<p>{text}</p>" for text in texts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>News</title></head><body>'
        '<nav><a href="/">Home</a></nav>'
        f"<article><h1>Of the harbour</h1>\n{body}</article><footer>All rights reserved</footer></body></html>"
    )


@pytest.mark.parametrize("name", ["trafilatura", "readability", "justext"])
def test_extractors_keep_the_paragraphs_that_they_kept_before(name: str) -> None:
    need_module(name)
    way = extractors()[name]
    assert way is not None
    before = after = 0
    for number in range(8):
        plain, marked = both(number)
        # The words mean nothing; jusText goes by how common they are, so each paragraph is given some of those.
        plain, marked = (
            [f"It was in the end as it had been, and so it is that {t}" for t in one] for one in (plain, marked)
        )
        kept = [INVISIBLE.sub("", way(page(texts))) for texts in (plain, marked)]
        ends = [" ".join(unescape(text).split()[-4:]) for text in plain]
        before += sum(end in " ".join(kept[0].split()) for end in ends)
        after += sum(end in " ".join(kept[1].split()) for end in ends)
    assert before > 40
    assert after >= 0.95 * before
