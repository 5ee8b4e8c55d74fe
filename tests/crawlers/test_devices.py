"""Devices and apps whose names sound like a robot's: a reader holds them, in whichever browser.

Strategy: every name in every form that browsers, views inside apps and televisions write, against the same name said
by a program of itself. So a rule that learns one name, or one form, does not pass.
"""

from __future__ import annotations

from itertools import product

import pytest

from contentguard.crawlers import CATALOGUE
from contentguard.model import Purpose

DEVICES = (
    "CUBOT_X18_Plus",
    "CUBOT KINGKONG 9",
    "B BOT 50",
    "M bot 51",
    "IDbot553PLUS",
    "iBot Max",
    "XBot Junior",
    "GLX Spider1S",
    "Spider-7",
    "Crawler X2",
    "ScraperPhone 5",
    "Fetch TV Mighty",
    "Monitor 24",
    "Archive One",
    "httpHone 3",
    "Wget 10",
    "Ruby 7",
    "PHP110",
    "Agent 18Q Superagent",
    "Survey Duo",
    "Scanner ST50",
    "Grabber G1",
    "TREQ_A10_Pocket2",
    "Research 2",
    "RSS Reader 7",
    "curl 4G",
    "SEO 3",
    "Novo 7 (TabletWarehouse.com)",
)
ENGINE = "AppleWebKit/537.36 (KHTML, like Gecko) "
ANDROID = "Mozilla/5.0 (Linux; Android 13; {0} Build/TP1A.220624.014) " + ENGINE
VIEW = "Mozilla/5.0 (Linux; Android 13; {0} Build/TP1A.220624.014; wv) " + ENGINE + "Version/4.0 "
CHROME, MOBILE = "Chrome/140.0.0.0 ", "Chrome/140.0.0.0 Mobile Safari/537.36"
FORMS = (
    "Mozilla/5.0 (Linux; Android 13; {0}) " + ENGINE + MOBILE,
    ANDROID + MOBILE,
    ANDROID + MOBILE + " OPR/80.0.0.0",
    ANDROID + MOBILE + " EdgA/140.0.0.0",
    ANDROID + CHROME + "YaBrowser/25.1.0.0 Mobile Safari/537.36",
    ANDROID + "SamsungBrowser/28.0 " + MOBILE,
    ANDROID + CHROME + "Safari/537.36",
    VIEW + MOBILE,
    VIEW + MOBILE + " [FB_IAB/FB4A;FBAV/450.0.0.40.109;IABMV/1;]",
    VIEW + MOBILE + " Instagram 333.0.0.42.91 Android (33/13; 480dpi; 1080x2190; maker; {0}; code; mt6789; de_DE; 1)",
    VIEW + MOBILE + " musical_ly_2023 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly",
    VIEW + MOBILE + " GSA/15.0.0",
    "Mozilla/5.0 (Linux; U; Android 4.2.2; de-de; {0} Build/JDQ39) AppleWebKit/534.30 (KHTML, like Gecko) "
    "Version/4.0 Mobile Safari/534.30",
    "Mozilla/5.0 (Linux; U; Android 8.0; en-US; {0} Build/O11019) " + ENGINE
    + "Version/4.0 Chrome/57.0.2987.108 UCBrowser/12.9.5.1146 Mobile Safari/537.36",
    "TV Bro/1.0 " + VIEW + CHROME + "Safari/537.36",
    "com.example.reader/2.2.0(220) " + VIEW + MOBILE,
)  # fmt: skip
FIREFOX = "Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US; rv:1.9.0.8) Gecko/2009032609 Firefox/{}"
PROGRAMS = ("ZqxBot/1.0", "ZqxCrawler", "Zqx-spider/2", "Zqxscraper/1", "ZqxFetcher/3", "+https://zqx.example/bot")


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_is_no_robot_whatever_it_is_called(device: str) -> None:
    taken = {form: robot for form in FORMS if (robot := CATALOGUE.match(form.format(device).encode())) is not None}
    assert not taken


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_one_whatever_it_poses_with(program: str) -> None:
    for device, form in product(("SM-S921B", *DEVICES[:8]), FORMS):
        posing = f"{form.format(device)} ({program})"
        assert CATALOGUE.match(posing.encode()) is not None, posing


@pytest.mark.parametrize("name", ["Googlebot", "bingbot", "GPTBot", "AhrefsBot"])
def test_the_name_of_a_robot_of_the_catalogue_names_no_device(name: str) -> None:
    """Who calls a device so is taken at the word."""
    robot = CATALOGUE.match((ANDROID.format(name) + MOBILE).encode())
    assert robot is not None
    assert robot.purpose is not Purpose.TOOL


def test_an_app_that_says_on_which_telephone_it_runs_shows_no_preview() -> None:
    assert CATALOGUE.match(b"WhatsApp/2.18.79 Android/5.1 Device/Meizu-MX5") is None
    preview = CATALOGUE.match(b"WhatsApp/2.18.79 A")
    assert preview is not None
    assert preview.purpose is Purpose.LINK_PREVIEW


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/4.7 [en] (X11; I; ZQX-UX B.10.20 9000/782)",
        "Mozilla/4.76C-CCK-MCD [en] (X11; U; ZQX 4.3)",
        "Mozilla/3.0 (ZqxPassport/3.15; ZQX/VF.NET)",
        "Mozilla/3.0 ZQX (ZqxFront/2.6 WebLight) WL/3.0",
        "MobileExplorer/3.00 (Mozilla/1.22; compatible; MMEF300; Zqx; Gamma)",
        "Mozilla/4.0 (compatible; Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; ZQX6); Windows NT 5.1; ZQX)",
        "Mozilla/5.0 (compatible; OmniWeb/5.1.1; Mac_PowerPC)",
        "Mozilla/5.0 (Windows; U; Windows NT 6.1; rv:1.9.3a1) Gecko/20100208 MozillaDeveloperPreview/3.7a1",
        "com.example.ZqxServicesAgent/8623.2.7.10.4 CFNetwork/3860.400.51 Darwin/25.3.0",
        '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_12_6) ' + ENGINE + CHROME + 'Safari/537.36"',
        "Mozilla/5.0 (Linux; Linux mips; Enseo/HD1000) AppleWebKit/537.36 (KHTML, like Gecko) Safari/537.36",
        "(Android)(15)(zqx.reader@mail.example)(HTC Zqx C)(zqxnews)(com.example.zqx)",
        "ZqxNet/1.5.0(android:2.3.5;device_brand:htc;google_account:zqx@mail.example.com;game_name:Z)",
        "zqxHttp/0.1.501 (Android OS; ZQX9191 ; 2.3.5; de_DE; 800x480) gzip",
        "Zqx4Application libzqxhttp/1.000 (PlayStation 4)",
        "Zqx;1.9;WindowsPhone;8.0.10517.0;867_apac",
        "ZqxLinemode/2.12",
        "Zqxwatch4,3/5.3.8 (16U680)",
        "Mozilla/5.0 (compatible; ZqxBox/3.5 R92; Linux 2.2)",
        "Zqx/2.16 (Slackware 7.3; es_PR;)",
        FIREFOX.format("3.0.5, Zqx.com Toolbar 1.3"),
        FIREFOX.format("2.0.0.9 ZqxPager/0.5 (http://www.zqx.example/)"),
        FIREFOX.format("3.5.7 (Zqx-Shop.com)"),
    ],
)  # fmt: skip
def test_old_and_rare_browsers(agent: str) -> None:
    assert CATALOGUE.match(agent.encode()) is None


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/3.0 (compatible; Zqx Library)",
        "Mozilla/2.0 (compatible; Zqx/1.0)",
        "Mozilla/3.0 (ZqxBot/1.0)",
        "ZqxDog/1.00 [en] (X11; I; Zqx 2.59)",
        "ZqxServicesAgent/8623.2.7",
        "Zqx-Link-Preview/1.0",
        "Zqx/1.0 (linux; zqx.reader@mail.example)",
        "Zqx/1.0 (android; http://zqx.example/; zqx@zqx.example)",
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) (zqx@zqx.example)",
        "zqxHttp/0.1.501 (Linux; x86_64)",
        "Zqx4,3",
        "Mozilla/5.0 (compatible; Zqx/3.5 R92; Linux 2.2)",
        FIREFOX.format("128.0, Zqx.com Toolbar 1.3"),
        FIREFOX.format("3.0.5 (+http://www.zqx.example/)"),
        FIREFOX.format("3.0.5 (zqx@zqx.example)"),
        FIREFOX.format("3.0.5 ZqxBot/1.0"),
        'Mozilla/5.0 <a href="http://zqx.example/view">tv</a> (Windows NT 5.1; U; en) Presto/2.10.229 Version/11.60',
        "zqx/17.5.3 (linux/amd64) kubernetes/0ed3388",
        "zqx/6.14 node/v10.24.1 linux x64",
    ],
)
def test_what_only_looks_so(agent: str) -> None:
    assert CATALOGUE.match(agent.encode()) is not None
