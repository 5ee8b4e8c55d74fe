"""``contentguard variants lint``: the slots of an article, what they can carry, and which of them are wrong.

Strategy: the article is taken apart as the server does it, so what is counted is what copies will differ in; whatever
else looks like ``[[a|b]]`` is said to be none. Exit status 1 where a file has faults.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple

from contentguard.cli.index import Indexer
from contentguard.cli.senses import SENSES, Senses
from contentguard.cli.suspects import shown
from contentguard.cli.texts import MOST, TextError, kind_of, text_of
from contentguard.settings import Settings
from contentguard.watermark.compiled import Compiled
from contentguard.watermark.score import COMPONENTS, averaged, form_bits, needed
from contentguard.watermark.variants import CLOSING, OPENING, Kind, Variant, found

EPSILON = 1e-6
_MANY = 10**10
_BLOCKS = re.compile(r"\n\s*\n")
_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_UNTOUCHED = re.compile(r"\s*(?:#{1,6}\s|>|```|~~~|\t| {4})")
"""Headings, quotations and code of Markdown."""


class Fault(NamedTuple):
    """Something wrong in a file."""

    line: int
    what: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    lint = actions.add_parser("lint", help="show the slots of articles, and which are wrong")
    lint.add_argument("files", nargs="+", metavar="FILE", help="an article: HTML, Markdown or text")
    lint.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)")


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command. Raises ``SettingsError``."""
    settings = Settings.load(options.settings)
    bad = 0
    for file in options.files:
        try:
            raw, compiled = opened(file, settings)
        except (OSError, TextError) as error:
            print(f"{shown(file)}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
            bad += 1
            continue
        faults = list(wrong(raw, compiled))
        bad += bool(faults)
        for fault in faults:
            print(f"{shown(file)}:{fault.line}: {fault.what}", file=sys.stderr)
        print("\n".join(_lines(shown(file), compiled)))
    return 1 if bad else 0


def opened(file: str, settings: Settings) -> tuple[str, Compiled]:
    """A file as text, and the article in it as its marks see it. Raises OSError and ``TextError``."""
    with Path(file).open("rb") as source:
        data = source.read(MOST + 1)
    kind = kind_of(file, data)
    channels = replace(settings.watermark, enabled=True)
    if kind == "html":
        revision = Indexer(settings, "").read(file, file)
        return data.decode("utf-8", "replace"), Compiled(revision.paragraphs, channels)
    raw = text_of(data, kind)
    return raw, Compiled(tuple(_blocks(raw, markdown=kind == "markdown")), channels)


def _blocks(text: str, *, markdown: bool) -> Iterator[tuple[str, ...]]:
    """The paragraphs of a text that may be marked."""
    for block in _BLOCKS.split(_FRONT.sub("", text) if markdown else text):
        if block.strip() and not (markdown and _UNTOUCHED.match(block)):
            yield (escape(block.strip(), quote=False),)


# -- what is wrong ---------------------------------------------------------------------------------------------


def wrong(raw: str, compiled: Compiled) -> Iterator[Fault]:
    """Everything that looks like a slot of wording and is none."""
    own = Counter(_written(one) for one in compiled.variants if one.differs and one.kind is Kind.WORDING)
    at = 0
    for slot in [one for one in found(raw) if one.kind is Kind.WORDING]:
        yield from _malformed(raw, at, slot.start)
        at = slot.end
        written = _written(slot)
        if slot.texts[0] == slot.texts[1]:
            yield Fault(_line(raw, slot.start), f"{OPENING}{written}{CLOSING} says the same twice")
        elif own[written] > 0:
            own[written] -= 1
        else:
            where = "in a quotation, a heading, a link or code, where nothing is varied"
            yield Fault(_line(raw, slot.start), f"{OPENING}{written}{CLOSING} stands {where}")
    yield from _malformed(raw, at, len(raw))


def _written(slot: Variant) -> str:
    return "|".join(unescape(text) for text in slot.texts)


def _malformed(raw: str, start: int, end: int) -> Iterator[Fault]:
    for match in re.finditer(r"\[\[|\]\]", raw[start:end]):
        place = start + match.start()
        near = shown(raw[max(0, place - 10) : place + 20])
        expected = "[[one way|another]], both up to 200 characters without brackets and tags"
        yield Fault(_line(raw, place), f"expected {expected}, found {near!r}")


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


# -- what they carry -------------------------------------------------------------------------------------------


def capacity(compiled: Compiled, *, typography: bool) -> float:
    """What all slots of a whole copy say of its reader, in bits, if no invisible mark is left. ``typography``: or if
    apostrophes and dashes are left too."""
    slots = [one for one in compiled.variants if one.differs and (typography or not one.kind.typographic)]
    if not slots:
        return 0.0
    # Each slot's bits as if each of its texts were as frequent: with a bias for coalitions it says a quarter less.
    share = 1.0 if compiled.collusion == 2 else 0.744
    return averaged([len(slots) * share * form_bits(128, 0)[number][0] for number in range(len(COMPONENTS))])


def told_apart(bits: float) -> int:
    """Among how many readers one is named by so many bits, with a chance of ``EPSILON`` to be wrong."""
    return int(EPSILON * 2.0 ** min(bits, 200.0))


def _lines(name: str, compiled: Compiled) -> Iterator[str]:
    slots = [one for one in compiled.variants if one.differs]
    kinds = Counter(one.kind for one in slots)
    yield f"{name}: {len(slots)} slots in {len(compiled.words):,} words"
    yield from (f"  {count:4}  {kind}" for kind, count in kinds.most_common())
    for slot in slots:
        if slot.kind in (Kind.WORDING, Kind.CONTRACTION, Kind.COMMA):
            yield "        " + " | ".join(shown(unescape(text)) or "(nothing)" for text in slot.texts)
    stripped, whole = capacity(compiled, typography=False), capacity(compiled, typography=True)
    yield f"  reduced to plain ASCII, one copy carries {stripped:.1f} bits: {_says(stripped)}"
    yield f"  without invisible marks only, {whole:.1f} bits: {_says(whole)}"


def _says(bits: float) -> str:
    readers = told_apart(bits)
    if readers >= _MANY:
        return "it names one among more readers than there are"
    if readers >= 1:
        return f"it names one among {readers:,} readers"
    return f"it names nobody by itself ({needed(1000, EPSILON):.1f} are needed among 1,000); several articles add up"
