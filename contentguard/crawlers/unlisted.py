"""Robots no catalogue lists: what gives a program away in its own User-Agent.

A last step, by form and not by name: a word that says what the program is (``…bot``, ``crawler``, ``monitor``),
an address to complain to, or a header that names neither an engine nor a device, as every browser does. A
phone's own name stands between ``Android`` and the engine and declares nothing: there are phones called
"M bot 51". The purpose is a guess and never a privilege: FEED, LINK_PREVIEW or MONITORING where the word says
so, otherwise TOOL. A name alone must not earn what a search engine gets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from contentguard.crawlers.words import BROWSERS, DEVICES, HANDHELDS, LOWER, PLAIN, words
from contentguard.model import Crawler, Purpose

# Over one word, a letter run. No repetition at all: linear in the word.
_TELLING = re.compile(
    rb"bots?\Z|robot|crawl|spider|scrap|(?<!ok)https?|\Awww\Z|fetch|archiv|headless|monitor|uptime|validator|indexer"
    rb"|[a-z](?<!developer)preview|feed(?:s|er|parser|reader)?\Z|\Arss[a-z]|[a-z]rss\Z|checker|linkcheck|[a-z]parser\Z|synthetic|webhook"
    rb"|scann(?:ing|er)|sniffer|screenshot|(?<!en)seo\Z|\Aseo(?!ul)|analy[sz]er|harvest|extract(?:or|er)|grabber"
    rb"|healthcheck|curl\Z|wget|\Apython|\Aperl\Z|\Aphp\Z|\Aruby\Z|\Agolang|\Anodejs|\Aresearch\Z|inspector"
    rb"|[a-z]agents?\Z|survey|measurement|prospect|searcher\Z|searchengine|\Ahref\Z"
    rb"|\Adownloader|tester\Z|examiner|observatory|\Awebthumb|\Anode\Z|\Anpm\Z|cpython|\Akubernetes\Z|\Adocker\Z|\Agradle\Z"
)
_LONGEST_WORD = 64
"""Letters at a word's end that are looked at: longer ones are no words, and looked at for as long as they are."""
_MOST_NAMES = 32
"""Products among which a program's name is looked for."""
# Two words that tell nothing alone.
_PAIRS = {b"preview": frozenset({b"link", b"url", b"page", b"web"}), b"reader": frozenset({b"rss"})}
_PAIRS |= {b"check": frozenset({b"link"}), b"optimizer": frozenset({b"agent"}), b"client": frozenset({b"http"})}
_GOOGLES = re.compile(rb"\bgoogle-[a-z]{3}")
_COMPLAINTS = re.compile(rb"@[a-z][a-z0-9-]*+\.[a-z]|[a-z0-9-]\.(?:com|org)(?![a-z0-9.]|/[0-9])")
_COMPATIBLE = re.compile(rb"\(compatible; ?([a-z][\w.!-]*+) ?+[\w -]{0,40}+/v?[0-9][0-9a-z.]*+[;) ]")
_BROWSERS_TOO = frozenset(
    {b"msie", b"konqueror", b"abrowse", b"netfront", b"netpositive", b"webpositive", b"u", b"ms-office"}
    | {b"ncbrowser", b"kun", b"ibrowse", b"googletoolbar", b"antgalio", b"netgem", b"gecko", b"opera", b"mozilla"}
)
_ADDRESSES = {b"http": b"http://", b"https": b"https://", b"www": b"www."}
_NO_NAMES = PLAIN | _ADDRESSES.keys() | {b"compatible"}
_NETSCAPE = re.compile(rb"mozilla/(?:[1-3]\.|4\.[0-9a-z_-]++ ++\[[a-z_-]++\] ++\(x11; [inu];)")
"""How Netscape wrote itself, whatever it ran on: ``Mozilla/4.7 [en] (X11; I; AIX 4.2)``; and those who lived by its
first three versions, on consoles, televisions and pocket computers."""
_PRODUCT = re.compile(rb"[a-z0-9][a-z0-9_.!-]*", re.IGNORECASE)
_FIREFOX = b" firefox/"
_EXTENSIBLE = (b"1.", b"2.", b"3.")
"""Versions of Firefox that let extensions, toolbars and whoever handed it out add their names and addresses."""
_NUMBERED = re.compile(rb"[a-z]{3,20}+[0-9]{1,2},[0-9]{1,2}/")
"""How Apple numbers its models: ``Watch4,3/5.3.8``."""
_AT = ord("@")
_ENGINE = b") applewebkit"
"""What follows an Android device's name."""
_APP = b" instagram "
"""Behind this, and a version, an app says in parentheses what it runs on."""

_MODELS = tuple(
    b"nokia samsung sonyericsson ericsson audiovox lg mot- motorola sie- siemens htc alcatel blackberry huawei"
    b" zte sagem lenovo iphone ipod ipad smarttv sec- sanyo sharp panasonic philips bird amoi haier pantech kddi"
    b" docomo j-phone softbank vodafone palm treo tcl lava- spice micromax fly_ karbonn sony asus- acer- gt-"
    b" sch- sgh- sph- kwc-".split()
)
"""How a telephone or television begins that says its model and no more."""

_SHOWING = (b"browser", b"webexplorer", b"mobileexplorer", b"navigator", b"mosaic", b"linemode", b"tv", b"player")
"""How a word ends that names a program which shows something to somebody: ``PrivacyBrowser``, ``AppleTV``."""
_INTERNET_EXPLORER = frozenset({b"internet", b"explorer"})

_GUESSES = (
    (re.compile(rb"feed|rss"), Purpose.FEED),
    (re.compile(rb"preview"), Purpose.LINK_PREVIEW),
    (re.compile(rb"monitor|uptime|synthetic|healthcheck"), Purpose.MONITORING),
)


_ASKING = frozenset({b"com", b"org", b"compatible", b"google"})
"""Words that tell nothing, but stand in what may: an address, ``(compatible; …)``, ``Google-…``."""


def tells(word: bytes) -> bool:
    """Whether ``word`` says that a program speaks, or may say so in its place."""
    return word in _ASKING or word in _PAIRS or (len(word) > 2 and _TELLING.search(word[-_LONGEST_WORD:]) is not None)


def ordinary(user_agent: bytes, found: list[bytes]) -> bool:
    """Whether ``user_agent``, none of whose words tells anything, has a browser's form. Most phones end here."""
    return written_plainly(user_agent) and not DEVICES.isdisjoint(found)


def written_plainly(user_agent: bytes) -> bool:
    """What of a browser's form is not in its letters."""
    return user_agent[:13] == b"Mozilla/5.0 (" and _AT not in user_agent


def unlisted(user_agent: bytes, found: list[bytes], telling: Iterable[bytes]) -> Crawler | None:
    """A robot that only the form of ``user_agent`` declares.

    ``found`` are its words, ``telling`` those of them for which ``tells`` is true.
    """
    lowered = user_agent.translate(LOWER)
    word = _telling_word(lowered, found, telling) if telling else None
    if word is not None:
        return _crawler(_around(user_agent, lowered, word), found)
    complains = _complains_to(lowered) and not _is_its_makers(lowered, found)
    if complains or _says_compatible(lowered, found) or _is_no_browser(lowered, found):
        return _crawler(_first_product(user_agent), found)
    return None


def _telling_word(lowered: bytes, found: list[bytes], telling: Iterable[bytes]) -> bytes | None:
    """The first of the words that tells something in its place."""
    return next((word for word in telling if not _says_nothing_here(word, lowered, found)), None)


def _says_nothing_here(word: bytes, lowered: bytes, found: list[bytes]) -> bool:
    if word in _ASKING or (word in _PAIRS and _PAIRS[word].isdisjoint(found)):
        return True
    if word in _ADDRESSES and (_ADDRESSES[word] not in lowered or _is_its_makers(lowered, found)):
        return True
    return _is_device_or_toolbar(word, lowered, found)


def _is_device_or_toolbar(word: bytes, lowered: bytes, found: list[bytes]) -> bool:
    if word == b"research" and b"motion" in found:
        return True  # Research In Motion made the BlackBerry
    if b"http" in word and word not in _ADDRESSES and not HANDHELDS.isdisjoint(found):
        return True  # an app's library, or a telephone's way into the web
    if word.endswith(b"agent") and b"cfnetwork" in found:
        return True  # parts of Apple's systems are called agents
    if word == b"feedreader" or b"bsalsa" in found:
        return b"msie" in found  # Internet Explorer with another program in it, or in another program
    return is_device_name(word, lowered)


def is_device_name(text: bytes, lowered: bytes) -> bool:
    """Whether ``text`` stands in an Android device's name only: there are tablets called TREQ, and a tool is too."""
    return text not in _but_for_the_device(lowered)


def _complains_to(lowered: bytes) -> bool:
    """An address outside a device's name; but Internet Explorer's toolbars, and a translator, leave theirs too."""
    if _AT not in lowered and (b"; msie " in lowered or b"translate.google.com" in lowered):
        return False
    if _AT not in lowered and b".com" not in lowered and b".org" not in lowered:
        return False
    return _COMPLAINTS.search(_but_for_the_device(lowered)) is not None


def _but_for_the_device(lowered: bytes) -> bytes:
    """A User-Agent without what comes before an Android device's engine, and without what an app says of it again."""
    engine = lowered.find(_ENGINE)
    if engine <= 0 or lowered.find(b"android", 0, engine) < 0:
        return lowered
    rest = lowered[engine:]
    app = rest.find(_APP)
    start = rest.find(b"(", app)
    end = rest.find(b")", start)
    return rest[:start] + rest[end:] if 0 <= app < start < end else rest


def _is_its_makers(lowered: bytes, found: list[bytes]) -> bool:
    """Whether a web address is that of a browser's maker, of a toolbar's, or of whoever changed a telephone's browser.

    A browser that few use gives its home page, as software did before there were robots. Robots write a ``+`` before
    the one to complain to, or give an e-mail address too.
    """
    if b"+http" in lowered:
        return False
    if _AT in lowered:
        return _is_its_owners(lowered, found)
    if b"midp" in found or lowered[11:].startswith(b" (compatible; msie ") or _shows(found):
        return True
    firefox = lowered.find(_FIREFOX)
    if firefox > 0 and lowered.startswith(_EXTENSIBLE, firefox + len(_FIREFOX)):
        return True
    return not lowered.startswith(b"mozilla/") and not BROWSERS.isdisjoint(words(lowered[: lowered.find(b"/")]))


def _is_its_owners(lowered: bytes, found: list[bytes]) -> bool:
    """Whether an e-mail address is that of whose telephone an app runs on: no home page, no browser's form."""
    return not (lowered.startswith(b"mozilla/") or HANDHELDS.isdisjoint(found) or b"http" in lowered)


def _says_compatible(lowered: bytes, found: list[bytes]) -> bool:
    """``(compatible; Name/1.0)`` or ``like Gecko; Name``: the forms in which robots introduce themselves.

    Telephones that run Java (``Profile/MIDP-2.0``) introduce their software so too.
    """
    if b"(khtml, like gecko; " in lowered or (b"google-" in lowered and _GOOGLES.search(lowered)):
        return True
    if b"compatible;" not in lowered or b"midp" in found:
        return False
    said = _COMPATIBLE.search(lowered)
    return said is not None and _is_no_browsers(said[1])


def _is_no_browsers(name: bytes) -> bool:
    """Whether a name is a robot's; a set-top box's is none: ``(compatible; Netbox/3.5 R92; Linux 2.2)``."""
    return name not in _BROWSERS_TOO and name not in DEVICES and not name.endswith(b"box")


def _is_no_browser(lowered: bytes, found: list[bytes]) -> bool:
    """No engine and no device named; or neither version nor comment, and nothing that is held in a hand.

    Telephones and televisions may say their model and no more; on a desk no browser does.
    """
    bare = b"/" not in lowered and b"(" not in lowered and b"[" not in lowered
    if not (HANDHELDS if bare else DEVICES).isdisjoint(found):
        return not bare and not lowered.startswith(b"mozilla/") and _wraps_a_desktop_browser(lowered)
    if _NETSCAPE.match(lowered) and b"compatible" not in lowered:
        return False
    if bare and not BROWSERS.isdisjoint(found[:1]):
        return False  # ``Midori 0.1.10``: nobody poses as one of these
    return bool(lowered.strip()) and not _begins_with_a_model(lowered) and not _shows(found)


def _begins_with_a_model(lowered: bytes) -> bool:
    """``SAMSUNG-SGH-E250``, ``Mozilla/4.0 SonyEricssonK850i``; and a browser in a terminal that says no more either."""
    if lowered.startswith(b"mozilla/"):
        lowered = lowered.partition(b" ")[2]
    return lowered.startswith((b"w3m/", *_MODELS)) or _NUMBERED.match(lowered) is not None


def _shows(found: list[bytes]) -> bool:
    """Whether a program says that it shows something to somebody."""
    if b"ce" in found and b"html" in found:
        return True  # CE-HTML (CEA-2014): what televisions and set-top boxes show
    return any(word.endswith(_SHOWING) for word in found) or _INTERNET_EXPLORER.issubset(found)


def _wraps_a_desktop_browser(lowered: bytes) -> bool:
    """``Foo/1.0 Mozilla/5.0 (Windows …)``: a program that put its name before the browser it plays.

    Apps on telephones and televisions do so too, with a person behind them.
    """
    at = lowered.find(b"mozilla/5.0 (")
    desktop = b"/" in lowered[: max(at, 0)] and lowered[at + 13 :].startswith((b"windows nt", b"macintosh", b"x11"))
    return desktop and DEVICES.isdisjoint(words(lowered[:at]))


def _around(user_agent: bytes, lowered: bytes, word: bytes) -> bytes:
    """The product whose name holds ``word``; for an address, the product that gives it."""
    if word in _ADDRESSES:
        return _first_product(user_agent)
    at = lowered.find(word)
    return next((m.group() for m in _PRODUCT.finditer(user_agent) if m.start() <= at < m.end()), word)


def _first_product(user_agent: bytes) -> bytes:
    """The first name that is not a browser's: ``Foo`` of ``Mozilla/5.0 (compatible; Foo/1.0)``."""
    names = (m.group() for m in islice(_PRODUCT.finditer(user_agent), _MOST_NAMES))
    return next((name for name in names if not _NO_NAMES.issuperset(words(name.lower()))), b"unnamed")


def _crawler(name: bytes, found: list[bytes]) -> Crawler:
    unusual = b" ".join(word for word in found if word not in PLAIN)
    purpose = next((purpose for sign, purpose in _GUESSES if sign.search(unusual)), Purpose.TOOL)
    text = name[:64].decode("latin-1")
    return Crawler(name=text, token=text, operator="", purpose=purpose)
