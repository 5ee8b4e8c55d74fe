"""``contentguard revoke``: take back passes and links, in the store that processes share or in a running server.

Strategy: with a shared store every process learns of it there, the next time that the pass is used. Without one a
server has to be told, and it is its one process that knows.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import replace

from contentguard.admission.orders import REVOKE
from contentguard.backends.fallback import FallbackStore
from contentguard.backends.orders import OrderError
from contentguard.cli.ordering import order
from contentguard.cli.senses import SENSES, Senses
from contentguard.errors import Fault, SettingsError
from contentguard.guard import Guard
from contentguard.settings import Settings, missing_key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("names", nargs="+", metavar="ID", help="a pass's id (16 hex digits) or a link")
    parser.add_argument("--url", metavar="URL", help="the server to tell, like http://127.0.0.1:8000")
    parser.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)")


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command: exit status 1 where something was not taken back. Raises ``SettingsError`` for faults."""
    settings = Settings.load(options.settings)
    if not options.url and not settings.store:
        wanted = "--url URL of the server to tell, or a store that all processes share"
        raise SettingsError([Fault("store", "none, so that only a running server knows", wanted)])
    if not settings.keys():
        raise SettingsError([missing_key("and by any other nothing would be found")])
    try:
        if options.url:
            done = order(settings, options.url, REVOKE, "\n".join(options.names).encode())
        else:
            done = asyncio.run(_in_store(settings, options.names))
    except OrderError as error:
        print(error, file=sys.stderr)
        return 1
    for name, was in done.items():
        print(f"{name}: {'taken back' if was else 'neither a pass nor a link'}")
    return 0 if all(done.values()) else 1


async def _in_store(settings: Settings, names: list[str]) -> dict[str, bool]:
    # What servers have learned, and whom they tell, is none of this process's business.
    plain = {"governor": replace(settings.governor, file=""), "metrics": False}
    guard = Guard(settings.model_copy(update=plain))
    try:
        done = {name: await guard.revoke(name) for name in names}
        if isinstance(guard.store, FallbackStore) and guard.store.failures:
            raise OrderError(f"the store does not answer: {' '.join(guard.store.failures)}")
        return done
    finally:
        await guard.aclose()
