"""Who is recognised, who is not, and what it may cost."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.crawlers import CATALOGUE, Catalogue
from contentguard.crawlers.catalogue import FORMS, LEARNED, LEARNED_LENGTH, REMEMBERED, _Token
from contentguard.crawlers.words import LETTERS, LIMIT, PLAIN
from contentguard.data import crawlers
from contentguard.model import Crawler, Purpose
from tests.crawlers.__main__ import main

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) "
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + WEBKIT + "Chrome/140.0.0.0 Safari/537.36"
ANDROID = "Mozilla/5.0 (Linux; Android 13; {}) " + WEBKIT + "Chrome/140.0.0.0 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "

NAMED = [
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot", Purpose.SEARCH),
    ("Googlebot-Image/1.0", "Googlebot-Image", Purpose.SEARCH),
    ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bingbot", Purpose.SEARCH),
    (IPHONE + "Version/18.0 Mobile/15E148 Safari/604.1 (Applebot/0.1)", "Applebot", Purpose.SEARCH),
    ("Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/)", "Slurp", Purpose.SEARCH),
    ("Mozilla/5.0 (compatible; Yeti/1.1; +http://naver.me/spd)", "Yeti", Purpose.SEARCH),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "GPTBot",
        Purpose.AI_TRAINING,
    ),
    ("Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "ClaudeBot", Purpose.AI_TRAINING),
    ("CCBot/2.0 (https://commoncrawl.org/faq/)", "CCBot", Purpose.AI_TRAINING),
    ("meta-externalagent/1.1", "meta-externalagent", Purpose.AI_TRAINING),
    (
        "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36"
        " (compatible; Bytespider; spider-feedback@bytedance.com)",
        "Bytespider",
        Purpose.AI_TRAINING,
    ),
    (
        "Mozilla/5.0 (compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot)",
        "OAI-SearchBot",
        Purpose.AI_SEARCH,
    ),
    ("PerplexityBot/1.0", "PerplexityBot", Purpose.AI_SEARCH),
    (
        "Mozilla/5.0 (compatible; ChatGPT-User/1.0; +https://openai.com/bot)",
        "ChatGPT-User",
        Purpose.USER_FETCH,
    ),
    ("Perplexity-User/1.0", "Perplexity-User", Purpose.USER_FETCH),
    (
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "facebookexternalhit",
        Purpose.LINK_PREVIEW,
    ),
    ("WhatsApp/2.23.20.0 A", "WhatsApp", Purpose.LINK_PREVIEW),
    ("TelegramBot (like TwitterBot)", "TelegramBot", Purpose.LINK_PREVIEW),
    (
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Slackbot-LinkExpanding",
        Purpose.LINK_PREVIEW,
    ),
    ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "Discordbot", Purpose.LINK_PREVIEW),
    (
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "LinkedInBot",
        Purpose.LINK_PREVIEW,
    ),
    ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 3 subscribers)", "Feedly", Purpose.FEED),
    ("NetNewsWire (RSS Reader; https://netnewswire.com/)", "NetNewsWire", Purpose.FEED),
    (
        "Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)",
        "archive.org_bot",
        Purpose.ARCHIVE,
    ),
    ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "AhrefsBot", Purpose.SEO),
    ("Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)", "MJ12bot", Purpose.SEO),
    ("Screaming Frog SEO Spider/19.0", "Screaming Frog SEO Spider", Purpose.SEO),
    (
        "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
        "UptimeRobot",
        Purpose.MONITORING,
    ),
    ("curl/8.5.0", "curl", Purpose.TOOL),
    ("Wget/1.21.4", "Wget", Purpose.TOOL),
    ("python-requests/2.32.3", "python-requests", Purpose.TOOL),
    ("python-httpx/0.28.1", "python-httpx", Purpose.TOOL),
    ("Python/3.11 aiohttp/3.9.1", "aiohttp", Purpose.TOOL),
    ("Python-urllib/3.11", "Python-urllib", Purpose.TOOL),
    ("Scrapy/2.12.0 (+https://scrapy.org)", "Scrapy", Purpose.TOOL),
    ("Go-http-client/2.0", "Go-http-client", Purpose.TOOL),
    ("okhttp/4.12.0", "okhttp", Purpose.TOOL),
    ("Java/17.0.2", "Java", Purpose.TOOL),
    ("Apache-HttpClient/4.5.14 (Java/17.0.2)", "Apache-HttpClient", Purpose.TOOL),
    ("axios/1.7.2", "axios", Purpose.TOOL),
    ("node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "node-fetch", Purpose.TOOL),
    ("node", "node", Purpose.TOOL),
    ("undici", "undici", Purpose.TOOL),
    ("got (https://github.com/sindresorhus/got)", "got (sindresorhus)", Purpose.TOOL),
    ("Mozilla/5.0libwww-perl/5.826", "libwww-perl", Purpose.TOOL),
    ("Mozilla/4.5 (compatible; HTTrack 3.0x; Windows 98)", "HTTrack", Purpose.TOOL),
    ("newspaper/0.2.8", "newspaper", Purpose.TOOL),
    ("colly - https://github.com/gocolly/colly", "colly", Purpose.TOOL),
    (CHROME.replace("Chrome/", "HeadlessChrome/"), "HeadlessChrome", Purpose.TOOL),
    (
        "Mozilla/5.0 (Unknown; Linux x86_64) " + WEBKIT + "PhantomJS/2.1.1 Safari/538.1",
        "PhantomJS",
        Purpose.TOOL,
    ),
    ("Lightpanda/1.0", "Lightpanda", Purpose.TOOL),
]
UNLISTED = [
    ("ZqxBot/1.0", "ZqxBot", Purpose.TOOL),
    ("Mozilla/5.0 (compatible; Zqxsearch/2.1)", "Zqxsearch", Purpose.TOOL),
    (CHROME + " (+https://zqx.example/about)", "zqx.example", Purpose.TOOL),
    ("ZqxFeedParser/1.0 (Linux)", "ZqxFeedParser", Purpose.FEED),
    ("ZqxMonitor/3 (Linux)", "ZqxMonitor", Purpose.MONITORING),
    ("zqx/0.1", "zqx", Purpose.TOOL),
    ("Zqx/1.0 " + CHROME, "Zqx", Purpose.TOOL),
    ("12345", "unnamed", Purpose.TOOL),
    (ANDROID.format("Pixel 9") + " ZqxBot/1", "ZqxBot", Purpose.TOOL),
    (CHROME.replace("Gecko)", "Gecko; compatible; Zqx-Display)"), "Zqx-Display", Purpose.TOOL),
    ("Mozilla/5.0 (compatible; Google-Zqx-Links)", "Google-Zqx-Links", Purpose.TOOL),
    ("Zqx 2.4 (rss reader)", "reader", Purpose.FEED),
    ("Zqx http client/11.2 (Android)", "client", Purpose.TOOL),
    ("Mozilla/5.0 (compatible; Zqx Browser; +https://zqx.example/)", "Zqx", Purpose.TOOL),
    ("Zqx Browser/1.0 (admin@zqx.example)", "Zqx", Purpose.TOOL),
    ("Zqx-X1 UP.Browser/6.2 (GUI) MMP/2.0 (compatible; zqx/mobile; +http://zqx.example/)", "Zqx-X1", Purpose.TOOL),
    ("Zqx Windows Diagnostics", "Zqx", Purpose.TOOL),
    ("firefox", "unnamed", Purpose.TOOL),
]
BROWSERS = [
    CHROME,
    CHROME + " Edg/140.0.0.0",
    CHROME + " OPR/120.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " + WEBKIT + "Version/18.5 Safari/605.1.15",
    ANDROID.format("K"),
    ANDROID.format("CUBOT NOTE 20"),
    ANDROID.format("CUBOT_X18_Plus Build/O11019; wv"),
    ANDROID.format("SM-S921B Build/UP1A.231005.007; wv") + " [FB_IAB/FB4A;FBAV/450.0.0.40.109;]",
    ANDROID.format("moto g(50) 5G Build/S1RSS32.38-20-9-13; wv") + " Instagram 333.0.0.42.91 Android (31/12; moto)",
    ANDROID.format("Pixel 9") + " DuckDuckGo/5",
    ANDROID.format("M bot 51"),
    ANDROID.format("IDbot553PLUS Build/MRA58K"),
    ANDROID.format("XBot Junior"),
    ANDROID.format("PHP110"),
    ANDROID.format("HTC_Ruby Build/IML74K"),
    ANDROID.format("TREQ_A10_Pocket2 Build/IML74K"),
    ANDROID.format("Novo 7 (TabletWarehouse.com) Build/IML74K"),
    "TV Bro/1.0 " + ANDROID.format("KIVI 2K Android TV Build/PTO6.200622.002; wv"),
    "MQQBrowser/5.2/" + ANDROID.format("SM-G3568V Build/KOT49H"),
    "com.example.reader/2.2.0(220) " + ANDROID.format("MI 2A Build/JRO03L"),
    "dv(iPh10,1);pr(UCBrowser/11.3.5.1203);ov(15_5);ss(375x667);bt(GJ);pm(0);",
    ANDROID.format("M2101K6G") + " CamScanner/6.5.0",
    ANDROID.format("AFTKA Build/PS7633; wv").replace("Mobile", "Silk/120.1 like Chrome"),
    IPHONE + "Mobile/15E148 [LinkedInApp]/9.30",
    IPHONE + "Mobile/15E148 [Pinterest/iOS]",
    IPHONE + "Mobile/15E148 Twitter for iPhone/10.1",
    IPHONE + "GSA/330.0 Mobile/15E148 Safari/604.1",
    IPHONE + "Mobile/15E148 MicroMessenger/8.0.49 NetType/WIFI Language/zh_CN",
    "[FBAN/FB4A;FBAV/567.1.0.52.74;FBPN/com.facebook.katana;FBDV/SM-S921B;FBSV/16;]",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) " + WEBKIT + "SamsungBrowser/4.0 TV Safari/537.36",
    "Mozilla/5.0 (Web0S; Linux/SmartTV) " + WEBKIT + "Chrome/108.0.0.0 Safari/537.36 WebAppManager",
    "HbbTV/1.1.1 (;;;;;) Maple_2011",
    "HbbTV/1.1.1 (+PVR;Humax;iCord HD+;1.01.17;1.0)CE-HTML/1.0 ANTGalio/3.1.1.23.04",
    "VIZIO V655-J09 ViziOS/1.4.512.847.1 WatchFree/24.06.13.2",
    "SAMSUNG-SGH-J630",
    "NOKIA-3105",
    "LG-GU280f",
    "LAVA.DISCOVER136.R016_V01 (MRE/3.1.00(2048);MAUI/Discover136;WAP Browser/MAUI (HTTP PGDL;HTTPS);GMOBI/001)",
    "iPhone14Pro",
    "iPodTouch7",
    # Devices that are held in a hand say no more than that; or it is the program that shows something.
    "Zqx G4040 WAP Browser",
    "Zqx Browser",
    "Zqx Internet Explorer/0.6",
    "Zqx WebExplorer /v0.94",
    "Zqx 28 Internet Tablet",
    "Zqx Sensation; htc; 4.0.3",
    "Mozilla/4.0 SonyEricssonZqx850iv/R1CA",
    "Mozilla/4.08 (PDA; Zqx-C1000/1.0) NetFront/3.1",
    "Mozilla/4.0 (Zqx PM-8200/US/1.0) NetFront/3.x MMP/2.0",
    "Mozilla/4.08 (Zqx; Inferno)",
    # What stands in the comment is software of the device's.
    "Mozilla/5.0 (compatible; OSS/1.0; Zqx; Linux) MOT-E8/R6713 Profile/MIDP-2.0 Configuration/CLDC-1.1",
    "Opera/9.80 (Linux armv7l; U; (ZqxPlayer; ZQ7G/1.0; like Gecko; Opera/10.30); en) Presto/2.10.250 Version/11.60",
    "Mozilla/4.0 (compatible; Gecko/20041115) Maple 5.0.0 Navi",
    # Addresses of browsers' makers, of toolbars', and of shops whose app it is.
    CHROME + " Zqx.com Mobile Browser",
    "Mozilla/5.0 (Windows; U; Windows NT 5.1) AppleWebKit/527+ (KHTML, like Gecko) Zqx Browser/1.7 http://www.zqx.example",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Zqx 3.0 - http://www.zqx.example; SLCC2)",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/4.2.14912Mod.By.www.zqx.example/22.387; U; en) Presto/2.5.25 Version/10.54",
    "Zqx.com/24.12.6.100 (Android/10/JNY-LX1)",
    "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; StumbleUpon.com 1.910; SV1; .NET CLR 1.1.4322)",
    "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1),gzip(gfe) (via translate.google.com)",
    "Roku4640X/DVP-7.70 (297.70E04154A)",
    "Mozilla/5.0 (PlayStation; PlayStation 5/8.00) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Mozilla/5.0 (X11; Linux armv7l like Android) AppleWebKit/537.36 (KHTML, like Gecko) Kindle/3.0+",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; .NET CLR 3.5.30729)",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0; Touch)",
    "Mozilla/5.0 (compatible; Konqueror/4.5; Linux) KHTML/4.5.4 (like Gecko)",
    "Mozilla/3.0 (compatible; NetPositive/2.2.1; BeOS)",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80; U; en) Presto/2.5.25 Version/10.54",
    "NokiaC2-00/2.0 (03.45) Profile/MIDP-2.1 Configuration/CLDC-1.1 Mozilla/5.0 (Java; U; kau) UCBrowser8.3",
    "BlackBerry9630/4.2.0.284 Profile/MIDP-2.0 Configuration/CLDC-1.1/UC Browser7.8.0.95/160/352",
    "SAMSUNG-SGH-E250/1.0 Profile/MIDP-2.0 Configuration/CLDC-1.1 UP.Browser/6.2.3.3.c.1.101 (GUI) MMP/2.0",
    "DoCoMo/2.0 P903i(c100;TB;W24H12)",
    "Lynx/2.9.0 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/3.0.2",
    "w3m/0.5.3+git20230121",
    "Links (2.29; Linux 6.1.0 x86_64; GNU C 12.2; text)",
    "ELinks/0.16.1.1 (textmode; Linux; 80x24-2)",
    "Dillo/3.1.1",
    "NetSurf/3.11 (Linux)",
    "ExampleApp/1 CFNetwork/808.3 Darwin/16.3.0",
    "ExampleApp/1.0 (Linux; Android 14) okhttp/4.12.0",
    "RadiosNet/2.8.0 (Java; Android)",
    CHROME.replace("Safari", "curly/1.0 JavaScript/2 Safari"),
    "",
    "   ",
]


@pytest.mark.parametrize(("agent", "name", "purpose"), NAMED + UNLISTED)
def test_robots_and_tools(agent: str, name: str, purpose: Purpose) -> None:
    found = CATALOGUE.match(agent.encode())
    assert found is not None
    assert (found.name, found.purpose) == (name, purpose)


@pytest.mark.parametrize("agent", BROWSERS)
def test_browsers(agent: str) -> None:
    assert CATALOGUE.match(agent.encode()) is None


@pytest.mark.parametrize(
    "agent",
    [
        "Surf/0.4.1 (X11; U; Unix; en-US) AppleWebKit/531.2+ Compatible (Safari)",
        "xChaos_Arachne/4.1.71;UE01 (DOS x86;WATTCP/1.05; 640x480,16c; www.arachne.cz)",
        "ELinks/0.13 (http://elinks.cz; textmode)",
        "Midori 0.1.10",
        "UID(00:09:df:01:c0:c1/MB70/TECHWOOD/0.11.14)+CE-HTML",
    ],
)
def test_browsers_that_few_use_and_televisions(agent: str) -> None:
    """Their home pages are no address to complain to, and CE-HTML (CEA-2014) is what televisions show."""
    assert CATALOGUE.match(agent.encode()) is None


@pytest.mark.parametrize(
    "agent", ["surf/2.3.2", "links checker", "xBot/1.0 (www.arachne.cz)", "Dillo/3 (+http://x.example)", "Chrome 52"]
)
def test_what_only_looks_like_them(agent: str) -> None:
    assert CATALOGUE.match(agent.encode()) is not None


def test_every_token_finds_its_crawler() -> None:
    catalogue = Catalogue(crawlers())
    for crawler in crawlers():
        bare = crawler.token.removeprefix("^").removesuffix("$")
        found = catalogue.match(f"{bare}".encode())
        assert (found == crawler) is not crawler.control, (crawler, found)


def test_control_tokens_are_never_matched() -> None:
    found = CATALOGUE.match(b"Google-Extended/1.0")
    assert found is None or not found.control


def test_a_named_robot_wins_over_its_tool() -> None:
    found = CATALOGUE.match(b"Slackbot 1.0 HeadlessChrome/120.0")
    assert found is not None
    assert found.name == "Slackbot"


@given(st.binary(max_size=700))
def test_any_bytes(agent: bytes) -> None:
    upper, lower = CATALOGUE.match(agent.upper()), CATALOGUE.match(agent.lower())
    assert (upper is None) == (lower is None)
    if upper is not None and lower is not None:
        assert (upper.name.lower(), upper.purpose) == (lower.name.lower(), lower.purpose)


JUNK = st.text(alphabet=" ;()/,0123456789", max_size=40)


@given(st.sampled_from(["GPTBot", "AhrefsBot", "curl", "Googlebot", "facebookexternalhit"]), JUNK, JUNK)
def test_junk_hides_no_token(token: str, before: str, after: str) -> None:
    found = CATALOGUE.match(f"{before}{token}{after}".encode())
    assert found is not None
    assert found.name == token


def test_only_the_beginning_is_read() -> None:
    assert CATALOGUE.match(CHROME.encode().ljust(LIMIT) + b"GPTBot/1.0") is None


def test_of_a_word_longer_than_words_are_its_end_is_read() -> None:
    end = CATALOGUE.match(b"q" * 400 + b"qxbot/1.0")
    assert end is not None
    assert end.purpose is Purpose.TOOL
    assert CATALOGUE.match(b"Mozilla/5.0 (X11; Linux x86_64) bot" + b"q" * 200 + b" Firefox/140.0") is None


def test_of_many_products_the_first_are_looked_at_for_a_name() -> None:
    few = CATALOGUE.match(b"x/1 " * 10 + b"Frobnicator/1")
    many = CATALOGUE.match(b"x/1 " * 60 + b"Frobnicator/1")
    assert few is not None
    assert few.name == "Frobnicator"
    assert many is not None
    assert many.name == "unnamed"


def test_the_memory_of_answers_is_bounded() -> None:
    catalogue = Catalogue(crawlers()[:10])
    for number in range(2 * REMEMBERED):
        catalogue.match(b"x" * 600 + b"%d" % number)
        catalogue.match(b"%d" % number)
    assert catalogue._recall.cache_info().currsize <= REMEMBERED


def test_the_memory_of_words_is_bounded_and_forgets_no_token() -> None:
    catalogue = Catalogue(crawlers()[:10])
    words = ("".join(letters) for letters in product("bcdfghjkmnpqrstvwxz", repeat=4))
    for number, word in enumerate(words):
        catalogue.match(f"Mozilla/5.0 (Linux; Android 9; {word} {word * 7}) AppleWebKit/537.36".encode())
        if number > 2 * LEARNED:
            break
    assert len(catalogue._meanings) + len(catalogue._silent) <= LEARNED + len(catalogue._anchors) + len(PLAIN)
    assert max(map(len, catalogue._silent)) <= LEARNED_LENGTH
    found = catalogue.match(b"Googlebot/2.1")
    assert found is not None
    assert found.name == "Googlebot"


def test_the_memory_of_letters_is_bounded_and_holds_for_no_other_form() -> None:
    catalogue = Catalogue(crawlers()[:10])
    for number, letters in enumerate(product("abcdefghijklm", repeat=3)):
        device = " ".join(letters)
        assert catalogue.match(f"Mozilla/5.0 (Linux; Android {number}; {device}) AppleWebKit/537.36".encode()) is None
        assert 0 < len(catalogue._nobody) <= FORMS
    known = CHROME.encode()
    assert catalogue.match(known) is None
    for other in (known.replace(b"5.0 (", b"5.00(", 1), known.replace(b"; ", b"@ ", 1)):
        assert other.translate(LETTERS) in catalogue._nobody
        assert catalogue.match(other) == Catalogue(crawlers()[:10]).match(other)


@given(st.lists(st.sampled_from([*BROWSERS, *(agent for agent, _, _ in NAMED + UNLISTED)]), max_size=12), st.data())
def test_an_answer_depends_on_no_earlier_one(agents: list[str], data: st.DataObject) -> None:
    """Words that are remembered as telling nothing must not open a way past the rules for robots."""
    taught = Catalogue(FEW)
    for agent in agents:
        taught.match(agent.encode())
    asked = data.draw(st.sampled_from([agent for agent, _, _ in UNLISTED] + BROWSERS)).encode()
    assert taught.match(asked) == Catalogue(FEW).match(asked)


FEW = crawlers()[:5]


def test_the_work_does_not_grow_with_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[_Token] = []
    stands_in = _Token.stands_in

    def counted(token: _Token, text: bytes) -> bool:
        looked.append(token)
        return stands_in(token, text)

    monkeypatch.setattr(_Token, "stands_in", counted)
    for size in (100, 2000):
        made = [Crawler(f"Zqx {_letters(n)} x", f"Zqx {_letters(n)} x", "", Purpose.TOOL) for n in range(size)]
        catalogue = Catalogue(made)
        for agent in (f"Zqx {_letters(7)} x/1.0", CHROME, ANDROID.format("SM-S921B"), "Mozilla/5.0 (Zqx)"):
            looked.clear()
            catalogue.match(agent.encode())
            assert len(looked) <= 1, (size, agent)


def _letters(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number)) + "q"


def test_a_token_made_of_browser_words_is_refused() -> None:
    with pytest.raises(ValueError, match="sets it apart"):
        Catalogue([Crawler("Chrome", "Chrome/", "", Purpose.TOOL)])


def test_the_command_tells_rates_and_what_came_out_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, tuned = tmp_path / "agents.json", tmp_path / "tuned.json"
    one = {"browsers": [CHROME, CHROME, "curl/8"], "robots": ["curl/8", CHROME]}
    file.write_text(json.dumps({"one": one, "browsers": {"two": [CHROME, "curl/7"]}}), "utf-8")
    tuned.write_text(json.dumps(["curl/7"]), "utf-8")
    assert main([str(file), "--show", "1", "--without", str(tuned)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("one/browsers: 1 of 2 taken for robots, 50.000%")
    assert said[1] == "  curl | curl/8"
    assert said[2].startswith("one/robots: 1 of 2 missed")
    assert said[4].startswith("browsers/two: 0 of 1 taken for robots, 0.000%")
    assert said[5].startswith("all robots: 1 of 2 missed")
    assert said[6].startswith("all browsers: 1 of 2 taken for robots")
    assert main([str(file)]) == 0
    assert "all browsers: 2 of 3 taken for robots" in capsys.readouterr().out
