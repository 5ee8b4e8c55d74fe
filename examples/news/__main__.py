"""`python -m examples.news`: serve The Harbour Gazette on this machine.

Everything that can be wrong (content, origin, settings, certificate, port) is found before the first request
and told in plain words with exit status 2. The socket is bound first, because the origin needs the real port.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import socket
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from .accounts import hashed
from .content import Article, ContentError, load
from .database import Database
from .links import SITE, OriginError, clean_origin
from .serve import CONTENT, SETTINGS_FILE, GuardError, mount

DATABASE: Final = Path("harbour-gazette.sqlite3")
EDITOR: Final = "editor"
PASSWORD: Final = "GAZETTE_PASSWORD"
"""Names the variable that holds the editor's password; without it each start makes a new one and prints it."""


class StartError(RuntimeError):
    """The server cannot start; `str()` says why."""


def parser() -> argparse.ArgumentParser:
    """Return the command line of the example."""
    made = argparse.ArgumentParser(
        prog="python -m examples.news",
        description=f"Serve {SITE}, the example news site, with contentguard around it.",
        epilog="Compare: run it as it is and with --unguarded, and fetch the same article with curl.",
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    made.add_argument("--port", type=_port, default=8000, help="0 picks a free one (default: %(default)s)")
    made.add_argument("--content", type=Path, default=CONTENT, metavar="DIR", help="folder of Markdown files")
    made.add_argument(
        "--settings", type=Path, default=SETTINGS_FILE, metavar="FILE", help="contentguard settings (TOML)"
    )
    made.add_argument(
        "--database", type=Path, default=DATABASE, metavar="FILE", help="keeps the comments (default: %(default)s)"
    )
    made.add_argument("--unguarded", action="store_true", help="serve the same site without the guard")
    made.add_argument("--origin", metavar="URL", help="public origin, such as https://news.example")
    made.add_argument("--ssl-certfile", type=Path, metavar="FILE", help="certificate chain (PEM): serve https")
    made.add_argument("--ssl-keyfile", type=Path, metavar="FILE", help="its private key (PEM)")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; return the exit status."""
    options = parser().parse_args(arguments)
    try:
        articles = load(options.content)
        with bind(options.host, options.port) as listener:
            origin = _origin(options, listener)
            app = _app(options, articles, origin)
            server = _server(options, app)
            password = os.environ.get(PASSWORD) or secrets.token_urlsafe(9)
            asyncio.run(appoint(options.database, password))
            print(greeting(origin, articles, password, guarded=not options.unguarded), flush=True)
            server.run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn has shut down in good order and hands the signal on
        return 0
    except (ContentError, OriginError, GuardError, StartError) as fault:
        print(fault, file=sys.stderr)
        return 2
    return 0


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket, or raise StartError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as fault:
        raise StartError(f"Cannot listen on {host} port {port}: {fault}. Try --port 0.") from fault
    # asyncio does so only for sockets that it has made itself; without, a page's body waits for the answer to its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def appoint(path: Path, password: str) -> None:
    """Give the editor a password in the database, or raise StartError."""
    database = Database(path)
    try:
        await database.set_password(EDITOR, await asyncio.to_thread(hashed, password))
    except OSError as fault:
        raise StartError(f"Cannot keep comments in {path}: {fault}. Try --database FILE.") from fault
    finally:
        await database.close()


def greeting(origin: str, articles: Sequence[Article], password: str, *, guarded: bool) -> str:
    """Return what the console says at the start: where, how, and four things to try."""
    story = f"{origin}/news/{articles[0].slug}"
    robots = "written by the guard" if guarded else "404: only the guard writes one"
    return (
        f"{SITE} on {origin} ({'guarded' if guarded else 'NOT guarded'}, {len(articles)} articles)\n"
        f"  read:    {story}\n"
        f"  copy:    curl -i {story}\n"
        f"  robots:  {origin}/robots.txt ({robots})\n"
        f"  desk:    {origin}/desk (name: {EDITOR}, password: {password})\n"
        "  stop:    Ctrl+C"
    )


def _port(written: str) -> int:
    port = int(written)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, found {written}")
    return port


def _origin(options: argparse.Namespace, listener: socket.socket) -> str:
    if options.origin is not None:
        return clean_origin(options.origin)
    scheme = "https" if options.ssl_certfile else "http"
    # An address that means "all of them" cannot be visited; this machine is reached by its loopback.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(options.host, options.host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _app(options: argparse.Namespace, articles: Sequence[Article], origin: str) -> ASGIApp:
    if not options.unguarded and not options.settings.is_file():
        raise StartError(f"There is no settings file {options.settings}.")
    return mount(
        articles,
        options.content,
        origin=origin,
        settings_file=options.settings,
        unguarded=options.unguarded,
        database=options.database,
    )


def _server(options: argparse.Namespace, app: ASGIApp) -> uvicorn.Server:
    """Return the server with its certificate already read, so that a bad one is told before the greeting."""
    if options.ssl_keyfile and not options.ssl_certfile:
        raise StartError("--ssl-keyfile needs --ssl-certfile.")
    config = uvicorn.Config(
        app,
        proxy_headers=False,  # by default nothing stands in front, and a forwarded address is a claim
        server_header=False,
        log_level="info",
        ssl_certfile=options.ssl_certfile,
        ssl_keyfile=options.ssl_keyfile,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as fault:
        raise StartError(f"Cannot use the certificate {options.ssl_certfile}: {fault}") from fault
    return uvicorn.Server(config)


if __name__ == "__main__":
    sys.exit(main())
