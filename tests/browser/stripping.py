"""A company's proxy, at its worst: it opens what is encrypted and takes away what it does not know.

Gone are Sec-Fetch-*, client hints, Accept-Language, Referer and the rest of ``STRIPPED``; every request goes on over a
connection of its own, with its headers in another order, and nobody is told that there was a proxy.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.harness import HOST

STRIPPED = (b"sec-", b"accept-language:", b"referer:", b"priority:", b"upgrade-", b"connection:", b"proxy-", b"te:")
_PATIENCE = 20.0


@contextmanager
def stripping(certificate: Path, key: Path) -> Iterator[int]:
    """A proxy on a free port of this machine, for http and (showing ``certificate``) https; gone afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server((HOST, 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    peer.settimeout(_PATIENCE)
                    threading.Thread(target=_serve, args=(peer, context), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def _serve(peer: socket.socket, context: ssl.SSLContext) -> None:
    # Browsers open connections ahead of need, and close them without a word.
    with suppress(OSError, ValueError), peer:
        method, target, lines = _request(peer.makefile("rb", buffering=0))
        if method != "CONNECT":
            _pass_on(peer, method, target, lines, int(urlsplit(target).port or 80))
            return
        peer.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
        with context.wrap_socket(peer, server_side=True) as inner:
            method, path, lines = _request(inner.makefile("rb", buffering=0))
            _pass_on(inner, method, path, lines, int(target.rpartition(":")[2]), secure=True)


def _request(stream: socket.SocketIO) -> tuple[str, str, list[bytes]]:
    """Method, target and header lines; the body stays in the stream."""
    method, target, _ = stream.readline(65536).decode("latin-1").split(" ")
    return method, target, [line.rstrip() for line in iter(stream.readline, b"\r\n")]


def _pass_on(
    peer: socket.socket, method: str, target: str, lines: list[bytes], port: int, *, secure: bool = False
) -> None:
    parts = urlsplit(target)
    path = parts.path + ("?" + parts.query if parts.query else "")
    kept = sorted(line for line in lines if not line.lower().startswith(STRIPPED))
    head = [f"{method} {path} HTTP/1.1".encode("latin-1"), *kept, b"Connection: close", b"", b""]
    length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    upstream = socket.create_connection((HOST, port), timeout=_PATIENCE)
    if secure:
        open_to_all = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        open_to_all.check_hostname, open_to_all.verify_mode = False, ssl.CERT_NONE
        upstream = open_to_all.wrap_socket(upstream)
    with upstream:
        upstream.sendall(b"\r\n".join(head))
        while length > 0 and (piece := peer.recv(min(length, 65536))):
            upstream.sendall(piece)
            length -= len(piece)
        while piece := upstream.recv(65536):
            peer.sendall(piece)
