"""How a command reaches a running server: by an order that the secret key signs."""

from __future__ import annotations

import asyncio
import json
import time
from secrets import token_bytes
from typing import Any
from urllib.parse import urlsplit

from contentguard.admission import orders
from contentguard.backends.orders import OrderError, carry
from contentguard.errors import Fault, SettingsError
from contentguard.settings import Settings, missing_key
from contentguard.tokens import Signer


def order(settings: Settings, url: str, route: str, body: bytes | None = None) -> Any:
    """The server's answer at ``route`` below ``url``. OrderError where there is none; ``SettingsError`` for faults."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # brackets that do not close, a port that is none
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError([Fault("URL", repr(url), "where the site is, like http://127.0.0.1:8000")])
    keys = settings.keys()
    if not keys:
        raise SettingsError([missing_key("and nothing else proves to a server who asks")])
    text = orders.write(Signer(keys).derive("orders"), route, body or b"", time.time(), token_bytes(8))
    where = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}{orders.BELOW}{route}"
    answer = asyncio.run(carry(where, orders.SCHEME + text, body))
    try:
        return json.loads(answer)
    except ValueError:
        raise OrderError(f"{where} answers with what is not JSON") from None
