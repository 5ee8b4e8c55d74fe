"""``contentguard watermark survive``: what is left of an article's marks after each extractor and cleaner at hand.

Strategy: the article is marked for an invented reader with invented keys, put into an ordinary page, and sent through
whatever is installed here; then it is read as ``trace`` would read it. Exit status 1 where a way out of the page loses
the reader.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, NamedTuple

from contentguard.cli.senses import SENSES, Senses
from contentguard.cli.suspects import shown
from contentguard.cli.texts import TextError, text_of
from contentguard.cli.variants import EPSILON, opened
from contentguard.settings import Settings
from contentguard.watermark.blind import frames
from contentguard.watermark.code import seed, stream
from contentguard.watermark.compiled import Compiled
from contentguard.watermark.frames import word
from contentguard.watermark.keys import Keys, keys_of
from contentguard.watermark.observed import observe
from contentguard.watermark.score import Bits, bits, needed
from contentguard.watermark.token import write

_READERS = 1_000_000
_NAME, _SERIAL, _EPOCH, _SECRET = b"/survive", 123_456_789, 20, b"only for this table, no secret"
Way = Callable[[str], str]


def _module(name: str, act: Callable[[Any, str], str]) -> Way | None:
    """A way through a Python package; None where that is not installed."""
    if find_spec(name.partition(".")[0]) is None:
        return None
    return lambda page: act(import_module(name), page)


def _program(name: str, *options: str) -> Way | None:
    """A way through a program."""
    path = shutil.which(name)
    if path is None:
        return None

    def act(page: str) -> str:
        done = subprocess.run([path, *options], input=page.encode(), capture_output=True, timeout=60, check=True)
        return done.stdout.decode("utf-8", "replace")

    return act


def _readable(module: Any, page: str) -> str:
    return text_of(str(module.Document(page).summary()).encode(), "html")


def _soup(parser: str) -> Callable[[Any, str], str]:
    return lambda module, page: str(module.BeautifulSoup(page, parser).get_text())


def _newspaper(module: Any, page: str) -> str:
    return str(module.article("https://news.example/a", input_html=page).text)


def _document(page: str) -> str:
    """By pandoc into Word's format and out again."""
    return _pandoc("docx", "plain", _pandoc("html", "docx", page.encode())).decode("utf-8", "replace")


def _pandoc(source: str, into: str, document: bytes) -> bytes:
    command = ["pandoc", f"--from={source}", f"--to={into}", "--wrap=none", "--output=-"]
    return subprocess.run(command, input=document, capture_output=True, timeout=60, check=True).stdout


def _just(module: Any, page: str) -> str:
    found = module.justext(page.encode(), module.get_stoplist("English"))
    return "\n\n".join(one.text for one in found if not one.is_boilerplate)


def extractors() -> dict[str, Way | None]:
    """Page → text, by name; None for what is not installed."""
    return {
        "contentguard": lambda page: text_of(page.encode(), "html"),
        "trafilatura": _module("trafilatura", lambda module, page: str(module.extract(page) or "")),
        "readability": _module("readability", _readable),
        "justext": _module("justext", _just),
        "html2text": _module("html2text", lambda module, page: str(module.html2text(page))),
        "inscriptis": _module("inscriptis", lambda module, page: str(module.get_text(page))),
        "bs4": _module("bs4", _soup("html.parser")),
        "bs4 lxml": _module("bs4", _soup("lxml")) if find_spec("lxml") else None,
        "bs4 stripped": _module(
            "bs4", lambda module, page: "\n".join(module.BeautifulSoup(page, "html.parser").stripped_strings)
        ),
        "newspaper4k": _module("newspaper", _newspaper),
        "goose3": _module("goose3", lambda module, page: str(module.Goose().extract(raw_html=page).cleaned_text)),
        "boilerpy3": _module(
            "boilerpy3.extractors", lambda module, page: str(module.ArticleExtractor().get_content(page))
        ),
        "resiliparse": _module(
            "resiliparse.extract.html2text",
            lambda module, page: str(module.extract_plain_text(page, main_content=True)),
        ),
        "markdownify": _module("markdownify", lambda module, page: str(module.markdownify(page))),
        "lxml": _module("lxml.html", lambda module, page: str(module.fromstring(page).text_content())),
        "lynx": _program("lynx", "-dump", "-stdin", "-assume_charset=utf-8", "-display_charset=utf-8"),
        "w3m": _program("w3m", "-dump", "-T", "text/html", "-I", "UTF-8", "-O", "UTF-8"),
        "pandoc": _program("pandoc", "--from=html", "--to=plain", "--wrap=none"),
        "pandoc docx": _document if shutil.which("pandoc") else None,
    }


def _without(*categories: str) -> Way:
    return lambda text: "".join(one for one in text if unicodedata.category(one) not in categories)


_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})
CLEANERS: Mapping[str, Way] = MappingProxyType(
    {
        "NFC": lambda text: unicodedata.normalize("NFC", text),
        "NFKC": lambda text: unicodedata.normalize("NFKC", text),
        "one line": lambda text: " ".join(text.split()),
        "lower case": str.lower,
        "straight quotes": lambda text: text.translate(_STRAIGHT),
        "without Cf": _without("Cf"),
        "without Mn": _without("Mn"),
        "without Cf and Mn": _without("Cf", "Mn"),
        "windows-1252": lambda text: text.encode("cp1252", "replace").decode("cp1252"),
        "ASCII": lambda text: text.encode("ascii", "ignore").decode("ascii"),
    }
)
"""Text → text."""


class Row(NamedTuple):
    """What one way leaves."""

    way: str
    blind: bool
    """Whether a frame still names the reader."""
    bits: Bits
    fault: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    survive = actions.add_parser("survive", help="send a marked article through what is installed")
    survive.add_argument("file", metavar="FILE", help="an article: HTML, Markdown or text")
    survive.add_argument(
        "--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)"
    )


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command. Raises ``SettingsError``."""
    try:
        _, article = opened(options.file, Settings.load(options.settings))
    except (OSError, TextError) as error:
        print(f"{shown(options.file)}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 2
    enough = needed(_READERS, EPSILON)
    print(f"{'way':20} {'frames':>8} {'gaps':>8} {'variants':>8} {'bits':>8}  traced ({enough:.1f} bits)")
    lost = 0
    for row in table(article):
        if row.fault:
            print(f"{row.way:20} {row.fault}")
            continue
        traced = "blind" if row.blind else "by the log" if row.bits.total >= enough else "not"
        lost += traced == "not" and row.way in extractors()
        numbers = (row.bits.frames, row.bits.gaps, row.bits.variants, row.bits.total)
        print(f"{row.way:20} {' '.join(f'{one:8.1f}' for one in numbers)}  {traced}")
    return 1 if lost else 0


def table(article: Compiled) -> Iterator[Row]:
    """What every way leaves of a copy."""
    keys = keys_of(_SECRET, _EPOCH)
    page = marked(article, keys)
    for name, way in extractors().items():
        if way is None:
            yield Row(name, False, Bits(0.0, 0.0, 0.0, 0.0), "not installed")
        else:
            yield _row(name, article, keys, way, page)
    plain = text_of(page.encode(), "html")
    for name, cleaner in CLEANERS.items():
        yield _row(name, article, keys, cleaner, plain)


def marked(article: Compiled, keys: Keys) -> str:
    """A page around a copy of an article."""
    texts = iter(article.copy(keys, _NAME, _SERIAL))
    body = "\n".join(f"<p>{''.join(next(texts) for _ in one)}</p>" for one in article.paragraphs)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An article</title></head><body>'
        '<nav><a href="/">Home</a> <a href="/news">News</a></nav>'
        f"<article><h1>An article</h1>\n{body}</article><footer>All rights reserved</footer></body></html>"
    )


def _row(name: str, article: Compiled, keys: Keys, way: Way, page: str) -> Row:
    try:
        text = way(page)
    except Exception as error:
        # Whatever a stranger's package does to a page is its own affair.
        return Row(name, False, Bits(0.0, 0.0, 0.0, 0.0), f"failed: {shown(str(error)) or type(error).__name__}")
    found = frames(text, [_SECRET], _EPOCH, [_NAME])
    start = seed(keys, _NAME, article.revision)
    code, own = stream(start, _SERIAL, article.size), word(_EPOCH, write(keys, _SERIAL, _NAME))
    told = bits(article, observe(article, text), code, article.odds(start), own)
    return Row(name, any(one.serial == _SERIAL for one in found.genuine), told)
