"""Write down what a client really sends: ``python -m tests.calibrate.capture FILE``, then point clients at it.

A little news site on 127.0.0.1: ``/c/NAME/article`` and ``/c/NAME/article2``, each with a style sheet, a script, a
picture, a hidden link and a cookie. Every request is kept byte for byte (order and case of header names) under the
client's NAME. Strategy: raw sockets and threads, because a framework would show what it understood and not what came.
Ends, and writes FILE, when ``/quit`` is asked for. ``--tls CERT KEY`` speaks https.
"""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c626001000000ffff03000006000557bfabd40000000049454e44ae426082"
)
SCRIPT = b"""addEventListener('load', () => {
  const next = document.querySelector('a.next');
  fetch('beacon', {method: 'POST', body: String(+navigator.webdriver)});
  if (next) setTimeout(() => next.click(), 1500);
});
"""
PAGE = """<!doctype html><html lang=en><head><meta charset=utf-8><title>{name}</title><link rel=stylesheet href=s.css>
<script src=a.js defer></script></head><body><article><h1>{name}</h1>{text}<img src=p.png alt=""></article>{next}
<div hidden inert aria-hidden=true><a href=trap rel=nofollow tabindex=-1></a></div></body></html>"""
NEXT = "<a class=next href=article2>The next one</a>"
TEXT = "<p>" + "The harbour master read the tide tables twice. " * 12 + "</p>"


class Site:
    """What was asked for, by client."""

    def __init__(self) -> None:
        self.clients: dict[str, list[dict[str, Any]]] = {}
        self.done = threading.Event()
        self._lock = threading.Lock()

    def keep(self, conn: int, line: str, headers: list[tuple[str, str]], body: bytes) -> tuple[str, str]:
        """Write one request down; return its client's name and its page."""
        path = "/" + line.split(" ")[1].removeprefix("http://").partition("/")[2] if "://" in line else line.split()[1]
        parts = path.partition("?")[0].split("/")
        name, page = (parts[2], parts[3]) if len(parts) > 3 and parts[1] == "c" else ("", parts[-1])
        with self._lock:
            record = {"at": time.monotonic(), "conn": conn, "line": line, "headers": headers}
            if body:
                record["body"] = body[:4096].decode("latin-1")
            self.clients.setdefault(name, []).append(record)
        return name, page

    def answer(self, name: str, page: str) -> tuple[str, bytes]:
        """Content type and body."""
        if page in ("article", "article2", "trap"):
            following = NEXT if page == "article" else ""
            return "text/html; charset=utf-8", PAGE.format(name=name, text=TEXT, next=following).encode()
        known = {
            "s.css": ("text/css", b"body{max-width:40em}"),
            "a.js": ("text/javascript", SCRIPT),
            "p.png": ("image/png", PIXEL),
        }
        return known.get(page, ("text/plain", b"ok\n"))


def serve(site: Site, conn: int, peer: socket.socket) -> None:
    """One connection, request after request."""
    peer.settimeout(20)
    stream = peer.makefile("rb")
    try:
        while line := stream.readline(65536).decode("latin-1").rstrip("\r\n"):
            headers = _headers(stream)
            length = next((int(v) for k, v in headers if k.lower() == "content-length"), 0)
            name, page = site.keep(conn, line, headers, stream.read(length) if length else b"")
            kind, body = site.answer(name, page)
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nCache-Control: no-store\r\n"
            )
            if page in ("article", "article2"):
                head += "Set-Cookie: sid=abc123; Path=/; SameSite=Lax\r\n"
            peer.sendall(head.encode() + b"\r\n" + (b"" if line.startswith("HEAD") else body))
            if page == "quit":
                site.done.set()
            if any(k.lower() == "connection" and v.lower() == "close" for k, v in headers):
                return
    except (OSError, ValueError, IndexError):
        return
    finally:
        peer.close()


def _headers(stream: Any) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    while line := stream.readline(65536).decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers.append((name, value.strip(" \t")))
    return headers


def listen(site: Site, port: int, context: ssl.SSLContext | None = None) -> int:
    """Accept in the background; return the port."""
    server = socket.create_server(("127.0.0.1", port))

    def accept() -> None:
        number = 0
        while True:
            peer, _ = server.accept()
            number += 1
            threading.Thread(target=_start, args=(site, number, peer, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(server.getsockname()[1])


def _start(site: Site, number: int, peer: socket.socket, context: ssl.SSLContext | None) -> None:
    try:
        serve(site, number, context.wrap_socket(peer, server_side=True) if context else peer)
    except OSError:
        peer.close()


def compact(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Requests without what repeats: headers are kept whole for documents only."""
    start = requests[0]["at"]
    kept = []
    for request in requests:
        page = request["line"].split(" ")[1].rpartition("/")[2].partition("?")[0]
        short = {"dt": round(request["at"] - start, 3), "conn": request["conn"], "line": request["line"]}
        if page in ("article", "article2", "trap"):
            short["headers"] = request["headers"]
        elif page == "beacon":
            short["body"] = request.get("body", "")
        kept.append(short)
    return kept


def main() -> None:
    """Capture until ``/quit``."""
    parser = argparse.ArgumentParser(description="Write down what clients send.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    chosen = parser.parse_args()
    context = None
    if chosen.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*chosen.tls)
    site = Site()
    port = listen(site, chosen.port, context)
    print(f"{'https' if context else 'http'}://127.0.0.1:{port}/c/NAME/article", flush=True)
    site.done.wait()
    with chosen.file.open("w", encoding="utf-8") as file:
        for name, requests in site.clients.items():
            if name:
                file.write(json.dumps({"client": name, "requests": compact(requests)}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
