"""What commands about copies have in common: the evidence log that is configured, its keys, and articles that are given
as files."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from contentguard.addresses import address_of
from contentguard.backends.recording import hashed
from contentguard.errors import Fault, SettingsError
from contentguard.settings import Settings, missing_key
from contentguard.tokens import Signer
from contentguard.watermark.keys import epoch_at

if TYPE_CHECKING:
    from contentguard.backends.evidence import EvidenceLog


class Kept(NamedTuple):
    """The evidence log, and what reads it."""

    log: EvidenceLog
    settings: Settings
    secrets: tuple[bytes, ...]
    """Of the marks; the present one first."""
    keys: tuple[bytes, ...]
    """Of fingerprints."""
    hashes: tuple[bytes, ...]
    """Of addresses."""
    epoch: int

    def addresses(self, text: str) -> list[str]:
        """What an address may stand there as, however it is written."""
        found = address_of(text)
        return [hashed(secret, text if found is None else found.text) for secret in self.hashes]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that all of them have."""
    parser.add_argument("--evidence", metavar="URL", help="the log (default: the setting evidence.url)")
    parser.add_argument("--settings", metavar="FILE", help="a TOML file (default: the one CONTENTGUARD_SETTINGS names)")


@contextmanager
def kept(options: argparse.Namespace, *, create: bool = False) -> Iterator[Kept]:
    """The log while it is needed. Raises ``SettingsError``. ``create``: whether one that is not there is made."""
    settings = Settings.load(options.settings)
    url = options.evidence or settings.evidence.url
    if not url:
        raise SettingsError([Fault("evidence.url", "none", "sqlite:///FILE, postgresql://… or --evidence URL")])
    if not settings.keys():
        raise SettingsError([missing_key("and without it no mark can be read")])
    signer = Signer(settings.keys())
    keys = signer.derived("fingerprints")
    log = _opened(url, keys[0], create=create)
    try:
        yield Kept(log, settings, signer.derived("marks"), keys, signer.derived("evidence"), epoch_at(time.time()))
    finally:
        log.close()


def _opened(url: str, key: bytes, *, create: bool) -> EvidenceLog:
    try:
        from contentguard.backends.evidence import EvidenceLog
    except ImportError as error:
        wanted = "the extra evidence: pip install 'contentguard[evidence]'"
        raise SettingsError([Fault("evidence.url", f"no SQLAlchemy ({error})", wanted)]) from None
    try:
        return EvidenceLog(url, key, create=create)
    except ValueError as error:
        raise SettingsError([Fault("evidence.url", str(error), "a database that can be opened")]) from None
