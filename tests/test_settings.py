from __future__ import annotations

from pathlib import Path

import pytest

from contentguard import Copy, Policy, Right, Settings, SettingsError, Share
from contentguard.model import Action, Purpose
from contentguard.policy import Header, Rule, Score, When
from tests.client import KEY


def faults(**values: object) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        Settings(**values)
    return {fault.where: str(fault) for fault in caught.value.faults}


def test_defaults_are_complete() -> None:
    settings = Settings()
    assert settings.copying.policy == "attribute"
    assert settings.share.targets == ("facebook", "twitter", "linkedin", "whatsapp")
    assert settings.policy.effective_rights()[Purpose.AI_TRAINING] is Right.DENY
    assert settings.keys() == ()


def test_keyword_before_environment_before_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "guard.toml"
    file.write_text(
        'site = "file"\ncontact = "file"\nlicence_url = "/file"\n[copying]\nfree_words = 3\nquote_words = 70\n'
    )
    monkeypatch.setenv("CONTENTGUARD_SETTINGS", str(file))
    monkeypatch.setenv("CONTENTGUARD_CONTACT", "environment")
    monkeypatch.setenv("CONTENTGUARD_LICENCE_URL", "/environment")
    monkeypatch.setenv("CONTENTGUARD_COPYING__FREE_WORDS", "5")
    settings = Settings(licence_url="/keyword")
    assert (settings.site, settings.contact, settings.licence_url) == ("file", "environment", "/keyword")
    assert (settings.copying.free_words, settings.copying.quote_words) == (5, 70)


def test_load_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text('site = "one"')
    other.write_text('site = "other"')
    monkeypatch.setenv("CONTENTGUARD_SETTINGS", str(one))
    assert Settings.load(other).site == "other"
    assert Settings.load().site == "one"
    assert Settings.load(str(other), site="keyword").site == "keyword"


def test_options_may_be_given_as_values() -> None:
    settings = Settings(copying=Copy(policy="quote"), share=Share(targets=("email",)))
    assert settings.copying.policy == "quote"
    assert settings.share.targets == ("email",)


def test_every_fault_is_reported_at_once() -> None:
    found = faults(
        secret_key="short",
        orign="https://news.example",
        copying={"polcy": "quote"},
        share={"targets": ["facebok"]},
        limits={"articles": "many"},
        policy={"rights": {"tool": "alow"}},
        proxies={"trusted": ["0.0.0.0/0"]},
        article={"selectors": ["p:::"]},
        licence_url="licensing",
    )
    assert len(found) == 9
    assert "'origin'" in found["orign"]
    assert "'policy'" in found["copying.polcy"]
    assert "facebook" in found["share"]
    assert "60/minute" in found["limits"]
    assert "'allow'" in found["policy.rights.tool"]
    assert "0.0.0.0/0" in found["proxies"]
    assert "p:::" in found["article"]


def test_the_message_lists_them_all() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(site=3, cache_bytes=-1)
    text = str(caught.value)
    assert text.startswith("The contentguard settings hold 2 faults:")
    assert "site: found 3; expected a valid string." in text
    assert "cache_bytes: found -1; expected greater than or equal to 0." in text


def test_a_key_is_never_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(secret_key=["short-secret", KEY])
    assert "short-secret" not in str(caught.value)
    assert "at least 16 characters" in str(caught.value)
    assert KEY not in repr(Settings(secret_key=KEY))


def test_the_key_of_akismet_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: list[object] = [
        {"key": "s3cret key"},
        {"key": ["s3cret"]},
        {"key": "s3cret", "url": "http://akismet.example"},
        {"key": "s3cret", "discord": True},
        "s3cret",
    ]
    for values in wrong:
        with pytest.raises(SettingsError) as caught:
            Settings(akismet=values)
        assert "s3cret" not in str(caught.value)
        assert "akismet" in str(caught.value)
    monkeypatch.setenv("CONTENTGUARD_AKISMET__KEY", "s3cret")
    settings = Settings(akismet={"discard": True})
    assert (settings.akismet.key, settings.akismet.discard) == ("s3cret", True)
    assert "s3cret" not in repr(settings)


def test_keys_rotate() -> None:
    assert Settings(secret_key=[KEY, "the-old-secret-key-of-the-site"]).keys()[0] == KEY.encode()
    assert Settings(secret_key=KEY).keys() == (KEY.encode(),)


def test_an_unknown_robot_names_the_nearest() -> None:
    assert "'GPTBot'" in faults(policy={"crawlers": {"GPTBoot": "allow"}})["policy.crawlers.GPTBoot"]


def test_the_faults_of_a_policy_are_reported_with_all_others() -> None:
    found = faults(
        orign="https://news.example",
        policy={
            "presett": "press",
            "rights": {"tol": "deny", "tool": "dney"},
            "crawlers": {"Googlebt": "allow"},
            "thresholds": {"suspicious": "much"},
            "shadow": ["lead-onli"],
            "rules": [
                {"name": "one", "action": "alow", "when": {"pth": "/a"}},
                {"name": "two", "action": "deny", "when": {"path": "archive/", "crawler": "GPTBoot"}},
                {"name": "two", "action": "throttle", "when": {"score": {"at_least": "suspicous"}}},
            ],
        },
    )
    assert {
        name: text.rpartition("Did you mean ")[2].rstrip("?") for name, text in found.items() if "mean" in text
    } == {
        "orign": "'origin'",
        "policy.presett": "'preset'",
        "policy.rights.tol": "'tool'",
        "policy.rights.tool": "'deny'",
        "policy.crawlers.Googlebt": "'Googlebot'",
        "policy.shadow": "'lead-only'",
        "policy.rules.0.action": "'allow'",
        "policy.rules.0.when.pth": "'path'",
        "policy.rules.1.when.crawler": "'GPTBot'",
        "policy.rules.2.when.score.at_least": "'suspicious'",
    }
    assert "starts with /" in found["policy.rules.1.when.path"]
    assert "10/minute" in found["policy.rules.2.limit"]
    assert "2 rules named 'two'" in found["policy.rules"]
    assert "a number" in found["policy.thresholds.suspicious"]


def test_a_policy_may_be_given_as_a_value() -> None:
    rule = Rule("archive", Action.DENY, When(path=("/archive/",)))
    assert Settings(policy=Policy(rules=(rule,))).policy.rules == (rule,)
    unnamed = Policy(rules=(Rule("x", Action.DENY, When(crawler=("GPTBoot",))),), crawlers={"Googlebt": Right.ALLOW})
    assert set(faults(policy=unnamed)) == {"policy.rules.0.when.crawler", "policy.crawlers.Googlebt"}
    assert "policy" in faults(policy=3)


def test_rules_come_from_a_file_and_the_environment_says_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "guard.toml"
    file.write_text(
        """
        [policy]
        preset = "strict"
        shadow = ["archive"]
        [policy.rights]
        ai-train = "charge"
        [[policy.rules]]
        name = "archive"
        action = "lead"
        when = { path = "/archive/", score = "suspicious", not = { client = "192.0.2.0/24" } }
        [[policy.rules]]
        name = "partners"
        action = "allow"
        when.any = [{ header = { name = "x-partner", equals = "yes" } }, { client = ["198.51.100.7", "2001:db8::/32"] }]
        """
    )
    monkeypatch.setenv("CONTENTGUARD_SETTINGS", str(file))
    monkeypatch.setenv("CONTENTGUARD_POLICY__MAX_SNIPPET", "160")
    monkeypatch.setenv("CONTENTGUARD_POLICY__THRESHOLDS__SUSPICIOUS", "2.5")
    policy = Settings().policy
    assert policy.effective_rights()[Purpose.AI_TRAINING] is Right.CHARGE
    assert (policy.max_snippet, policy.effective_thresholds()["suspicious"]) == (160, 2.5)
    assert policy.rules == (
        Rule(
            "archive",
            Action.LEAD,
            When(path=("/archive/",), score=Score("suspicious"), not_=When(client=("192.0.2.0/24",))),
        ),
        Rule(
            "partners",
            Action.ALLOW,
            When(any=(When(header=(Header("x-partner", "yes"),)), When(client=("198.51.100.7", "2001:db8::/32")))),
        ),
    )
    assert [rule.shadow for rule in policy.effective_rules()] == [True, False, False, False, True]


@pytest.mark.parametrize("variable", ["CONTENTGUARD_ORIGN", "contentguard_orign", "CONTENTGUARD_COPPYING__POLICY"])
def test_an_unknown_variable_is_a_fault(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "x")
    assert "Did you mean" in faults()[variable]


def test_an_unknown_nested_variable_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTENTGUARD_COPYING__POLCY", "quote")
    assert "'policy'" in faults()["copying.polcy"]


@pytest.mark.parametrize("origin", ["news.example", "https://", "https://news.example/path", "ftp://news.example"])
def test_an_origin_is_scheme_and_host(origin: str) -> None:
    assert "https://news.example" in faults(origin=origin)["origin"]


def test_an_origin_loses_its_slash() -> None:
    assert Settings(origin="https://news.example/").origin == "https://news.example"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no readable file"):
        Settings.load(tmp_path / "none.toml")


def test_a_broken_file(tmp_path: Path) -> None:
    file = tmp_path / "guard.toml"
    file.write_text("site = ")
    with pytest.raises(SettingsError, match="not TOML"):
        Settings.load(file)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(Exception, match="frozen"):
        Settings().site = "x"


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("a key in the environment", (b"a key in the environment",)),
        ('["the newest key there is", "the one before it"]', (b"the newest key there is", b"the one before it")),
        ("[starts like a list, is none", (b"[starts like a list, is none",)),
    ],
)
def test_a_key_from_the_environment(monkeypatch: pytest.MonkeyPatch, written: str, keys: tuple[bytes, ...]) -> None:
    monkeypatch.setenv("CONTENTGUARD_SECRET_KEY", written)
    assert Settings().keys() == keys


def test_a_preset_is_where_settings_begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = Settings(preset="classic-wordpress")
    assert (chosen.copying.policy, chosen.policy.preset) == ("quote", "classic-wordpress")
    own = Settings(preset="classic-wordpress", copying={"quote_words": 20}, policy=Policy(preset="strict"))
    assert (own.copying.policy, own.copying.quote_words, own.policy.preset) == ("quote", 20, "strict")
    (tmp_path / "settings.toml").write_text('preset = "classic-wordpress"\n[copying]\npolicy = "strict"\n')
    assert Settings.load(tmp_path / "settings.toml").policy.preset == "classic-wordpress"
    assert Settings.load(tmp_path / "settings.toml").copying.policy == "strict"
    monkeypatch.setenv("CONTENTGUARD_PRESET", "classic-wordpress")
    assert Settings().copying.policy == "quote"
    assert Settings(preset="none").copying.policy == "attribute", "what is said first holds"


def test_an_unknown_preset_is_told_the_names() -> None:
    with pytest.raises(SettingsError, match=r"preset: found 'classic'; expected one of none, classic-wordpress"):
        Settings(preset="classic")


@pytest.mark.parametrize(
    ("variable", "text", "setting", "value"),
    [
        ("PROXIES__TRUSTED", '["10.0.0.0/8"]', "proxies.trusted", ("10.0.0.0/8",)),
        ("ARTICLE__SELECTORS", '[".story"]', "article.selectors", (".story",)),
        ("POLICY__RIGHTS", '{"seo": "allow"}', "policy.rights", {Purpose.SEO: Right.ALLOW}),
        ("POLICY__SHADOW", '["refuse"]', "policy.shadow", ("refuse",)),
        ("COPYING__MESSAGES", '{"refused": "No."}', "copying.messages", {"refused": "No."}),
        ("LIMITS", '{"clients": 7}', "limits.clients", 7),
        ("COMPRESSION", "no", "compression", False),
        ("CACHE_BYTES", "1024", "cache_bytes", 1024),
        ("LEAD__SHARE", "0.5", "lead.share", 0.5),
        ("LEAD__LINK", "[more]", "lead.link", "[more]"),
    ],
)
def test_any_setting_comes_from_the_environment(
    variable: str, text: str, setting: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CONTENTGUARD_{variable}", text)
    found: object = Settings()
    for name in setting.split("."):
        found = getattr(found, name)
    assert found == value


def test_faults_of_the_environment_are_reported_with_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTENTGUARD_PROXIES", "10.0.0.0/8")
    monkeypatch.setenv("CONTENTGUARD_METER__ARTICLES_PER_HUOR", "4")
    monkeypatch.setenv("CONTENTGUARD_SITE__NAME", "x")
    found = faults(origin="x")
    assert set(found) == {"CONTENTGUARD_PROXIES", "CONTENTGUARD_SITE__NAME", "meter.articles_per_huor", "origin"}


@pytest.mark.parametrize(
    "values",
    [
        {"store": "http://:s3cret@redis"},
        {"store": "redis://:s3cr#et@redis"},
        {"store": {"url": "redis://:s3cret@redis"}},
        {"store": "redis://redis/s3cret?password=s3cret"},
        {"evidence": {"url": "mysql://root:s3cret@db/x"}},
        {"evidence": {"url": ["mysql://root:s3cret@db/x"]}},
    ],
)
def test_a_password_in_an_url_is_never_shown(values: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**values)
    assert "s3c" not in str(caught.value)
    assert "not shown" in str(caught.value)


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("redis+sentinel://a,b/main", "Sentinel and Cluster are not asked"),
        ("redis://redis:port/0", "a port that is a number"),
        ("redis://:pa#ss@redis", "%23"),
        ("redis://:pass@redis#x", "%23"),
        ("redis://redis/zero", "the number of a database"),
        ("redis://[::1", "a port that is a number"),
    ],
)
def test_a_store_that_cannot_be_asked_is_refused_at_once(store: str, says: str) -> None:
    assert says in faults(store=store)["store"]


@pytest.mark.parametrize(
    "store",
    ["redis://:p%23%40%2F@[::1]:6380/15", "rediss://user:pass@redis.example", "unix:///run/redis/redis.sock?db=2"],
)
def test_a_store_of_any_kind(store: str) -> None:
    assert Settings(store=store).store == store


@pytest.mark.parametrize(
    "origin",
    [
        "https://user:pass@news.example",
        "https://news.example:port",
        "https://news.example:99999",
        "https://news.example/#top",
        "https://news example",
        "https://news.example\r\nX: y",
        "https://nеws.example",
    ],
)
def test_an_origin_is_nothing_that_a_link_could_not_begin_with(origin: str) -> None:
    assert "scheme and host only" in faults(origin=origin)["origin"]


@pytest.mark.parametrize(
    "origin", ["https://news.example:8443", "http://[::1]:8000", "https://xn--nws-3hd.example", "http://localhost"]
)
def test_an_origin_of_any_kind(origin: str) -> None:
    assert Settings(origin=origin).origin == origin


def test_what_stands_in_headers_and_files_of_lines_is_one_line() -> None:
    found = faults(site="The Daily\nDisallow: /", contact="desk@news.example\n", robots={"sitemaps": ["sitemap.xml"]})
    assert set(found) == {"site", "contact", "robots"}
    assert "not 'sitemap.xml'" in found["robots"]
    assert "x-asn" in faults(network={"asn": "two words"})["network"]


def test_numbers_that_a_guard_could_not_be_made_with_are_refused() -> None:
    for name, value in [
        ("hot_articles", 0),
        ("hot_share", 5),
        ("hot_share", float("nan")),
        ("half_life", float("inf")),
        ("half_life", float("nan")),
        ("fingerprints", 3),
        ("fingerprints", 10**9),
    ]:
        assert name in faults(governor={name: value})["governor"]
    assert "100,000,000" in faults(limits={"clients": 10**12})["limits"]


def test_a_script_that_no_letter_is_of_is_refused() -> None:
    assert "did you mean 'latin'" in faults(comments={"scripts": ["latn"]})["comments"]
    assert "did you mean 'latin'?" in faults(comments={"scripts": ["1"]})["comments"]
    assert Settings(comments={"scripts": ["latin", "cjk", "cyrillic"]}).comments.scripts[1] == "cjk"


def test_a_message_says_expected_once_and_only_of_what_was() -> None:
    found = faults(
        limits={"articles": "lots"}, share={"targets": ["facebok"]}, lead={"words": 0}, proxies={"trusted": "::1"}
    )
    assert found["limits"].count("expected") == 1
    assert found["share"] == (
        "share: found {'targets': ['facebok']}; unknown share target 'facebok'; did you mean 'facebook'?"
    )
    assert "expected words >= 1" in found["lead"]
    assert "expected a list" in found["proxies.trusted"]
    assert "expected a table with some of mode, undivided" in faults(reading="off")["reading"]
    assert "a text of at least 16 characters, or a list of such" in faults(secret_key=b"x" * 20)["secret_key"]


def test_a_file_as_notepad_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "guard.toml"
    file.write_bytes(b'\xef\xbb\xbfsite = "Daily"\r\n[lead]\r\nwords = 80\r\n')
    assert (Settings.load(file).site, Settings.load(file).lead.words) == ("Daily", 80)
    file.write_text('site = "Daily"', "utf-16")
    with pytest.raises(SettingsError, match="not TOML"):
        Settings.load(file)


def test_a_file_that_never_ends() -> None:
    with pytest.raises(SettingsError, match=r"/dev/zero: found more than 4,194,304 bytes; expected a TOML file"):
        Settings.load("/dev/zero")
