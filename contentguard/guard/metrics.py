"""Figures for Prometheus: what ``status`` says of this process, each time that somebody collects it.

Strategy: nothing is counted twice and nothing on a request's way; what is counted anyhow is told under names that do
not change. Labels are what the policy and this package name, never what a client chooses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from contentguard.guard.status import status

if TYPE_CHECKING:
    from contentguard.guard import Guard

_COUNTERS = (
    ("verdicts", "Requests by what was decided and by which rule.", ("action", "rule"), "rules"),
    ("shadow", "What rules in shadow would have decided.", ("rule",), "shadow"),
    ("reading", "Leads, tickets by what became of them, and waits.", ("what",), "funnel"),
    ("links", "Share and gift links that were made and followed.", ("what",), "links"),
    ("events", "Pages left as they came, failures and other events.", ("what",), "events"),
)
_BUCKETS = ("all", "passes", "strangers")
"""Those of fingerprints come and go."""


class Metrics:
    """A collector of one guard's figures."""

    def __init__(self, guard: Guard, registry: CollectorRegistry = REGISTRY) -> None:
        """Register with ``registry``. ValueError where another guard's figures are there already."""
        self._guard, self._registry = guard, registry
        registry.register(self)

    def close(self) -> None:
        """Collect nothing any more."""
        self._registry.unregister(self)

    def collect(self) -> Iterator[Metric]:
        """All figures as they are now."""
        found = status(self._guard)
        for name, says, labels, part in _COUNTERS:
            family = CounterMetricFamily(f"contentguard_{name}", says, labels=labels)
            for what, count in found[part].items():
                family.add_metric(what.split(" ", 1) if len(labels) == 2 else [what], count)
            yield family
        yield from _store(found["store"])
        if found["governor"] is not None:
            yield from _archive(found["governor"])


def _store(found: Mapping[str, Any]) -> Iterator[Metric]:
    says = "Whether the shared store is given up for a while."
    yield GaugeMetricFamily("contentguard_store_degraded", says, value=found.get("degraded", False))
    family = CounterMetricFamily("contentguard_store_failures", "Failures of the shared store.", labels=("kind",))
    for kind, count in found.get("failures", {}).items():
        family.add_metric([kind], count)
    yield family


def _archive(state: Mapping[str, Any]) -> Iterator[Metric]:
    yield GaugeMetricFamily("contentguard_archive_alarm", "Whether there is an alarm.", value=state["alarm"])
    yield GaugeMetricFamily("contentguard_archive_hot", "Well-read articles.", value=state["hot"])
    yield GaugeMetricFamily("contentguard_proof_pressure", "Steps that proofs are harder by.", value=state["pressure"])
    views = CounterMetricFamily("contentguard_archive", "Seldom-read articles and passes.", labels=("what",))
    for what, count in state["counts"].items():
        views.add_metric([what], count)
    yield views
    for name, part in (("left", "level"), ("size", "size"), ("per_hour", "per_hour")):
        family = GaugeMetricFamily(f"contentguard_archive_{name}", f"Tokens of a bucket: {part}.", labels=("bucket",))
        for bucket in _BUCKETS:
            family.add_metric([bucket], state["buckets"][bucket][part])
        yield family
