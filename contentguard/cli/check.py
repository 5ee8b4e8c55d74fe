"""``contentguard check``: what a configuration does, in plain words.

Strategy: each warning is a row of a table: a condition on the settings, what is unsafe, and the mend.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from contentguard.addresses import is_loopback
from contentguard.cli.senses import SENSES, Senses
from contentguard.crawlers import CATALOGUE
from contentguard.guard.crowds import CROWD
from contentguard.guard.processes import processes
from contentguard.model import Purpose, Right
from contentguard.policy.published import Published
from contentguard.policy.rules import When
from contentguard.policy.words import ACTIONS, conditions
from contentguard.publish import documents
from contentguard.settings import Settings
from contentguard.terms import Site

_RIGHTS = {
    Right.ALLOW: "may have everything",
    Right.EXCERPT: "get an article's excerpt; until excerpts are made, its metadata only",
    Right.HEAD: "get an article's metadata only (title, description, picture)",
    Right.NO_ARTICLES: "may have everything but articles (403 in their place)",
    Right.CHARGE: "are refused everywhere without a licence (402), and told so in robots.txt",
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
        lambda s: bool(_unreached(s)),
        "some rules can never act: one before them always holds",
        "put the rule without conditions last (contentguard check lists the rules in their order)",
    ),
    Caution(
        # Those that a preset tries are its own affair: nobody has forgotten them there.
        lambda s: bool(s.policy.shadow) or any(rule.shadow for rule in s.policy.rules),
        "some rules are in shadow: what they would do is counted and not done",
        "take shadow off them when their counts are what you want (contentguard replay shows them too)",
    ),
    Caution(
        lambda s: len(documents(Published(s.policy, CATALOGUE.crawlers).terms, Site())["/robots.txt"][1]) > 500 * 1024,
        "robots.txt is longer than 500 KiB: crawlers need not read it to its end (RFC 9309, 2.5)",
        "write fewer rules by path, or fewer for single robots",
    ),
    Caution(
        lambda s: not s.store and max(processes(), s.governor.processes) > 1,
        "several processes serve the site and share no store: each counts for itself and takes each ticket once",
        'set store = "redis://…" (extra redis)',
    ),
    Caution(
        lambda s: s.reading.mode == "off",
        "reading.mode is off: whoever sends a browser's headers may have the whole archive, a machine too",
        'set reading.mode = "progressive"',
    ),
    Caution(
        lambda s: s.reading.mode != "off" and not s.visits.remember,
        "visits.remember is off: without it there is no pass, so articles are whole for everybody",
        "leave visits.remember on",
    ),
    Caution(
        lambda s: s.feeds.mode == "full" and s.reading.mode != "off",
        "feeds.mode is full: whoever asks for a feed has its articles whole, if your app puts them in",
        'leave feeds.mode on "excerpt", or take "signed" for subscribers',
    ),
    Caution(
        lambda s: bool(s.evidence.url) and not s.watermark.enabled,
        "evidence.url names a log, and watermark.enabled is off: no copy is marked, so nothing is written down",
        "set watermark.enabled = true, or leave evidence.url out",
    ),
    Caution(
        lambda s: bool(s.akismet.key) and s.akismet.test,
        "akismet.test is on: Akismet learns nothing from this site, and counts its calls all the same",
        "set akismet.test = false in production",
    ),
    Caution(
        lambda s: bool(_missing(s)),
        "a file or folder that the settings name is not there: address lists stay the packaged ones, and what is "
        "learned goes with the process",
        "make it, or name another: identification.ranges, governor.file, comments.lessons, evidence.url",
    ),
    Caution(
        lambda s: not s.robots.serve,
        "robots.serve is off: what robots.txt says and what is enforced can drift apart",
        "leave robots.serve on; an app's own robots.txt still goes first",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)")


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command: exit status 0. Raises ``SettingsError`` where the settings hold faults."""
    print("\n".join(_report(Settings.load(options.settings))))
    return 0


def _report(settings: Settings) -> Iterator[str]:
    yield f"Site: {settings.site or '(no name)'}  {settings.origin or '(no origin)'}"
    policy = settings.policy
    yield f"Policy: preset {policy.preset}: {policy.begins_with.says}"
    yield ""
    yield from _rules(settings)
    yield ""
    yield "Robots that say who they are"
    for purpose, right in policy.effective_rights().items():
        yield f"  {purpose.value:17} {_RIGHTS[right]}"
    for purpose, right in policy.effective_unverified().items():
        yield f"  {purpose.value:17} {_RIGHTS[right]}, unless they have proved who they are"
    for name, right in policy.crawlers.items():
        yield f"  {name + ':':17} {_RIGHTS[right]}"
    yield ""
    yield from _unpublished(settings)
    yield ""
    yield "Readers"
    yield from (f"  {line}" for line in _readers(settings))
    yield ""
    warnings = [warning for warning in _WARNINGS if warning.when(settings)]
    yield f"{len(warnings)} warning{'' if len(warnings) == 1 else 's'}"
    for warning in warnings:
        yield f"  ! {warning.says}\n    mend: {warning.mend}"


def _rules(settings: Settings) -> Iterator[str]:
    policy = settings.policy
    thresholds = policy.effective_thresholds()
    yield "Rules, the first that holds decides"
    for rule in policy.effective_rules():
        shadow = " (in shadow: counted, not done)" if rule.shadow else ""
        yield f"  {rule.name}{shadow}"
        yield f"      when  {conditions(rule.when, thresholds)}"
        limit = f", {rule.pace} of {'articles' if rule.counts_articles else 'requests'}" if rule.is_paced else ""
        yield f"      gets  {ACTIONS[rule.action]}{limit}"
    yield f"  thresholds: {', '.join(f'{name} {value:g}' for name, value in thresholds.items())}"


def _unpublished(settings: Settings) -> Iterator[str]:
    found = Published(settings.policy, CATALOGUE.crawlers).unpublished()
    yield "Enforced but not published" + ("" if found else ": nothing")
    width = max((len(one.rule) for one in found), default=0)
    yield from (f"  {one.rule:<{width}}  {one.why}" for one in found)


def _missing(settings: Settings) -> list[str]:
    """Files that are read and are not there, and files that are written where no folder is."""
    ranges = settings.identification.ranges
    written = [settings.governor.file, settings.comments.lessons, settings.evidence.url.partition("sqlite:///")[2]]
    folders = [os.path.dirname(file) or "." for file in written if file]
    return [*(f for f in [ranges] if f and not os.path.isfile(f)), *(f for f in folders if not os.path.isdir(f))]


def _unreached(settings: Settings) -> bool:
    """Whether a rule stands behind one that always decides."""
    rules = [rule for rule in settings.policy.rules if not rule.shadow]
    return any(rule.when == When() and not rule.is_paced for rule in rules[:-1])


_MODES = {
    "progressive": "the first paragraphs at once, the rest while they are read",
    "open": "articles are whole until somebody looks suspicious",
    "off": "articles are whole for everybody",
}


def _reading(settings: Settings) -> Iterator[str]:
    """Progressive reading, in the owner's terms."""
    mode = settings.reading.mode if settings.visits.remember else "off"
    yield f"reading: {mode}: {_MODES[mode]}"
    if mode == "off":
        return
    meter, archive, shared, gifts = settings.meter, settings.governor, settings.shared_links, settings.gift_links
    young = f"{meter.new_reader_articles_per_hour} in the first minutes"
    yield f"articles per reader: {meter.articles_per_hour} an hour ({young}), {meter.articles_per_day} a day"
    one = min(max(1, meter.articles_per_hour), CROWD)
    line = f"{one} an hour, {one} more for each who stays, to {CROWD}"
    yield f"seldom-read articles for all new readers on one line: {line}"
    cold = f"{archive.cold_articles_per_hour:,} to {archive.cold_articles_per_hour_most:,} an hour"
    yield f"seldom-read articles for all strangers together: {cold}, {archive.times_normal:g} times what is normal"
    yield f"share links: {shared.readings} readers each, {shared.days} days"
    yield f"gifts: {gifts.monthly} a month for each account, {gifts.days} days, {gifts.devices} devices"
    known = "by the app" if settings.reader is not None else "nobody (reader is not set)"
    yield f"accounts are known to: {known}"
    yield f"counted in: {urlsplit(settings.store).hostname or 'the store' if settings.store else 'each process'}"


_FEEDS = {
    "full": "as the app wrote them",
    "excerpt": "the beginning of each article, {words} words at most",
    "signed": "the beginning of each article, {words} words at most; all of it at a subscriber's own address, from "
    "{addresses} devices a day",
}


def _readers(settings: Settings) -> Iterator[str]:
    articles, requests = settings.limits.parsed()
    yield f"articles: {f'at most {articles} for each address' if articles else 'no limit'}"
    yield f"requests of any kind: {f'at most {requests} for each address' if requests else 'no limit'}"
    yield from _reading(settings)
    feeds = settings.feeds
    yield "feeds: " + _FEEDS[feeds.mode].format(words=feeds.words, addresses=feeds.addresses)
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
