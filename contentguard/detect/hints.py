"""Client hints (sec-ch-ua, -mobile, -platform) against the User-Agent and against Chromium's own rule.

Only Chromium sends them, since 90, to trustworthy origins; web views only since 116 and forks as they like. The brand
list holds one nonsense brand whose spelling, version and place follow from the major version alone (Chromium's
user_agent_utils.cc, since 105), so a copied or outdated list contradicts itself. The rule may change with any
release: above ``KNOWN`` it is not applied, or a browser's update would look like an attack.
"""

from __future__ import annotations

import re
from functools import lru_cache

from contentguard.detect.agent import Agent
from contentguard.detect.shape import Shape

FIRST, RULE_SINCE, KNOWN = 90, 105, 157
"""Major versions: the first with hints everywhere, the first with the rule, the last of which the rule is known."""

_BRAND = re.compile(rb'"([^"]{0,64}+)"\s*+;\s*+v="([0-9.]{0,24}+)"')
_ODD = " (:-./);=?_"
_VERSIONS = ("8", "99", "24")
_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
_PLATFORMS = {
    "windows": (b'"Windows"',),
    "macos": (b'"macOS"',),
    "linux": (b'"Linux"', b'"Android"', b'"Chrome OS"', b'"Chromium OS"'),  # also a phone that asks for the desktop
    "android": (b'"Android"',),
    "chromeos": (b'"Chrome OS"', b'"Chromium OS"'),
}


def nonsense(major: int) -> tuple[bytes, bytes]:
    """The nonsense brand of a Chromium and its version."""
    brand = f"Not{_ODD[major % 11]}A{_ODD[(major + 1) % 11]}Brand"
    return brand.encode(), _VERSIONS[major % 3].encode()


def brands(text: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The brands of a ``sec-ch-ua`` with their versions, at most eight; empty for what is no such list."""
    return tuple((m[1], m[2]) for m, _ in zip(_BRAND.finditer(text[:512]), range(8), strict=False))


def detect(shape: Shape) -> list[str]:
    """The names of signals in the client hints."""
    _, values, agent, secure, _, _, document = shape
    listed = values.get(b"sec-ch-ua")
    if agent.engine != "chromium":
        return ["hints-foreign"] if listed is not None and agent.engine in ("firefox", "webkit") else []
    if listed is None:
        return ["no-hints"] if secure and agent.plain and agent.major >= FIRST and document else []
    found: list[str] = []
    if agent.plain and agent.major < 80:
        found.append("hints-too-new")
    if wrong := _wrong(listed, agent.major, agent.plain):
        found.append(wrong)
    if _other_device(agent, values.get(b"sec-ch-ua-platform"), values.get(b"sec-ch-ua-mobile")):
        found.append("hints-platform")
    return found


@lru_cache(maxsize=256)
def _wrong(listed: bytes, major: int, plain: bool) -> str:
    """What a browser of that version would not have listed; few lists are about at a time."""
    found = brands(listed)
    if not _same_version(found, major):
        return "hints-version"
    ruled = plain and RULE_SINCE <= major <= KNOWN
    return "hints-brands" if ruled and not _follows_rule(found, major) else ""


def _same_version(found: tuple[tuple[bytes, bytes], ...], major: int) -> bool:
    own = [version.partition(b".")[0] for brand, version in found if brand in (b"Chromium", b"HeadlessChrome")]
    return bool(own) and all(version == b"%d" % major for version in own)


def _follows_rule(found: tuple[tuple[bytes, bytes], ...], major: int) -> bool:
    odd = nonsense(major)
    if odd not in found:
        return False
    if len(found) == 2:
        return found.index(odd) == major % 2
    if len(found) == 3:
        order = _ORDERS[major % 6]
        chromium = next((n for n, (brand, _) in enumerate(found) if brand == b"Chromium"), -1)
        return (found.index(odd), chromium) == (order[0], order[1])
    return True  # forks with brands of their own put them where they like


def _other_device(agent: Agent, platform: bytes | None, mobile: bytes | None) -> bool:
    allowed = _PLATFORMS.get(agent.system)
    if platform and platform != b'""' and allowed is not None and platform not in allowed:
        return True
    return agent.plain and mobile in (b"?0", b"?1") and (mobile == b"?1") != agent.mobile
