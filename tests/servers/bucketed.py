"""A guarded site whose articles shared caches may keep: 16 copies of each."""

from __future__ import annotations

from tests.client import guarded
from tests.guard.test_reading import articles

app = guarded(articles, reading={"mode": "off"}, watermark={"enabled": True, "buckets": 16})
