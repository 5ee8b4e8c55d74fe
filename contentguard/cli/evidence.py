"""``contentguard evidence``: the evidence log on its own: handed out, erased, cut back.

Strategy: thin; one question to the log each. Exit status 1 where nothing was found to erase; 2 for faults, and where
the log gives no answer.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from contentguard.backends import EvidenceError, Issued
from contentguard.cli import keeping
from contentguard.cli.keeping import Kept
from contentguard.cli.senses import SENSES, Senses
from contentguard.errors import Fault, SettingsError

_DAY = 86_400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    export = actions.add_parser("export", help="print rows as lines of JSON, the oldest first")
    erase = actions.add_parser("erase", help="forget all copies of one serial, pass or address")
    prune = actions.add_parser("prune", help="forget what is older than evidence.days; the server does so by itself")
    for action in (export, erase):
        which = action.add_mutually_exclusive_group(required=action is erase)
        which.add_argument("--serial", metavar="HEX", help="of a pass, as trace prints it")
        which.add_argument("--pass", dest="visit", metavar="ID", help="a pass's id")
        which.add_argument("--address", metavar="IP", help="an address, or its hash as export prints it")
    export.add_argument("--article", metavar="NAME", help="of one article")
    prune.add_argument("--days", type=float, metavar="N", help="another age")
    for action in (export, erase, prune):
        keeping.add_arguments(action)


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command. Raises ``SettingsError``."""
    _check(options)
    with keeping.kept(options) as kept:
        try:
            return _ACTIONS[options.action](kept, options)
        except EvidenceError as error:
            print(f"the evidence log gives no answer: {error}", file=sys.stderr)
            return 2


def _check(options: argparse.Namespace) -> None:
    # Copies that are nobody's in particular have no address: those would be all.
    names = {"--pass": getattr(options, "visit", None), "--address": getattr(options, "address", None)}
    faults = [Fault(name, repr(value), "one that is not empty") for name, value in names.items() if value == ""]
    if faults:
        raise SettingsError(faults)


def _export(kept: Kept, options: argparse.Namespace) -> int:
    for address in _addresses(kept, options):
        asked = {"visit": options.visit, "address": address, "article": options.article}
        for row in kept.log.rows(serial=_serial(options), **asked):
            print(json.dumps(as_data(row)))
    return 0


def as_data(row: Issued) -> dict[str, object]:
    """A row as it is exported."""
    return {**row._asdict(), "serial": f"{row.serial:010x}", "revision": row.revision.hex()}


def _erase(kept: Kept, options: argparse.Namespace) -> int:
    serial = _serial(options)
    done = sum(kept.log.erase(serial=serial, visit=options.visit, address=one) for one in _addresses(kept, options))
    print(f"{done} rows erased")
    return 0 if done else 1


def _prune(kept: Kept, options: argparse.Namespace) -> int:
    days = kept.settings.evidence.days if options.days is None else options.days
    if not 0.0 <= days < 1e6:
        raise SettingsError([Fault("--days", str(days), "a number of days")])
    print(f"{kept.log.prune(time.time() - days * _DAY)} rows older than {days:g} days forgotten")
    return 0


_ACTIONS = {"export": _export, "erase": _erase, "prune": _prune}


def _serial(options: argparse.Namespace) -> int | None:
    if options.serial is None:
        return None
    try:
        serial = int(options.serial, 16)
    except ValueError:
        serial = -1
    if not 0 <= serial < 2**40:
        raise SettingsError([Fault("--serial", repr(options.serial), "up to ten hex digits")])
    return serial


def _addresses(kept: Kept, options: argparse.Namespace) -> list[str] | list[None]:
    """What an address may stand there as: its own hash, by each key, or what is a hash already."""
    if options.address is None:
        return [None]
    return [options.address, *kept.addresses(options.address)]
