"""``contentguard crawlers``: which robots are known, how they prove who they are, and fresh lists of addresses.

Strategy: thin; the lists are read, checked and written in ``backends/ranges.py``. Exit status 1 where a list could not
be refreshed: what was known of it stays.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from contentguard.backends.ranges import RangesFile, describe, from_folder, from_network, save, strangers
from contentguard.cli.senses import SENSES, Senses
from contentguard.crawlers import CATALOGUE
from contentguard.crawlers.listing import listing
from contentguard.settings import Settings

_NOTHING = (
    "nothing found: a document is named like its list or like it is where it is published, as in bing.txt, bingbot.json"
)
_MOST = 10
"""Files of no list that are named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    known = actions.add_parser("list", help="print the robots that can be verified, and how")
    known.add_argument("--all", action="store_true", help="those too that cannot be verified")
    update = actions.add_parser("update", help="refresh the address lists from where they are published")
    update.add_argument("--from", dest="folder", metavar="DIR", help="read the documents from a folder instead")
    update.add_argument("--to", metavar="FILE", help="the file to write (default: the setting identification.ranges)")
    update.add_argument("--smaller", action="store_true", help="believe a list of which less than half is left")
    for action in (known, update):
        action.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one that is named there)")


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command. Raises ``SettingsError`` where the settings hold faults."""
    settings = Settings.load(options.settings)
    path = (options.to if options.action == "update" else "") or settings.identification.ranges
    file = RangesFile(path)
    known, now = file(), time.time()
    if options.action == "list":
        print("\n".join(listing(CATALOGUE.crawlers, known, now, everything=options.all)))
        return 0
    if not path:
        print("no file to write: set identification.ranges, or use --to FILE", file=sys.stderr)
        return 2
    if file.fault:
        print(f"{file.fault}; written anew", file=sys.stderr)
    if options.folder:
        if not Path(options.folder).is_dir():
            print(f"{options.folder}: no such folder", file=sys.stderr)
            return 2
        done = from_folder(Path(options.folder), known, file.sources, now, smaller=options.smaller)
    else:
        done = asyncio.run(from_network(known, file.sources, now, smaller=options.smaller))
    print("\n".join(describe(done, known)) or _NOTHING)
    for name in strangers(Path(options.folder), file.sources)[:_MOST] if options.folder else ():
        print(f"  ? {name}: belongs to no list")
    changed = [result.entry for result in done if result.entry is not None]
    if changed:
        try:
            save(Path(path), known.updated(changed, file.sources).lists.values())
        except OSError as error:
            print(f"{path}: cannot be written ({error.strerror})", file=sys.stderr)
            return 2
        print(f"{len(changed)} lists written to {path}")
    return 0 if changed and len(changed) == len(done) else 1
