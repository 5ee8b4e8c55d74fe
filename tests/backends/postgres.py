"""A real PostgreSQL server of a test's own, in a folder of its own, which can be stopped and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.harness import HOST, environment, free_port, missing, need_module

_NEVER_DURABLE = "-c fsync=off -c full_page_writes=off -c max_connections=20 -c shared_buffers=16MB"


def programs() -> Path:
    """The folder of ``initdb`` and ``pg_ctl``, which Debian keeps out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        missing("PostgreSQL (initdb, pg_ctl)")
    return found[-1].parent if found else Path(str(on_path)).parent


class PostgresServer:
    """A cluster in ``folder``, by the name of somebody who is not root, as the server wants it."""

    def __init__(self, folder: Path) -> None:
        need_module("psycopg")
        self._programs, self._folder = programs(), folder
        self._user: str | None = None
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            self._user = "postgres" if "postgres" in names else "nobody"
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)
        self.port = free_port()
        self._run(
            "initdb", "--no-sync", "--auth=trust", "--username=guard", "--encoding=UTF8", "--locale=C", "-D", "data"
        )

    def start(self) -> None:
        """Start it; return when it answers."""
        options = f"-p {self.port} -h {HOST} -k {self._folder} {_NEVER_DURABLE}"
        self._run("pg_ctl", "start", "-w", "-t", "30", "-D", "data", "-l", "log", "-o", options)

    def stop(self) -> None:
        """Stop it at once, as a machine's end would."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", "data")

    def url(self, database: str) -> str:
        """A fresh database's address."""
        self._run("createdb", "-h", HOST, "-p", str(self.port), "-U", "guard", database)
        return f"postgresql://guard@{HOST}:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        with (self._folder / "said").open("ab") as said:
            subprocess.run(
                [str(self._programs / program), *arguments],
                cwd=self._folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                user=self._user,
                timeout=60,
                check=True,
            )


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running one; gone at the end."""
    # pytest's own folders are closed to everybody but root, and root may not run the server.
    with tempfile.TemporaryDirectory(prefix="cg-postgres-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
