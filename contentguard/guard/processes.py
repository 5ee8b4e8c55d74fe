"""How many processes serve a site, as far as one of them can find out.

Found out: what the environment says to uvicorn and gunicorn (``WEB_CONCURRENCY``, ``GUNICORN_CMD_ARGS``), what stands
on the command line of a known server (``--workers 4``, ``-w4``), and that this process is the second or a later child
of a server that makes its workers by ``multiprocessing``. Not found out: workers that a program asks for in its own
code (the first of them knows nothing of a second), several services or containers, other machines.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence

_OPTION = re.compile(r"(?:--(?:workers|processes)|-w)(?:=?([0-9]{1,4}))?")
_CHILD = re.compile(r"[A-Za-z]+Process-([0-9]{1,6})")
_SERVERS = ("uvicorn", "gunicorn", "hypercorn", "granian", "fastapi", "daphne")
_MOST = 1024


def processes() -> int:
    """At least so many processes serve this site; 1 where nothing tells."""
    return said(os.environ, sys.argv, multiprocessing.current_process().name)


def said(environment: Mapping[str, str], words: Sequence[str], name: str) -> int:
    """The same, by an environment, a command line and the name of a process."""
    served = words[1:] if any(server in word for word in words[:1] for server in _SERVERS) else ()
    numbers = [environment.get("WEB_CONCURRENCY", ""), *_asked(served), *_asked(_words(environment))]
    # A server that reloads itself runs its one worker as a child, too: the first child says nothing.
    child = _CHILD.fullmatch(name)
    found = [int(number) for number in numbers if number.isascii() and number.isdigit()]
    return max(1, min(max(found, default=1), _MOST), 2 if child and int(child[1]) > 1 else 1)


def _words(environment: Mapping[str, str]) -> list[str]:
    try:
        return shlex.split(environment.get("GUNICORN_CMD_ARGS", ""))
    except ValueError:
        return []


def _asked(words: Sequence[str]) -> list[str]:
    """What follows each option that asks for workers."""
    found = []
    for at, word in enumerate(words):
        option = _OPTION.fullmatch(word)
        if option is not None:
            found.append(option[1] or (words[at + 1] if at + 1 < len(words) else ""))
    return found
