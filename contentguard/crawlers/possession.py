"""Whether a key directory was signed by the keys that stand in it.

That proves that its publisher holds their private halves, and nobody else's keys were listed. Whoever fetches a
directory himself over TLS need not ask (the draft makes it optional); where a copy is passed on, it is everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from contentguard.crawlers.fields import FieldError, InnerList, Item, parse_dictionary
from contentguard.crawlers.keys import PublicKey
from contentguard.crawlers.message import ComponentError, SignedResponse, fault_of_digest, joined
from contentguard.crawlers.signatures import LEEWAY, MAX_LABELS, verify

TAG = "http-message-signatures-directory"


def possesses(response: SignedResponse, keys: Mapping[str, PublicKey], body: bytes, now: float) -> frozenset[str]:
    """Thumbprints of those ``keys`` that have signed the directory response in which they stand.

    Raises CryptographyMissingError. A malformed signature proves nothing, and is nothing worse.
    """
    try:
        inputs = parse_dictionary(joined(response.headers, "signature-input") or "")
        values = parse_dictionary(joined(response.headers, "signature") or "")
    except FieldError:
        return frozenset()
    proved = set()
    for label, covered in list(inputs.items())[:MAX_LABELS]:
        value = values.get(label)
        if isinstance(covered, InnerList) and isinstance(value, Item) and isinstance(value.value, bytes):
            keyid = str(covered.parameters.get("keyid"))
            if keyid in keys and _is_proof(response, covered, value.value, keys[keyid], body, now):
                proved.add(keyid)
    return frozenset(proved)


def _is_proof(
    response: SignedResponse, covered: InnerList, signature: bytes, key: PublicKey, body: bytes, now: float
) -> bool:
    created, expires = covered.parameters.get("created"), covered.parameters.get("expires")
    timely = (
        isinstance(created, int) and isinstance(expires, int) and created <= now + LEEWAY and expires > now - LEEWAY
    )
    named = {(item.value, item.parameters.get("req")) for item in covered.items}
    complete = {("@authority", True), ("content-digest", None)} <= named
    if not (timely and complete and covered.parameters.get("tag") == TAG):
        return False
    if fault_of_digest(covered, response.headers, body):
        return False
    try:
        return verify(response, covered, signature, key)
    except ComponentError:
        return False
