"""Saved pages from any folder: identity, random chunkings, places; rates, and every exception by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.fuzz.hunt import Finding, Tally, try_page
from tests.fuzz.mutate import cuts

SUFFIXES = (".html", ".htm", ".xhtml")


def files(folders: list[Path]) -> Iterator[Path]:
    """The pages of these folders, and of those inside them."""
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def try_folder(
    folders: list[Path], *, seed: int, chunkings: int, limit: int | None, tally: Tally
) -> Iterator[tuple[Path, Finding | None]]:
    """Every page with what is wrong with it."""
    for path in list(files(folders))[:limit]:
        page = path.read_bytes()
        dice = Random(f"{seed}:{path.name}")
        yield path, try_page(page, [_coarse(page, dice) for _ in range(chunkings)], judge=True, tally=tally)


def _coarse(page: bytes, dice: Random) -> tuple[int, ...]:
    # One byte at a time takes too long for a page of megabytes.
    chosen = cuts(page, dice)
    return chosen if len(chosen) < 5000 else chosen[:: len(chosen) // 5000 + 1]


def report(tally: Tally, kinds: Counter[str]) -> Iterator[str]:
    """The rates, one a line."""
    wrong = {name: sum(n for kind, n in kinds.items() if f"{name}:" in kind) for name in ("lexbor", "turbohtml")}
    bytewise = sum(n for kind, n in kinds.items() if kind in ("unfaithful", "cut", "crash"))
    placed = sum(kinds.values()) - bytewise
    yield f"{tally.pages} pages, {bytewise} with other bytes than they should ({_share(bytewise, tally.pages)} right)"
    yield f"{sum(tally.untouched.values())} left as they came: {dict(tally.untouched)}"
    yield f"{tally.judged} judged, {placed} with something out of place ({_share(placed, tally.judged)} right)"
    for name, count in wrong.items():
        marks = f"; marks {tally.marks[f'{name} right']} of {tally.marks[name]}" if tally.marks[name] else ""
        excused = f"; {tally.marks[f'{name} without a place']} without a place for the widget"
        yield f"  {name}: {count} pages ({_share(count, tally.judged)} right){marks}{excused}"
    for kind, count in kinds.most_common():
        yield f"  {count} × {kind}"


def _share(wrong: int, of: int) -> str:
    return f"{100 * (of - wrong) / of:.3f} %" if of else "nothing to be"
