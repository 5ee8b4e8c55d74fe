"""``contentguard link``: a link that opens an article whole to some readers, to be sent by a newsletter or given away;
or a subscriber's own address of a feed.

Strategy: made by the site's secret key, so it needs no running server. Exit status 1 where an account has given all
that it may.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from contentguard.cli.senses import SENSES, Senses
from contentguard.errors import Fault, SettingsError
from contentguard.guard.links import Links
from contentguard.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("page", metavar="PAGE", help="a path of the site, or its URL")
    parser.add_argument("--by", default="", metavar="NAME", help="whose link it is: each has a budget of its own a day")
    parser.add_argument("--net", default="", metavar="NAME", help="where it is shared to")
    parser.add_argument("--gift", metavar="ACCOUNT", help="a gift of this account instead")
    parser.add_argument("--feed", metavar="ACCOUNT", help="this account's own address of the feed PAGE instead")
    parser.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)")


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command. Raises ``SettingsError`` where the settings or the page hold faults."""
    settings = Settings.load(options.settings)
    if options.gift and not settings.store:
        print("no store is configured: what is given here is not counted", file=sys.stderr)
    try:
        made = asyncio.run(_made(settings, options))
    except ValueError as error:
        raise SettingsError([Fault("PAGE", str(error).partition("found ")[2] or str(error), "a page's path")]) from None
    if made is None:
        print(f"{options.gift} has given all that it may this month", file=sys.stderr)
        return 1
    print(made)
    return 0


async def _made(settings: Settings, options: argparse.Namespace) -> str | None:
    links = Links.of(settings)
    try:
        if options.feed:
            return links.feed(options.page, options.feed)
        if options.gift:
            return await links.gift(options.page, options.gift)
        return links.share(options.page, options.by, options.net)
    finally:
        await links.aclose()
