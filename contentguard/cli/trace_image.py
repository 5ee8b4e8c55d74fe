"""``contentguard trace-image``: whether a picture is one that this site has marked, since when, and how sure that is.

Strategy: every month and every set of signs is tried, in the picture and in its mirror image, with every key; the
bound on a false accusation counts them all. Exit status 0 where a mark is found in each file, 1 where it is not in
some, 2 for faults in the arguments or the settings, or where a file cannot be read.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contentguard.cli.senses import SENSES, Senses
from contentguard.errors import Fault, SettingsError
from contentguard.guard.marks import PURPOSE
from contentguard.settings import Settings, missing_key
from contentguard.tokens import Signer
from contentguard.watermark.keys import epoch_at, epoch_start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a picture")
    parser.add_argument(
        "--path", default="", metavar="PATH", help="say also whether it can be the site's picture there"
    )
    parser.add_argument("--epsilon", type=float, default=1e-6, metavar="P", help="chance of a false accusation (1e-6)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)")


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command. Raises ``SettingsError``."""
    if not 0.0 < options.epsilon < 1.0:
        raise SettingsError([Fault("--epsilon", str(options.epsilon), "a probability between 0 and 1")])
    secrets = Settings.load(options.settings).keys()
    if not secrets:
        raise SettingsError([missing_key("and marks are found by the key that made them")])
    told = [_traced(file, Signer(secrets).derived(PURPOSE), options) for file in options.files]
    print(json.dumps(told, indent=2) if options.json else "\n".join(map(_line, told)))
    if any("fault" in one for one in told):
        return 2
    return 0 if all(one["marked"] for one in told) else 1


def _traced(file: str, keys: Sequence[bytes], options: argparse.Namespace) -> dict[str, Any]:
    pictures = _pictures()
    try:
        found = pictures.cells(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        return {"file": file, "fault": getattr(error, "strerror", None) or str(error)}
    months = range(epoch_at(time.time()) + 1)
    best = max((pictures.best(found, key, months) for key in keys), key=lambda one: one.score)
    sets = 2 * len(keys) * len(months) * pictures.GROUPS
    marked = best.score >= pictures.needed(sets, options.epsilon)
    told = {"file": file, "marked": marked, "score": round(best.score, 2), "chance": pictures.chance(best.score, sets)}
    if marked:
        told |= {"since": datetime.fromtimestamp(epoch_start(best.month), UTC).date().isoformat()}
        told |= {"mirrored": best.mirrored}
        if options.path:
            told["path"] = pictures.group_of(options.path) == best.group
    return {**told, "needed": round(pictures.needed(sets, options.epsilon), 2)}


def _pictures() -> Any:
    try:
        from contentguard.watermark import pictures
    except ImportError as error:
        wanted = "the extra images: pip install 'contentguard[images]'"
        raise SettingsError([Fault("trace-image", f"no Pillow ({error})", wanted)]) from None
    return pictures


def _line(told: dict[str, Any]) -> str:
    if "fault" in told:
        return f"{told['file']}: {told['fault']}"
    if not told["marked"]:
        return f"{told['file']}: no mark of this site is certain (agreement {told['score']}, {told['needed']} needed)"
    turned = ", mirrored" if told["mirrored"] else ""
    path = {None: "", True: "; it can be the picture at that path", False: "; it is not the picture at that path"}
    return (
        f"{told['file']}: marked by this site, published in the 30 days from {told['since']}{turned} (agreement "
        f"{told['score']}; by chance at most {told['chance']:.0e}){path[told.get('path')]}"
    )
