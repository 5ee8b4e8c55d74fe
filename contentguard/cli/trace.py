"""``contentguard trace``: whose copy a text is, how sure that is, and what cannot be told.

Strategy: thin; texts come from ``suspects``, the work is ``tracing``'s, and ``told`` and ``dossier`` say what came of
it. Exit status 0 where a reader is named, 1 where parts of articles are found and nobody is named, 3 where nothing of
the site's is found; 2 for faults in the arguments or the settings, or where no source can be read, nor the log.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from contentguard.backends import EvidenceError
from contentguard.cli import keeping, revoke
from contentguard.cli.dossier import write_dossier
from contentguard.cli.finding import Reader, Trace
from contentguard.cli.progress import Progress
from contentguard.cli.senses import SENSES, Senses
from contentguard.cli.suspects import Suspect, fetch, named, read
from contentguard.cli.told import as_data, as_text
from contentguard.cli.tracing import Tracer
from contentguard.errors import Fault, SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a file (text, HTML, Markdown, Word), a folder, an http(s) URL, or - for standard input",
    )
    parser.add_argument(
        "--readers", type=int, metavar="N", help="of how many readers one is named (default: the log's)"
    )
    parser.add_argument("--epsilon", type=float, default=1e-6, metavar="P", help="chance of a false accusation (1e-6)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--report", metavar="DIR", help="write a report as HTML there, with a draft takedown notice")
    parser.add_argument("--revoke", action="store_true", help="take back the passes of those who are named")
    parser.add_argument("--allow-private", action="store_true", help="fetch from addresses of one's own network too")
    keeping.add_arguments(parser)


def run(options: argparse.Namespace, senses: Senses = SENSES) -> int:
    """The command. Raises ``SettingsError``."""
    _check(options)
    with keeping.kept(options) as kept:
        tracer = Tracer(kept.log, kept.secrets, kept.keys, kept.epoch)
        try:
            names, others = named(options.sources)
            if others:
                print(f"{others} files passed over that are no texts", file=sys.stderr)
            texts = _texts(names, tracer, private=options.allow_private)
            trace = tracer.result(options.readers, options.epsilon)
        except EvidenceError as error:
            print(f"the evidence log gives no answer: {error}", file=sys.stderr)
            return 2
        site = kept.settings.site or kept.settings.origin
    print(json.dumps(as_data(trace), indent=2) if options.json else as_text(trace))
    if options.report:
        _reported(trace, Path(options.report), site)
    if options.revoke and trace.named:
        revoked(trace.named, options)
    if not texts:
        return 2
    return 0 if trace.named else 1 if trace.articles else 3


def _check(options: argparse.Namespace) -> None:
    faults = []
    if options.readers is not None and options.readers < 1:
        faults.append(Fault("--readers", str(options.readers), "at least 1"))
    if not 0.0 < options.epsilon < 1.0:
        faults.append(Fault("--epsilon", str(options.epsilon), "a probability between 0 and 1"))
    if faults:
        raise SettingsError(faults)


def _texts(names: Sequence[str], tracer: Tracer, *, private: bool) -> int:
    """Read all of them; how many could be."""
    progress, done = Progress(len(names) if len(names) > 1 else 0, sys.stderr, what="texts"), 0
    for number, suspect in enumerate(_read(names, private=private), 1):
        if suspect.fault:
            print(f"{suspect.name}: {suspect.fault}", file=sys.stderr)
        else:
            done += 1
            tracer.add(suspect)
        progress.at(number, number)
    progress.done()
    return done


def _read(names: Iterable[str], *, private: bool) -> Iterable[Suspect]:
    return (read(name, lambda url: fetch(url, private=private)) for name in names)


def _reported(trace: Trace, folder: Path, site: str) -> None:
    try:
        files = write_dossier(trace, folder, site, datetime.now(UTC))
    except OSError as error:
        raise SettingsError([Fault("--report", f"{folder} ({error.strerror})", "a folder to write to")]) from None
    print("\n".join(f"written: {file}" for file in files), file=sys.stderr)


def revoked(readers: Iterable[Reader], options: argparse.Namespace, act: Callable[..., int] = revoke.run) -> int:
    """Take back the passes of these readers, as ``contentguard revoke`` does; its exit status."""
    passes = sorted({row.visit for reader in readers for row in reader.rows})
    if not passes:
        print("nothing to take back: the log does not know their passes", file=sys.stderr)
        return 1
    return act(argparse.Namespace(names=passes, url=None, settings=options.settings))
