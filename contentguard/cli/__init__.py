"""The command line: a policy and what it does, a server that runs, and whose copy a text is.

Strategy: one file = one command, one line in ``COMMANDS``. Exit status 0 when a command did its work, 2 when the
settings or the arguments hold faults.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from contentguard.cli import (
    check,
    crawlers,
    evidence,
    explain,
    index,
    link,
    replay,
    revoke,
    status,
    trace,
    trace_image,
    variants,
    watermark,
)
from contentguard.cli.senses import SENSES, Senses
from contentguard.errors import SettingsError


class Command(NamedTuple):
    """One command."""

    says: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Senses], int]


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "check": Command("print the effective policy in plain words, with warnings", check.add_arguments, check.run),
        "explain": Command(
            "say why one request gets what it gets, and what would change that", explain.add_arguments, explain.run
        ),
        "replay": Command("say what a policy would have done with recorded traffic", replay.add_arguments, replay.run),
        "status": Command("say how a running server stands", status.add_arguments, status.run),
        "revoke": Command("take back passes and links", revoke.add_arguments, revoke.run),
        "link": Command("make a link that opens an article whole to some readers", link.add_arguments, link.run),
        "trace": Command("say whose copy a text is, and how sure that is", trace.add_arguments, trace.run),
        "trace-image": Command(
            "say whether a picture is one that this site has marked", trace_image.add_arguments, trace_image.run
        ),
        "index": Command("learn the site's articles, so that copies are found", index.add_arguments, index.run),
        "evidence": Command("hand out, erase or cut back the evidence log", evidence.add_arguments, evidence.run),
        "variants": Command("show what an article's wording can carry", variants.add_arguments, variants.run),
        "watermark": Command("show what is left of an article's marks", watermark.add_arguments, watermark.run),
        "crawlers": Command(
            "list the robots that are known, or refresh their addresses", crawlers.add_arguments, crawlers.run
        ),
    }
)
"""Name → command."""


def main(arguments: Sequence[str] | None = None, senses: Senses = SENSES) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="contentguard", description=(__doc__ or "").split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.add_arguments(commands.add_parser(name, help=command.says, description=command.says.capitalize() + "."))
    options = parser.parse_args(arguments)
    try:
        status = COMMANDS[options.command].run(options, senses)
        sys.stdout.flush()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough; nor shall the interpreter try once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status
