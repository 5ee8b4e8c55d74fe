"""The command line: ``contentguard check`` says in plain words what a configuration does.

Strategy: each warning is a row of a table: a condition on the settings, what is unsafe, and the mend. Exit status 0
when the settings can be used, 2 when they hold faults.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from contentguard.backends.ranges import RangesFile, describe, from_folder, from_network, save
from contentguard.crawlers import CATALOGUE
from contentguard.crawlers.listing import listing
from contentguard.errors import SettingsError
from contentguard.model import Purpose, Right
from contentguard.settings import Settings, is_loopback

_RIGHTS = {
    Right.ALLOW: "may have everything",
    Right.HEAD: "get an article's metadata only (title, description, picture)",
    Right.NO_ARTICLES: "may have everything but articles (403 in their place)",
    Right.DENY: "are refused everywhere (403), and told so in robots.txt",
}
_COPYING = {
    "off": "copied text is left as it is",
    "attribute": "copies of more than {free} words get a source line and a link; nothing is refused",
    "quote": "copies of more than {free} words get a source line and a link; more than {quote} words are refused",
    "strict": "copying from articles is refused, and their text cannot be selected",
}


class Caution(NamedTuple):
    """One unsafe choice."""

    when: Callable[[Settings], bool]
    says: str
    mend: str


_WARNINGS = (
    Caution(
        lambda s: not s.secret_key,
        "there is no secret key: a random one is used on this machine, and production refuses to start",
        'set secret_key = "…" (16 characters or more) or CONTENTGUARD_SECRET_KEY',
    ),
    Caution(
        lambda s: not s.origin,
        "origin is not set: share links use each reader's Host header, and no canonical link or og:url is filled in",
        'set origin = "https://your.site"',
    ),
    Caution(
        lambda s: s.origin.startswith("http://") and not is_loopback(s.origin.split("/")[2].partition(":")[0]),
        "origin is plain http: browsers then withhold the headers that tell them from scrapers, and no cookie is safe",
        "serve the site over https and set origin accordingly",
    ),
    Caution(
        lambda s: not s.contact,
        "contact is empty: a reader refused by mistake has nobody to turn to",
        'set contact = "mailto:desk@your.site"',
    ),
    Caution(
        lambda s: not s.licence_url,
        "licence_url is empty: a robot that would pay is not told where",
        'set licence_url = "/licensing"',
    ),
    Caution(
        lambda s: s.copying.policy == "strict",
        "copying.policy strict takes selection away from people who need it to read, or to be read to",
        'use copying.policy = "quote"',
    ),
    Caution(
        lambda s: not s.limits.articles,
        "limits.articles is off: one client may read the whole archive at any speed",
        'set limits.articles = "120/minute"',
    ),
    Caution(
        lambda s: s.policy.effective_rights()[Purpose.TOOL] is Right.ALLOW,
        "tools (curl, Scrapy, …) may have whole articles",
        'set policy.rights.tool = "no-articles"',
    ),
    Caution(
        lambda s: not s.proxies.trusted,
        "no trusted proxy is named: forwarded headers are ignored; behind a proxy all readers count as one client",
        'behind a proxy, set proxies.trusted = ["10.0.0.0/8"] (its addresses); directly on the internet, nothing',
    ),
    Caution(
        lambda s: not s.robots.serve,
        "robots.serve is off: what robots.txt says and what is enforced can drift apart",
        "leave robots.serve on; an app's own robots.txt still goes first",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="contentguard", description=__doc__.split("\n\n")[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="print the effective policy in plain words, with warnings")
    check.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)")
    _add_crawlers(commands)
    options = parser.parse_args(arguments)
    try:
        settings = Settings.load(options.settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if options.command == "crawlers":
        return _crawlers(options, settings)
    print("\n".join(_report(settings)))
    return 0


def _add_crawlers(commands: Any) -> None:
    crawlers = commands.add_parser("crawlers", help="list the robots that are known, or refresh their addresses")
    actions = crawlers.add_subparsers(dest="action", required=True, metavar="ACTION")
    known = actions.add_parser("list", help="print the robots that can be verified, and how")
    known.add_argument("--all", action="store_true", help="those too that cannot be verified")
    update = actions.add_parser("update", help="refresh the address lists from where they are published")
    update.add_argument("--from", dest="folder", metavar="DIR", help="read the documents from a folder instead")
    update.add_argument("--to", metavar="FILE", help="the file to write (default: the setting identification.ranges)")
    update.add_argument("--smaller", action="store_true", help="believe a list of which less than half is left")
    for action in (known, update):
        action.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one that is named there)")


def _crawlers(options: argparse.Namespace, settings: Settings) -> int:
    path = (options.to if options.action == "update" else "") or settings.identification.ranges
    file = RangesFile(path)
    known, now = file(), time.time()
    if options.action == "list":
        print("\n".join(listing(CATALOGUE.crawlers, known, now, everything=options.all)))
        return 0
    if not path:
        print("no file to write: set identification.ranges, or use --to FILE", file=sys.stderr)
        return 2
    if options.folder:
        done = from_folder(Path(options.folder), known, file.sources, now, smaller=options.smaller)
    else:
        done = asyncio.run(from_network(known, file.sources, now, smaller=options.smaller))
    print("\n".join(describe(done, known)) or "nothing found")
    changed = [result.entry for result in done if result.entry is not None]
    if changed:
        save(Path(path), known.updated(changed, file.sources).lists.values())
        print(f"{len(changed)} lists written to {path}")
    return 0 if changed and len(changed) == len(done) else 1


def _report(settings: Settings) -> Iterator[str]:
    yield f"Site: {settings.site or '(no name)'}  {settings.origin or '(no origin)'}"
    yield ""
    yield "Robots that say who they are"
    for purpose, right in settings.policy.effective_rights().items():
        yield f"  {purpose.value:17} {_RIGHTS[right]}"
    for name, right in settings.policy.crawlers.items():
        yield f"  {name + ':':17} {_RIGHTS[right]}"
    yield ""
    yield "Readers"
    yield from (f"  {line}" for line in _readers(settings))
    yield ""
    warnings = [warning for warning in _WARNINGS if warning.when(settings)]
    yield f"{len(warnings)} warning{'' if len(warnings) == 1 else 's'}"
    for warning in warnings:
        yield f"  ! {warning.says}\n    mend: {warning.mend}"


def _readers(settings: Settings) -> Iterator[str]:
    articles, requests = settings.limits.parsed()
    yield f"articles: {f'at most {articles} for each address' if articles else 'no limit'}"
    yield f"requests of any kind: {f'at most {requests} for each address' if requests else 'no limit'}"
    copying = settings.copying
    yield "copying: " + _COPYING[copying.policy].format(free=copying.free_words, quote=copying.quote_words)
    share = settings.share
    yield f"share box: {', '.join(share.targets) if share.enabled else 'off'}"
    visible = settings.visible
    yield f"printed pages: {'name their URL, date and copy number' if visible.print else 'are not marked'}"
    yield f"overlay: {visible.overlay or 'none'}"
    trusted = settings.proxies.trusted
    yield f"client address: {f'{settings.proxies.header} of {chr(44).join(trusted)}' if trusted else 'the connection'}"
    robots = "served from this policy where the app has none" if settings.robots.serve else "left to the app"
    yield f"robots.txt: {robots}"
