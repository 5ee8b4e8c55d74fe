from __future__ import annotations

from pathlib import Path

import pytest

from contentguard import Copy, Right, Settings, SettingsError, Share
from contentguard.model import Purpose
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


def test_keys_rotate() -> None:
    assert Settings(secret_key=[KEY, "the-old-secret-key-of-the-site"]).keys()[0] == KEY.encode()
    assert Settings(secret_key=KEY).keys() == (KEY.encode(),)


def test_an_unknown_robot_names_the_nearest() -> None:
    assert "'GPTBot'" in faults(policy={"crawlers": {"GPTBoot": "allow"}})["policy"]


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
