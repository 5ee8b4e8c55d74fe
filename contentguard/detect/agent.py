"""Which browser a User-Agent claims to be: engine, version, system.

Strategy: no catalogue of products. What matters is the engine, because headers are written by engines, and whether
the header is *plain*: word for word what the browser itself writes. In an embedded view, a fork or an app anybody may
have changed anything, so nothing is expected of it that only its engine's own browser is known to do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

LIMIT = 512
"""No more of a User-Agent is read."""

Engine = Literal["chromium", "firefox", "webkit", "text", "other", ""]
System = Literal["windows", "macos", "linux", "android", "ios", "chromeos", "other"]


class Agent(NamedTuple):
    """What a User-Agent claims."""

    engine: Engine = ""
    """Empty where none is named; "text" for browsers that show no pictures and say so."""
    major: int = 0
    minor: int = 0
    """Only for WebKit, whose headers change with minor versions."""
    system: System = "other"
    mobile: bool = False
    plain: bool = False
    """Whether this is the engine's own browser, by form: no app, no web view, no additions."""
    headless: bool = False
    malformed: bool = False
    """Says it is Chrome or Firefox in a form that neither has ever used."""
    browser: bool = True
    """Whether it wants to be taken for a browser that shows pages whole. Who gives no name wants that too."""

    @property
    def modern(self) -> bool:
        """Whether it claims an engine whose headers are known."""
        return self.engine in ("chromium", "firefox", "webkit")

    @property
    def outdated(self) -> bool:
        """Whether it claims a browser that lost its last update, and most of its users, years ago."""
        return self.major < _UPDATED.get(self.engine, self.engine == "other")


_UPDATED = {"chromium": 70, "firefox": 68, "webkit": 11}

_CHROMIUM = re.compile(r"(?:Headless)?Chrom(?:e|ium)/([0-9]{1,4}+)")
_FIREFOX = re.compile(r"Gecko/[0-9.]++ (?:[A-Za-z]++/[0-9.]++ )?Firefox/([0-9]{1,4}+)")
_SAFARI = re.compile(r"Version/([0-9]{1,3}+)(?:\.([0-9]{1,3}+))?")
_IOS = re.compile(r"(?:iPhone )?OS ([0-9]{1,2}+)[_.]([0-9]{1,2}+)")
_TEXT = re.compile(r"(?:Lynx|ELinks|Links|w3m|Dillo|NetSurf|edbrowse|Emacs-w3m)\b")

_PLAIN_CHROME = re.compile(
    r"Mozilla/5\.0 \(([^()]{5,80}+)\) AppleWebKit/537\.36 \(KHTML, like Gecko\) "
    r"(Headless)?Chrome/(?=([0-9]{1,4}+))[0-9.]++ (Mobile )?Safari/537\.36(?: (?:Edg|EdgA|OPR|Vivaldi)/[0-9.]++)?"
)
"""Groups: what it runs on, headless, major version, mobile."""
_PLAIN_FIREFOX = re.compile(r"Mozilla/5\.0 \([^()]{5,100}+\) Gecko/[0-9.]++ Firefox/[0-9.]++")
_PLAIN_SAFARI = re.compile(
    r"Mozilla/5\.0 \([^()]{5,80}+\) AppleWebKit/60[0-9.]++ \(KHTML, like Gecko\) "
    r"Version/[0-9.]++ (?:Mobile/[0-9A-Z]++ )?Safari/60[0-9.]++"
)


def parse(user_agent: bytes) -> Agent:
    """The claim of a User-Agent header; an empty ``Agent`` for an empty one."""
    return _parse(user_agent[:LIMIT])


@lru_cache(maxsize=2048)
def _parse(user_agent: bytes) -> Agent:
    text = user_agent.decode("latin-1")
    # Nearly every reader: word for word what Chrome and its kin write, so one look says it all.
    if (usual := _PLAIN_CHROME.fullmatch(text)) and (agent := _usual(*usual.groups())):
        return agent
    if "AppleWebKit/" in text and (match := _CHROMIUM.search(text)) and not _on_ios(text):
        return _chromium(text, int(match[1]))
    if match := _FIREFOX.search(text):
        return _firefox(text, int(match[1]))
    if "AppleWebKit/" in text and (_on_ios(text) or "Version/" in text):
        return _webkit(text)
    if _TEXT.search(text):
        return Agent("text", browser=False)
    # A name without what every browser of that name writes beside it.
    fake = text.startswith("Mozilla/") and bool(_CHROMIUM.search(text) or "Firefox/" in text)
    fake = fake and "Trident" not in text
    browser = not text or text.startswith(("Mozilla/", "Opera/"))
    return Agent("other" if text else "", system=_system(text), malformed=fake, browser=browser)


@lru_cache(maxsize=512)
def _usual(device: str, headless: str | None, major: str, mobile: str | None) -> Agent | None:
    """The engine's own browser; None where what it says to run on needs a second look.

    Kept, for browsers say no more of their version than its first number, and few systems and models are about.
    """
    if "Chrom" in device or "; wv" in device or _on_ios(device):
        return None
    mobile_too = mobile is not None or _mobile(device)
    return Agent("chromium", int(major), 0, _system(device), mobile_too, True, headless is not None)


def _chromium(text: str, major: int) -> Agent:
    headless = "HeadlessChrome/" in text
    broken = "(KHTML, like Gecko)" not in text or " Safari/" not in text
    # Embedded engines leave parts out; only what calls itself Chrome and nothing else must be whole.
    alone = text.count("/") <= 4 and "Chrome/" in text and "; wv" not in text
    plain = _PLAIN_CHROME.fullmatch(text) is not None and "; wv" not in text
    return Agent("chromium", major, 0, _system(text), _mobile(text), plain, headless, broken and alone)


def _firefox(text: str, major: int) -> Agent:
    plain = _PLAIN_FIREFOX.fullmatch(text) is not None and "; rv:" in text
    mobile = "Mobile;" in text or "Tablet;" in text
    return Agent("firefox", major, 0, _system(text), mobile, plain, False, "rv:" not in text)


def _webkit(text: str) -> Agent:
    plain = _PLAIN_SAFARI.fullmatch(text) is not None and "Android" not in text
    named = _SAFARI.search(text)
    system = _IOS.search(text) if _on_ios(text) else None
    # A Safari names its version; any other browser on iOS is as new as the system's own engine.
    found = named if plain and named else system or named
    major, minor = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    if "Android" in text:  # the browser of Android before Chrome: WebKit, but from another time
        return Agent("other", system="android", mobile=True)
    return Agent("webkit", major, minor, _system(text), _mobile(text), plain)


def _on_ios(text: str) -> bool:
    return "iPhone" in text or "iPad" in text or "iPod" in text


def _mobile(text: str) -> bool:
    return "Mobile" in text


def _system(text: str) -> System:
    if "Windows" in text:
        return "windows"
    if _on_ios(text):
        return "ios"
    if "Android" in text:
        return "android"
    if "CrOS" in text:
        return "chromeos"
    if "Macintosh" in text:
        return "macos"
    return "linux" if "Linux" in text or "X11" in text else "other"
