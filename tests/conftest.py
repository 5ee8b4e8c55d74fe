"""What every test has: no deadline for generated cases (machines are busy), and no settings from outside."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("contentguard", deadline=None, print_blob=True)
settings.load_profile("contentguard")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.upper().startswith("CONTENTGUARD_"):
            monkeypatch.delenv(variable)
