"""What Akismet's figures say: how much of a plan is used, and by which sites.

Strategy: without figures there is nothing to say, so whatever is none is an error that tells what came instead. The
list of sites comes as JSON or as CSV (RFC 4180) below a line that holds the key; of that line only the numbers are
read.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from contentguard.comments.answers import Headers, clean, refusal, told_by

ORDERS = ("total", "spam", "ham", "missed_spam", "false_positives")
"""What a list of sites can be sorted by."""
_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_TITLE = re.compile(
    r"during (\d{4}-\d{2}) \(limit: {0,4}(\d{1,9}), {0,4}offset: {0,4}(\d{1,9}), {0,4}total: {0,4}(\d{1,9})\)"
)
_COUNTED = ("api_calls", "spam", "ham", "missed_spam", "false_positives")
_COLUMNS = ["site", "total api calls", "spam", "ham", "missed spam", "false positives", "is revoked"]
_MOST = 100_000
"""The highest offset and limit that are asked for."""


class Usage(NamedTuple):
    """How much of a plan is used this month."""

    limit: int | None
    """Calls that the plan allows in a month; None for any number."""
    usage: int
    percentage: float
    throttled: bool
    """Whether calls are slowed down because the plan has been exceeded for long."""


class SiteUsage(NamedTuple):
    """What one site did with a key in one month."""

    site: str
    api_calls: int
    spam: int
    ham: int
    missed_spam: int
    false_positives: int
    is_revoked: bool


class KeySites(NamedTuple):
    """One page of the sites that use a key."""

    sites: tuple[SiteUsage, ...]
    month: str
    """As ``2026-12``; empty where the service does not say."""
    total: int
    """How many sites there are, on all pages."""
    limit: int
    offset: int


def asked(month: str, name: str, order: str, limit: int, offset: int) -> tuple[tuple[str, str], ...]:
    """The question of ``key-sites``, without the key. ValueError for what the service does not document."""
    if month and not _MONTH.fullmatch(month):
        raise ValueError(f"a month like 2026-12, not {month!r}")
    if order not in ORDERS:
        raise ValueError(f"an order out of {', '.join(ORDERS)}, not {order!r}")
    if not 1 <= limit <= _MOST or not 0 <= offset <= _MOST:
        raise ValueError(f"a limit from 1 and an offset from 0 to {_MOST}, not {limit} and {offset}")
    fields = (("month", month), ("filter", name), ("order", order), ("limit", str(limit)), ("offset", str(offset)))
    return tuple(pair for pair in fields if pair[1])


def read_usage(status: int, headers: Headers, body: bytes) -> Usage:
    """The answer to ``usage-limit``. ValueError, which says why, where it is none."""
    data = _document(status, headers, body)
    try:
        limit = None if data["limit"] == "none" else int(data["limit"])
        percentage = float(data["percentage"])
        if not isfinite(percentage):
            raise ValueError("a percentage that is no number")
        return Usage(limit, int(data["usage"]), percentage, _is_true(data["throttled"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _senseless(error) from None


def read_sites(status: int, headers: Headers, body: bytes) -> KeySites:
    """The answer to ``key-sites`` in JSON, which has the sites by month. ValueError, which says why, if it is none."""
    data = _document(status, headers, body)
    try:
        months = [name for name in data if _MONTH.fullmatch(name)]
        # One version of the documentation has one site as an object, the service itself lists them.
        rows = [row for name in months for row in (data[name] if isinstance(data[name], list) else [data[name]])]
        sites = tuple(_site(row) for row in rows)
        total, limit, offset = (int(data.get(name, other)) for name, other in _paged(len(sites)))
        return KeySites(sites, months[0] if months else "", total, limit, offset)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _senseless(error) from None


def read_listed_sites(status: int, headers: Headers, body: bytes) -> KeySites:
    """The answer to ``key-sites`` in CSV. ValueError, which says why and holds nothing of it, if it is none."""
    title, _, rest = body.decode("utf-8", "replace").lstrip("\ufeff").partition("\n")
    found = _TITLE.search(title[-200:]) if status == 200 else None
    if found is None:
        raise ValueError(refusal(status, body.strip(), told_by(headers))[0])
    month, limit, offset, total = found.groups()
    try:
        sites = tuple(_listed(csv.reader(rest.splitlines(), strict=True)))
    except (csv.Error, TypeError, ValueError) as error:
        raise _senseless(error) from None
    return KeySites(sites, month, int(total), int(limit), int(offset))


def _listed(rows: Iterable[list[str]]) -> Iterable[SiteUsage]:
    written = (row for row in rows if row)
    if [name.strip().lower() for name in next(written, _COLUMNS)] != _COLUMNS:
        raise ValueError("other columns")
    for site, *counted, revoked in written:
        yield _site({"site": site, **dict(zip(_COUNTED, counted, strict=True)), "is_revoked": revoked})


def _paged(sites: int) -> tuple[tuple[str, int], ...]:
    return ("total", sites), ("limit", sites), ("offset", 0)


def _site(row: Mapping[str, Any]) -> SiteUsage:
    calls, spam, ham, missed, false = (int(row[name]) for name in _COUNTED)
    return SiteUsage(clean(str(row["site"])), calls, spam, ham, missed, false, _is_true(row.get("is_revoked")))


def _is_true(value: object) -> bool:
    return value in (True, "true", 1)


def _senseless(error: Exception) -> ValueError:
    return ValueError(f"figures that make no sense ({type(error).__name__})")


def _document(status: int, headers: Headers, body: bytes) -> dict[str, Any]:
    told = told_by(headers)
    try:
        data = json.loads(body) if status == 200 else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ValueError(refusal(status, body.strip(), told)[0])
    return data
