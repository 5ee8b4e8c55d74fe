"""What a guard opens when it is made: its store (memory, or what processes share and memory behind it), its figures,
and whom it asks about comments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from contentguard.backends.akismet import Akismet
from contentguard.backends.fallback import FallbackStore
from contentguard.backends.memory import MemoryStore
from contentguard.backends.shared import open_store
from contentguard.errors import Fault, SettingsError
from contentguard.settings import Settings
from contentguard.tokens import Signer

if TYPE_CHECKING:
    from contentguard.guard import Guard
    from contentguard.guard.metrics import Metrics


def opened(settings: Settings, signer: Signer) -> MemoryStore | FallbackStore:
    """A ``Ledger``. ``SettingsError`` where the settings name a shared store and its client is not installed."""
    # By the oldest key, so that processes go on sharing while a new one is being given out.
    secret = signer.derived("store")[-1]
    try:
        return open_store(settings.store, secret=secret, clients=settings.limits.clients)
    except ImportError as error:
        wanted = "the extra redis: pip install 'contentguard[redis]'"
        raise SettingsError([Fault("store", f"no redis client ({error})", wanted)]) from None


def opened_akismet(settings: Settings, clock: Callable[[], float], callback: Callable[[], str] = str) -> Akismet | None:
    """The service that is asked about comments; None without a key. ``SettingsError`` where it cannot know the site.

    ``callback``: says where it may call; nothing for nowhere.
    """
    if not settings.akismet.key:
        return None
    try:
        return Akismet(settings.akismet, settings.origin, clock=clock, callback=callback)
    except ValueError as error:
        raise SettingsError([Fault("akismet", "a key alone", str(error))]) from None


def measured(guard: Guard) -> Metrics | None:
    """A guard's figures for Prometheus, where the settings want them; of several guards, the first one's.

    ``SettingsError`` where the client is not installed.
    """
    if not guard.settings.metrics:
        return None
    try:
        from contentguard.guard.metrics import Metrics
    except ImportError as error:
        wanted = "the extra metrics: pip install 'contentguard[metrics]'"
        raise SettingsError([Fault("metrics", f"no prometheus client ({error})", wanted)]) from None
    try:
        return Metrics(guard)
    except ValueError:
        guard.note("metrics-taken", "another guard's figures are offered to Prometheus already; this one's are not")
        return None
