"""What a User-Agent claims: engine, version, system, and whether it is the engine's own browser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.detect.agent import LIMIT, Agent, parse

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "

CLAIMS = [
    (WINDOWS + "Chrome/156.0.0.0 Safari/537.36", Agent("chromium", 156, 0, "windows", plain=True)),
    (WINDOWS + "Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0", Agent("chromium", 147, 0, "windows", plain=True)),
    (WINDOWS + "Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0", Agent("chromium", 140, 0, "windows", plain=True)),
    (ANDROID + "Chrome/131.0.0.0 Mobile Safari/537.36", Agent("chromium", 131, 0, "android", True, plain=True)),
    (
        ANDROID.replace("; K", "; Pixel 6; wv") + "Version/4.0 Chrome/131.0.0.0 Mobile Safari/537.36",
        Agent("chromium", 131, 0, "android", True),
    ),
    (ANDROID + "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", Agent("chromium", 130, 0, "android", True)),
    (
        WINDOWS + "Trae/1.107.1 Chrome/142.0.7444.235 Electron/39.2.7 Safari/537.36",
        Agent("chromium", 142, 0, "windows"),
    ),
    (WINDOWS + "HeadlessChrome/156.0.0.0 Safari/537.36", Agent("chromium", 156, 0, "windows", False, True, True)),
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
        Agent("firefox", 153, 0, "linux", plain=True),
    ),
    (
        "Mozilla/5.0 (Android 14; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0",
        Agent("firefox", 150, 0, "android", True, plain=True),
    ),
    (IPHONE + "Version/17.4 Mobile/15E148 Safari/604.1", Agent("webkit", 17, 4, "ios", True, plain=True)),
    (IPHONE + "CriOS/154.0.8037.55 Mobile/15E148 Safari/604.1", Agent("webkit", 17, 4, "ios", True)),
    (IPHONE + "Mobile/15E148 Instagram 350.0.0.12", Agent("webkit", 17, 4, "ios", True)),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.3 "
        "Safari/605.1.15",
        Agent("webkit", 16, 3, "macos", plain=True),
    ),
    ("Lynx/2.9.0dev.12 libwww-FM/2.14", Agent("text", browser=False)),
    ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", Agent("other", system="windows")),
    ("python-requests/2.34.2", Agent("other", browser=False)),
    ("", Agent()),
    ("Mozilla/5.0 Chrome/120.0.0.0", Agent("other", malformed=True)),
    ("Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0", Agent("other", system="linux", malformed=True)),
]


@pytest.mark.parametrize(("text", "claim"), CLAIMS, ids=[text[-40:] for text, _ in CLAIMS])
def test_claims(text: str, claim: Agent) -> None:
    assert parse(text.encode()) == claim


@pytest.mark.parametrize(
    ("text", "outdated"),
    [(WINDOWS + "Chrome/60.0.0.0 Safari/537.36", True), (CLAIMS[0][0], False), ("Opera/9.80 (Windows NT 5.1)", True)],
)
def test_who_is_outdated(text: str, outdated: bool) -> None:
    assert parse(text.encode()).outdated is outdated


@given(st.binary(max_size=2 * LIMIT))
def test_any_bytes_give_a_claim(text: bytes) -> None:
    agent = parse(text)
    assert agent == parse(text[:LIMIT])
    assert 0 <= agent.major < 10000
