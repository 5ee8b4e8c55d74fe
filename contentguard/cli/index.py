"""``contentguard index``: learn the site's articles, so that copies of them are found that nobody has opened yet.

Strategy: pages are taken apart as the server does it, so what is learnt here is what it would learn. A page is named by
its canonical link, else by the address or the path it was found at. Exit status 1 where a source holds no article.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

from contentguard.backends import EvidenceError, Revision
from contentguard.cli import keeping
from contentguard.cli.progress import Progress
from contentguard.cli.senses import SENSES, Senses
from contentguard.cli.suspects import FetchError, fetch, named, shown
from contentguard.cli.texts import MOST, TextError, kind_of, text_of
from contentguard.errors import Fault, SettingsError
from contentguard.rewrite.article import Finder
from contentguard.rewrite.head import encoding_of, read_page
from contentguard.rewrite.marking import Opening, marking
from contentguard.rewrite.scan import TooDeepError
from contentguard.settings import Settings
from contentguard.turns import Turns, finished
from contentguard.watermark.compiled import Compiled

_PARAGRAPHS = re.compile(r"\n\s*\n")
_LOCATION = re.compile(rb"<loc>\s*([^<\s]{1,2048})\s*</loc>")
_MOST = 50_000
"""Addresses of one sitemap (sitemaps.org)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="SOURCE",
        help="a folder of pages or texts, a file, the URL of an article, or of a sitemap",
    )
    parser.add_argument("--base", metavar="URL", help="where a folder's files are published (default: origin)")
    parser.add_argument("--allow-private", action="store_true", help="fetch from addresses of one's own network too")
    keeping.add_arguments(parser)


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command. Raises ``SettingsError``."""
    known, bad = 0, 0
    with keeping.kept(options, create=True) as kept:
        indexer = Indexer(kept.settings, options.base or kept.settings.origin)
        sources = _sources(options)
        progress = Progress(len(sources), sys.stderr, what="articles")
        for number, (name, path) in enumerate(sources, 1):
            try:
                kept.log.learn(indexer.read(name, path, private=options.allow_private))
                known += 1
            except (TextError, OSError, TooDeepError) as error:
                bad += 1
                print(f"{shown(name)}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
            except EvidenceError as error:
                print(f"the evidence log gives no answer: {error}", file=sys.stderr)
                return 2
            progress.at(number, known)
        progress.done()
    print(f"{known} articles are in the index")
    return 0 if known and not bad else 1


def _sources(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Each with what it is called below ``base``."""
    source = options.source
    if source.startswith(("http://", "https://")):
        return [(url, url) for url in _locations(source, private=options.allow_private)]
    root = Path(source)
    if not root.exists():
        raise SettingsError([Fault("--from", repr(source), "a folder, a file or an URL")])
    folder = root if root.is_dir() else root.parent
    files, _ = named([source])
    return [(quote(Path(file).relative_to(folder).with_suffix("").as_posix()), file) for file in files]


def _locations(url: str, *, private: bool) -> list[str]:
    """The pages that a sitemap names; the address itself where it is none."""
    try:
        is_sitemap = urlsplit(url).path.endswith(".xml")
    except ValueError as error:
        raise SettingsError([Fault("--from", f"{url!r} ({error})", "a folder, a file or an URL")]) from None
    if not is_sitemap:
        return [url]
    try:
        body = fetch(url, private=private, also=("application/xml", "text/xml")).body
    except FetchError as error:
        raise SettingsError([Fault("--from", f"{shown(url)} ({error})", "a sitemap")]) from None
    found = [match[1].decode("utf-8", "replace").replace("&amp;", "&") for match in _LOCATION.finditer(body)]
    return [one for one in found if urlsplit(one).hostname == urlsplit(url).hostname][:_MOST]


class Indexer:
    """Reads articles as a server of these settings does."""

    def __init__(self, settings: Settings, base: str) -> None:
        """``base``: where relative names belong."""
        self._settings, self._base = settings, base
        self._finder = Finder(settings.article, texts=True)

    def read(self, name: str, path: str, *, private: bool = False) -> Revision:
        """An article's text. Raises ``TextError`` where there is none, and OSError."""
        if path.startswith(("http://", "https://")):
            page = fetch(path, private=private)
            data, kind, media = page.body, kind_of(path, page.body, page.kind), f"{page.kind};charset={page.charset}"
        else:
            with Path(path).open("rb") as file:
                data, media = file.read(MOST + 1), ""
            kind = kind_of(path, data)
        if kind == "html":
            return self._page(name, data, media if page_has_charset(media) else "")
        paragraphs = tuple((escape(one, quote=False),) for one in _texts(text_of(data, kind)))
        return _revision(self._named(name), Compiled(paragraphs, self._settings.watermark))

    def _page(self, name: str, data: bytes, media: str) -> Revision:
        if len(data) > self._settings.article.max_bytes:
            raise TextError(f"more than article.max_bytes ({self._settings.article.max_bytes})")
        encoding = encoding_of(data, media)
        found = self._finder.find(data, encoding)
        if found.article is None:
            raise TextError("no article in it that article.selectors choose")
        made: list[Compiled] = []

        def marker(paragraphs: Sequence[Sequence[str]], wide: bool, openings: Sequence[Opening]) -> Turns[Compiled]:
            channels = self._settings.watermark
            made.append((yield from Compiled.in_turns(paragraphs, channels, wide=wide, openings=openings)))
            return made[0]

        if finished(marking(data, found.article, encoding, marker, ())) is None:
            raise TextError(f"no {encoding}, though it says so")
        here = self._named(name)
        parts = urlsplit(here)
        told = read_page(found, encoding, origin=f"{parts.scheme}://{parts.netloc}", path=parts.path, routes="")
        return _revision(told.canonical or here, made[0])

    def _named(self, name: str) -> str:
        return urljoin(self._base + "/", name) if self._base else name


def _revision(name: str, made: Compiled) -> Revision:
    return Revision(name, made.revision, made.paragraphs, made.channels, time.time(), made.tags)


def page_has_charset(media: str) -> bool:
    """Whether a Content-Type names a charset."""
    return not media.endswith("charset=")


def _texts(text: str) -> Iterator[str]:
    found = [one.strip() for one in _PARAGRAPHS.split(text)]
    if not any(found):
        raise TextError("no text in it")
    return (one for one in found if one)
