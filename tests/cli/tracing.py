"""A site's articles, copies of them, and a log of who was given which: what traces are made of."""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import closing
from html import escape
from pathlib import Path

from contentguard.backends import Issued, Revision
from contentguard.backends.evidence import EvidenceLog
from contentguard.tokens import Signer
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.keys import epoch_at, keys_of
from tests.client import KEY
from tests.watermark.corpus import documents

SIGNER = Signer([KEY.encode()])
SECRET, PRINTS = SIGNER.derived("marks")[0], SIGNER.derive("fingerprints")
NOW = 1_796_000_000.0
EPOCH = epoch_at(NOW)
KEYS = keys_of(SECRET, EPOCH)


def article(seed: int, *, slots: int = 12, channels: Channels | None = None) -> Compiled:
    """An article of some hundred words, with so many slots of wording in each of its four paragraphs."""
    rng = random.Random(seed)
    (words,) = documents(1, rng)
    paragraphs = []
    for number in range(4):
        own = words[number::4][:50]
        for at in range(0, len(own), 9):
            own[at] += "."
        for count in range(slots):
            own.insert(2 + count * max(1, len(own) // slots), f"[[one{seed}x{count}|two{seed}x{count}]]")
        paragraphs.append([" ".join(own) + "."])
    return Compiled(paragraphs, channels or Channels(enabled=True))


class Site:
    """A log with articles in it, and readers who opened them."""

    def __init__(self, folder: Path, articles: int = 3, *, indexed: bool = True, slots: int = 12) -> None:
        self.file = folder / "evidence.sqlite"
        self.settings = folder / "guard.toml"
        self.settings.write_text(
            f'secret_key = "{KEY}"\nsite = "The <Daily> Test"\n[evidence]\nurl = "sqlite:///{self.file}"\n'
        )
        self.articles = {self.name(number): article(number, slots=slots) for number in range(articles)}
        with self.log() as log:
            for name, compiled in self.articles.items() if indexed else ():
                log.learn(Revision(name, compiled.revision, compiled.paragraphs, Channels(enabled=True), NOW))

    @staticmethod
    def name(number: int) -> str:
        return f"https://news.example/news/{number}"

    def log(self) -> closing[EvidenceLog]:
        return closing(EvidenceLog(str(self.file), PRINTS))

    def opened(self, serials: Iterable[int], numbers: Iterable[int] = (0,)) -> None:
        """Readers open articles."""
        rows = [
            Issued(serial, EPOCH, self.name(number), self.articles[self.name(number)].revision, NOW + serial, "p1",
                   f"address{serial}", "prefix", "Mozilla/5.0 \x1b[31m", "allow", "people", 0.5, f"{serial:016x}")
            for serial in serials
            for number in numbers
        ]  # fmt: skip
        with self.log() as log:
            log.write(rows)

    def copy(self, serial: int, number: int = 0) -> list[str]:
        """The paragraphs of a reader's copy, as HTML."""
        name = self.name(number)
        return self.articles[name].copy(KEYS, name.encode(), serial)

    def page(self, serial: int, number: int = 0) -> str:
        """The same as somebody's page."""
        body = "".join(f"<p>{paragraph}</p>" for paragraph in self.copy(serial, number))
        return f"<!doctype html><meta charset=utf-8><title>{escape('Stolen')}</title><body><h1>Look</h1>{body}</body>"


def ascii_only(paragraphs: Iterable[str]) -> str:
    """What a cleaner leaves that knows only ASCII, in lower case and without punctuation."""
    text = "\n\n".join(paragraphs).encode("ascii", "ignore").decode().lower()
    return "".join(character for character in text if character.isalnum() or character.isspace())
