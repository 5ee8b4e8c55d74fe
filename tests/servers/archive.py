"""An archive worth taking: two hundred articles, served over https under a host name, with the guard's own defaults.

What was taken is judged by one sentence, the last of each article's last paragraph, which stands nowhere else.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from ipaddress import ip_address
from pathlib import Path
from random import Random

from tests.servers.harness import Server, answers, family, free_port, need_module

NAME = "localhost"
"""A name that every tool resolves to 127.0.0.1 by itself, and for which every jar keeps cookies."""
SIZE = 200
_WORDS = """
harbour tide council ledger clerk lamp quay rope ferry salt morning engine signal market keeper winter gale timber
archive ballast compass lantern mooring pilot anchor survey tariff cargo channel beacon
"""
_SECTIONS = ("Town", "Culture", "Sea", "Sport")


@dataclass(frozen=True)
class Archive:
    """The running server, and what a client needs to know of it."""

    server: Server
    origin: str
    """``https://localhost:port``."""
    certificate: Path
    """PEM; what a client that verifies has to trust."""
    slugs: tuple[str, ...]
    """Of all articles, newest first."""

    def url(self, slug: str) -> str:
        """Where an article stands."""
        return f"{self.origin}/news/{slug}"

    @property
    def urls(self) -> list[str]:
        """Where all of them stand."""
        return [self.url(slug) for slug in self.slugs]


def slug(number: int) -> str:
    """The name of an article."""
    return f"story-{number:04}-of-the-archive"


def ending(number: int) -> str:
    """The last sentence of an article."""
    return f"So it was entered as item {number:04} and nobody at the table asked to hear it again."


def taken(texts: Iterable[str]) -> set[int]:
    """The numbers of the articles whose last sentence stands in one of these texts, whatever tags are in between."""
    found: set[int] = set()
    for text in texts:
        plain = " ".join(re.sub(r"[^\w\s]", " ", re.sub(r"<[^>]*>", " ", unescape(text))).split())
        found |= {int(number) for number in re.findall(r"entered as item (\d{4}) and nobody at the table", plain)}
    return found


def write(folder: Path, size: int = SIZE) -> tuple[str, ...]:
    """Fill a content folder; the slugs, newest first."""
    folder.mkdir(parents=True, exist_ok=True)
    day = datetime(2026, 3, 1, 8, tzinfo=UTC)
    for number in range(size):
        (folder / f"{slug(number)}.md").write_text(_article(number, day - timedelta(hours=7 * number)), "utf-8")
    return tuple(slug(number) for number in range(size))


def _article(number: int, day: datetime) -> str:
    dice = Random(number)
    words = _WORDS.split()
    paragraphs = [" ".join(_sentence(dice, words) for _ in range(5)) for _ in range(9)]
    paragraphs[-1] += " " + ending(number)
    header = f'title: "The {number:04} case of the {dice.choice(words)}"\nslug: {slug(number)}\ndate: "{day:%FT%T}Z"\n'
    header += f'section: {_SECTIONS[number % 4]}\nsummary: "What became of number {number:04}."\n'
    return f"---\n{header}---\n\n" + "\n\n".join(paragraphs) + "\n"


def _sentence(dice: Random, words: list[str]) -> str:
    return " ".join(dice.choice(words) for _ in range(12)).capitalize() + "."


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for ``NAME`` and its key, made here and trusted by nobody who is not told to."""
    need_module("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    names = x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return pem, secret


@contextmanager
def archive(folder: Path, *options: str, size: int = SIZE) -> Iterator[Archive]:
    """The example news server over a generated archive. ``options`` go to its command line."""
    slugs, (pem, key) = write(folder / "content", size), certificate(folder)
    log, port = folder / "log", free_port()
    command = [sys.executable, "-m", "examples.news", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--content", str(folder / "content"), "--origin", f"https://{NAME}:{port}"]
    command += ["--database", str(folder / "comments.sqlite3")]
    command += ["--ssl-certfile", str(pem), "--ssl-keyfile", str(key), *options]
    with family(command, log) as process:
        assert answers(process, port, "/", pem), log.read_text("utf-8")
        server = Server(f"https://{NAME}:{port}", process, log)
        yield Archive(server, server.url, pem, slugs)
