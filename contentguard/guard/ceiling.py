"""The governor among others: one ceiling for all processes, told of its changes, and not forgotten at a restart.

Strategy: a process decides by itself wherever it can. Where a store holds the budget, tokens are taken from it a few at
once while there are plenty, so that most views ask nobody; what was taken and not used within seconds is lost, and the
bucket in the store is smaller by as much as that could shift from one hour into the next: together they never give out
more than one would. Where the store is gone each goes on with its own part.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path
from threading import Thread

import anyio

from contentguard.admission import keepsake
from contentguard.admission.difficulty import Pressure, pressed
from contentguard.admission.governor import Governor, Ruling
from contentguard.admission.treasury import Change, Learned
from contentguard.backends import Store
from contentguard.backends.fallback import FallbackStore
from contentguard.guard.processes import processes
from contentguard.limits import Decision, Limit
from contentguard.settings import Settings
from contentguard.tokens import Signer

LOG = logging.getLogger("contentguard.governor")
_KEY = "governor"
_LEASE = 10.0
"""Seconds for which tokens are kept that were taken and not used."""
_PART = 16
"""So much of a full bucket is taken at once at most."""
_EVERY = 600.0
"""Seconds between two writings of what was learned."""

Note = Callable[[str, str], None]


class Ceiling:
    """The governor of one process. ``store``: where the budget is, if processes share one. ``now``: the time."""

    def __init__(self, settings: Settings, signer: Signer, store: Store, now: float, note: Note) -> None:
        options = settings.governor
        self.processes = options.processes or processes()
        """How many processes serve the site."""
        self._share = 1.0 / self.processes
        self._hooks: Sequence[Callable[[Change], None]] = settings.state_hooks
        self._file, self._note, self._saved = Path(options.file) if options.file else None, note, now
        self._store = store if isinstance(store, FallbackStore) else None
        self._pressure = Pressure(since=now)
        self._leased, self._amount, self._until, self._left = 0, 1, 0.0, 0
        self.governor = Governor(
            options,
            secret=signer.derive("governor"),
            young=settings.meter.new_reader_articles_per_hour,
            share=self._share,
            shared=self._store is not None,
            learned=self._remembered(now, options.half_life),
            tell=self._told,
        )

    # -- one budget for all --------------------------------------------------------------------------------------

    async def settle(self, ruling: Ruling, now: float) -> Ruling:
        """The last word on a view that the governor wants the store to be asked about."""
        return self.governor.settle(ruling, await self._token(now), now)

    async def _token(self, now: float) -> Decision | None:
        if self._leased and now < self._until:
            self._leased -= 1
            return Decision(True, now, 0.0, self._left + self._leased)
        store, limit = self._store, self._limit()
        assert store is not None
        # Used up in time: there is use for more. Not used: for fewer.
        busy = not self._leased and now < self._until
        wanted = min(2 * self._amount, limit.size // _PART) if busy else self._amount // 2
        self._amount = amount = max(wanted, 1) if 2 * self._left > limit.size else 1
        failures = store.failures.total()
        decision = await store.take(_KEY, limit, now, amount)
        if store.degraded or store.failures.total() != failures:
            # It was memory that answered, as if the whole budget were this process's.
            self._leased, self._left = 0, 0
            return None
        self._leased, self._until = (amount - 1, now + _LEASE) if decision.allowed else (0, now)
        self._left = decision.remaining
        return decision

    def _limit(self) -> Limit:
        whole = self.governor.limit
        return Limit(whole.count, whole.period, max(1, whole.size - ceil(whole.count * _LEASE / whole.period)))

    # -- how hard-pressed ----------------------------------------------------------------------------------------

    def pressure(self, now: float) -> int:
        """By how many steps more is asked of a proof than its client's suspicion does."""
        if self._file is not None and not 0.0 <= now - self._saved < _EVERY:
            self._saved = now
            Thread(target=self.save, args=(now,), daemon=True).start()
        self._pressure = pressed(self._pressure, self.governor.load(now), now)
        return self._pressure.step

    # -- what is told and kept -----------------------------------------------------------------------------------

    def _told(self, change: Change) -> None:
        level = logging.WARNING if change.what == "alarm" else logging.INFO
        LOG.log(level, "%s: %s", change.what, change.state, extra={"change": change._asdict()})
        for hook in self._hooks:
            try:
                hook(change)
            except Exception:
                self._note("hook-failed", f"the hook {hook!r} failed")

    def _remembered(self, now: float, half_life: float) -> Learned | None:
        if self._file is None or not self._file.exists():
            return None
        try:
            with self._file.open("rb") as file:
                found = keepsake.read(file.read(keepsake.MOST), self._share, now, half_life)
        except OSError as error:
            self._note("file-failed", f"{self._file} could not be read: {error.strerror}")
            return None
        if found is None:
            self._note("file-failed", f"{self._file} is not what a governor has learned; it is begun anew")
        return found

    def save(self, now: float) -> None:
        """Write what was learned, where it is to outlast a restart: whole or not at all."""
        if self._file is None:
            return
        new = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        try:
            new.write_bytes(keepsake.write(self.governor.learned(), self._share, now))
            new.replace(self._file)
        except OSError as error:
            self._note("file-failed", f"{self._file} could not be written: {error.strerror}")
            with contextlib.suppress(OSError):
                new.unlink()

    async def aclose(self, now: float) -> None:
        """Write it for the last time."""
        if self._file is not None:
            await anyio.to_thread.run_sync(self.save, now)
