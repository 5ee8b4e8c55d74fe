"""The policy as robots.txt (RFC 9309), from the same rights that the server enforces.

A robot is disallowed here exactly when its right is DENY. HEAD and NO_ARTICLES disallow nothing: which
path holds an article shows only when the server answers. A group of its own makes a robot ignore ``*``,
so each group says everything; and nothing that comes from a setting can begin a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote, urlsplit

from contentguard.model import Crawler, Purpose, Right

POLICY_NAME = "Unauthorized Content Copy"

# contentsignals.org, CC0: it has an effect only in these words.
_SIGNALS_POLICY = (
    "As a condition of accessing this website, you agree to abide by the following content signals:",
    "(a)  If a content-signal = yes, you may collect content for the corresponding use.",
    "(b)  If a content-signal = no, you may not collect content for the corresponding use.",
    "(c)  If the website operator does not include a content signal for a corresponding use, the website"
    " operator neither grants nor restricts permission via content signal with respect to the"
    " corresponding use.",
    "The content signals and their meanings are:",
    "search: building a search index and providing search results (e.g., returning hyperlinks and short"
    " excerpts from your website's contents).  Search does not include providing AI-generated search"
    " summaries.",
    "ai-input: inputting content into one or more AI models (e.g., retrieval augmented generation, grounding,"
    " or other real-time taking of content for generative AI search answers).",
    "ai-train: training or fine-tuning AI models.",
    "ANY RESTRICTIONS EXPRESSED VIA CONTENT SIGNALS ARE EXPRESS RESERVATIONS OF RIGHTS UNDER ARTICLE 4 OF"
    " THE EUROPEAN UNION DIRECTIVE 2019/790 ON COPYRIGHT AND RELATED RIGHTS IN THE DIGITAL SINGLE MARKET.",
)
# A search index lives on links and excerpts, so metadata is enough; a model is fed with the article.
_SIGNALS = (
    ("search", Purpose.SEARCH, frozenset({Right.ALLOW, Right.HEAD})),
    ("ai-input", Purpose.AI_SEARCH, frozenset({Right.ALLOW})),
    ("ai-train", Purpose.AI_TRAINING, frozenset({Right.ALLOW})),
)
# Wider than RFC 9309's letters, "-" and "_": operators write MJ12bot, archive.org_bot and Y!J-BRW.
_TOKEN = re.compile(r"[A-Za-z0-9_.!-]+")


def render_robots(
    rights: Mapping[Purpose, Right],
    overrides: Mapping[str, Right],
    crawlers: Iterable[Crawler],
    *,
    sitemaps: Sequence[str] = (),
    private: Sequence[str] = ("/.contentguard/",),
    site: str = "",
    contact: str = "",
    licence: str = "",
) -> str:
    """robots.txt for these rights per purpose and ``overrides`` (robot's name → right)."""
    denied, excepted = _named(rights, overrides, crawlers)
    open_rules = ["Allow: /", *_disallowed(private)]
    blocks = [
        list(_head(site, contact, licence)),
        _group(excepted, open_rules),
        _group(denied, ["Disallow: /"]),
        _group(["*"], [*_content_signal(rights), *open_rules]),
        [f"Sitemap: {url}" for url in filter(None, map(_absolute, sitemaps))],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _named(
    rights: Mapping[Purpose, Right], overrides: Mapping[str, Right], crawlers: Iterable[Crawler]
) -> tuple[list[str], list[str]]:
    """The tokens to deny, and those to allow by name, as parsers that match parts of names need it."""
    right_of = {}
    exceptions = {name.lower(): right for name, right in overrides.items()}
    for crawler in crawlers:
        token = crawler.robots_token
        if token is None or not _TOKEN.fullmatch(token):
            continue
        right = exceptions.get(crawler.name.lower(), rights.get(crawler.purpose, Right.ALLOW))
        # Several robots may obey one name; then the one that bears it decides.
        if token not in right_of or token == crawler.name:
            right_of[token] = right
    denied = [token for token, right in right_of.items() if right is Right.DENY]
    kept = (token for token, right in right_of.items() if right is not Right.DENY)
    parts = _parts_pattern(denied)
    return denied, [token for token in kept if parts and parts.search(token)]


def _parts_pattern(tokens: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(re.escape, tokens)), re.IGNORECASE) if tokens else None


def _group(tokens: Sequence[str], rules: Sequence[str]) -> list[str]:
    return [*(f"User-agent: {token}" for token in tokens), *rules] if tokens else []


def _head(site: str, contact: str, licence: str) -> Iterator[str]:
    title = f"{POLICY_NAME} policy"
    yield f"# {title} of {_one_line(site)}" if _one_line(site) else f"# {title}"
    yield "# The server enforces what this file says: what is allowed here may still be limited in rate, and"
    yield "# some robots receive an article's metadata only."
    if _one_line(licence):
        yield f"# Ask for a licence: {_one_line(licence)}"
    if _one_line(contact):
        yield f"# Contact: {_one_line(contact)}"
    yield "#"
    yield from (f"# {line}" for line in _SIGNALS_POLICY)


def _content_signal(rights: Mapping[Purpose, Right]) -> list[str]:
    """What is granted for each use; a purpose without a right is left unstated."""
    said = [f"{name}={_yes_no(rights[purpose] in yes)}" for name, purpose, yes in _SIGNALS if purpose in rights]
    return [f"Content-Signal: {', '.join(said)}"] if said else []


def _yes_no(granted: bool) -> str:
    return "yes" if granted else "no"


def _disallowed(private: Iterable[str]) -> list[str]:
    return [f"Disallow: {quote(path, safe='/*$%?&=:;,+@!~')}" for path in private if path.startswith("/")]


def _absolute(url: str) -> str | None:
    """``url`` if it may stand in a Sitemap line. A wrong one is left out: robots.txt is never an error."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    sound = parts.scheme in {"http", "https"} and bool(parts.netloc) and url.isprintable() and " " not in url
    return url if sound else None


def _one_line(setting: str) -> str:
    """``setting`` as text of one comment line: no control character, no line end of any kind."""
    return " ".join("".join(char if char.isprintable() else " " for char in setting).split())[:300]
