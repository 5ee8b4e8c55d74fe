"""The store that a guard keeps for itself: this process's memory, or what processes share and memory behind it."""

from __future__ import annotations

from contentguard.backends.fallback import FallbackStore
from contentguard.backends.memory import MemoryStore
from contentguard.backends.shared import open_store
from contentguard.errors import Fault, SettingsError
from contentguard.settings import Settings
from contentguard.tokens import Signer


def opened(settings: Settings, signer: Signer) -> MemoryStore | FallbackStore:
    """A ``Ledger``. ``SettingsError`` where the settings name a shared store and its client is not installed."""
    # By the oldest key, so that processes go on sharing while a new one is being given out.
    secret = signer.derived("store")[-1]
    try:
        return open_store(settings.store, secret=secret, clients=settings.limits.clients)
    except ImportError as error:
        wanted = "the extra redis: pip install 'contentguard[redis]'"
        raise SettingsError([Fault("store", f"no redis client ({error})", wanted)]) from None
