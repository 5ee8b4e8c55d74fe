"""``contentguard status``: how a running server stands. One process of it answers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from contentguard.admission.orders import STATUS
from contentguard.backends.orders import OrderError
from contentguard.cli.ordering import order
from contentguard.cli.senses import SENSES, Senses
from contentguard.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("url", metavar="URL", help="where the site runs, like http://127.0.0.1:8000")
    parser.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)")
    parser.add_argument("--json", action="store_true", help="all of it, as JSON")


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command: exit status 1 where no server answers, 3 where one is under an alarm or without its store."""
    settings = Settings.load(options.settings)
    try:
        found = order(settings, options.url, STATUS)
    except OrderError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(found, indent=2) if options.json else "\n".join(_text(found)))
    return 3 if (found["governor"] or {}).get("alarm") or found["store"].get("degraded") else 0


def _text(found: Mapping[str, Any]) -> Iterator[str]:
    process = found["process"]
    others = f" (one of {process['of']})" if process["of"] > 1 else ""
    yield f"process {process['pid']}{others}, since {_time(process['since'])}; reading {found['reading']}"
    if found["governor"] is not None:
        yield from _governor(found["governor"])
    yield "store: " + ", ".join(f"{name} {_shown(value)}" for name, value in found["store"].items())
    for title, name in (
        ("readers on their way", "funnel"),
        ("links", "links"),
        ("rules that decided", "rules"),
        ("rules in shadow", "shadow"),
        ("noticed", "events"),
    ):
        if found[name]:
            yield f"{title}:"
            yield from (f"  {count:>9,}  {what}" for what, count in sorted(found[name].items(), key=_largest))


def _governor(state: Mapping[str, Any]) -> Iterator[str]:
    alarm = f"ALARM since {_time(state['alarm_since'])}" if state["alarm"] else "no alarm"
    normal = state["normal_per_hour"]
    usual = "not known yet" if normal is None else f"{normal:,.0f} an hour at a busy time"
    yield f"archive: {alarm}; {state['hot']} well-read articles; strangers usually ask for others: {usual}"
    for name, bucket in state["buckets"].items():
        left, size, rate = bucket["level"], bucket["size"], bucket["per_hour"]
        yield f"  {name:<28} {left:>9,.0f} of {size:,.0f} left, {rate:,.0f} an hour"
    yield from (f"  {count:>9,}  {what}" for what, count in sorted(state["counts"].items(), key=_largest))


def _largest(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}={count}" for name, count in value.items()) or "nothing"
    return str(value)
