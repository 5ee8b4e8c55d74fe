"""Servers in processes of their own, started together and ended one by one, by their ids.

Strategy: each is the first of a session of its own, so that its id names whatever it starts (granian's worker) as well.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.measure import MeasureError

ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0


@contextmanager
def running(commands: Mapping[str, Sequence[str]], logs: Path) -> Iterator[dict[str, str]]:
    """Name → the first address that each command prints; a command is what follows ``python -m``.

    Output goes to files in ``logs``, because nobody reads a pipe while the load runs.
    """
    with ExitStack() as stack:
        started = {name: stack.enter_context(_process(c, logs / name)) for name, c in commands.items()}
        yield {name: _address(process, logs / name) for name, process in started.items()}


@contextmanager
def _process(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    # The measured settings are those in the command, whatever this shell has set.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CONTENTGUARD_")}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**plain, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens; waits until it does."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+(?=\n)", log.read_text("utf-8", "replace"))
        if found and _listens(found[0]):
            return found[0]
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise MeasureError(f"the server did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")


def _listens(address: str) -> bool:
    parts = urlsplit(address)
    with suppress(OSError), socket.create_connection((parts.hostname or "", parts.port or 80), timeout=5):
        return True
    return False
