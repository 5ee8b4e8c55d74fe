"""On what a run's figures stand: the interpreter, the machine, and the version of everything that was compared."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

RIVALS = (
    *("beautifulsoup4", "selectolax", "python-lolhtml", "turbohtml", "starlette", "slowapi", "limits"),
    *("fastapi-guard", "crawler-user-agents"),
)
SERVERS = ("uvicorn", "uvloop", "httptools", "granian")


def about() -> str:
    """A few lines for the top of a run."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = "wrk" if shutil.which("wrk") else "our own (wrk is not installed)"
    return "\n".join(
        (
            f"{python} on {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs; {_told(['contentguard'])}",
            f"compared with: {_told(RIVALS)}",
            f"servers: {_told(SERVERS)}; load generator: {load}",
        )
    )


def installed(package: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _told(packages: Sequence[str]) -> str:
    return ", ".join(f"{package} {installed(package) or '(not installed)'}" for package in packages)
