"""The wiring board: every knob of every room in one validated object. The only file that knows pydantic.

Strategy: each room carries its own options as a frozen dataclass, and this file only hangs them up side by side, so a
new part brings its own settings and no class of a hundred fields can grow. Read in this order: keyword arguments,
``CONTENTGUARD_*`` environment variables (``__`` nests), the TOML file, the preset that one of them names. All faults
are reported together. Longer than a module should be because every room hangs up its options here.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import Field, InstanceOf, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from contentguard.addresses import is_loopback
from contentguard.admission.archive import Archive
from contentguard.admission.grants import Tickets
from contentguard.admission.links import GiftLinks, SharedLinks
from contentguard.admission.maturity import Metering
from contentguard.admission.reading import Reading
from contentguard.admission.treasury import Change
from contentguard.comments.akismet_options import AkismetOptions
from contentguard.comments.options import CommentOptions
from contentguard.crawlers import CATALOGUE
from contentguard.crawlers.options import Identification
from contentguard.detect.network import NetworkHeaders
from contentguard.detect.options import Visits
from contentguard.errors import Fault, SettingsError
from contentguard.model import Facts, Verdict
from contentguard.policy import Limits, Policy, PolicyError, read_policy
from contentguard.policy.checks import crawler_faults
from contentguard.policy.media import Media
from contentguard.proxies import Proxies
from contentguard.publish.options import Robots
from contentguard.rewrite.article import Article
from contentguard.rewrite.cards import Cards
from contentguard.rewrite.deterrents import Copy
from contentguard.rewrite.excerpts import Feeds
from contentguard.rewrite.framing import Framing
from contentguard.rewrite.lead import Lead
from contentguard.rewrite.oembed import OEmbed
from contentguard.rewrite.probes import Probes
from contentguard.rewrite.share import Share
from contentguard.rewrite.visible import Visible
from contentguard.variables import nearest, read_variables
from contentguard.watermark.compiled import Channels
from contentguard.watermark.options import Kept

ENV_PREFIX = "CONTENTGUARD_"
FILE_VARIABLE = "CONTENTGUARD_SETTINGS"
Hook = Callable[[Facts, Verdict], None]
StateHook = Callable[[Change], None]
Reader = Callable[[Any], str | None]

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "classic-wordpress": {"policy": {"preset": "classic-wordpress"}, "copying": {"policy": "quote"}},
}
"""What a preset sets, by its name; all else stays as it is by default. The share box says the classic words anyway."""


class Settings(BaseSettings):
    """The configuration of one guard. Raises ``SettingsError`` with every fault at once."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
    )

    preset: Literal["none", "classic-wordpress"] = "none"
    """Settings to begin with; each can still be set. ``classic-wordpress``: what the copy protection of a WordPress
    site says and does, on the server, and that site's other doors closed to robots."""
    secret_key: tuple[SecretStr, ...] = ()
    """Signs and hashes; at least 16 characters. Several: the first signs, all are accepted (rotation)."""
    site: str = ""
    """The publication's name, for cards, refusals and robots.txt."""
    origin: str = ""
    """The public origin, e.g. ``https://news.example``. Absolute URLs are built from it, never from Host."""
    contact: str = ""
    """Where a person refused by mistake can turn: an URL or an e-mail address."""
    licence_url: str = ""
    """Where a licence can be asked for: an URL or a path of the site."""
    article: Article = Article()
    copying: Copy = Copy()
    share: Share = Share()
    visible: Visible = Visible()
    cards: Cards = Cards()
    oembed: OEmbed = OEmbed()
    framing: Framing = Framing()
    media: Media = Media()
    watermark: Channels = Channels()
    evidence: Kept = Kept()
    policy: InstanceOf[Policy] = Policy()
    limits: Limits = Limits()
    proxies: Proxies = Proxies()
    network: NetworkHeaders = NetworkHeaders()
    visits: Visits = Visits()
    reading: Reading = Reading()
    lead: Lead = Lead()
    tickets: Tickets = Tickets()
    meter: Metering = Metering()
    governor: Archive = Archive()
    feeds: Feeds = Feeds()
    shared_links: SharedLinks = SharedLinks()
    gift_links: GiftLinks = GiftLinks()
    comments: CommentOptions = CommentOptions()
    classifiers: tuple[Any, ...] = ()
    """Others who are asked what they think of comments (``backends.CommentClassifier``). Keyword argument only."""
    reader: Reader | None = None
    """Called with the ASGI scope of a request; names the account that the app knows its reader for, or None. Such a
    reader is never asked for anything and is metered by account. Keyword argument only."""
    probes: Probes = Probes()
    robots: Robots = Robots()
    akismet: AkismetOptions = AkismetOptions()
    compression: bool = True
    """Send articles gzip-ed to clients that accept it; each page is deflated once, not once per reader."""
    identification: Identification = Identification()
    cache_bytes: int = Field(default=64 * 2**20, ge=0)
    """Memory for the plans of pages seen before, in bytes; 0 keeps none."""
    store: str = ""
    """Redis or Valkey that all processes share (``redis://host``); empty: each process remembers for itself."""
    hooks: tuple[Hook, ...] = ()
    """Called with ``(facts, verdict)`` for every verdict. Keyword argument only."""
    metrics: bool = False
    """Whether this process's figures are offered to Prometheus (extra ``metrics``)."""
    state_hooks: tuple[StateHook, ...] = ()
    """Called with each change of the archive's ceiling: ``what`` (``alarm``, or a bucket's name), ``state`` (``on``,
    ``off``; of a bucket ``empty``, ``full``) and ``now``. Keyword argument only."""

    def __init__(self, **values: Any) -> None:
        path = values.pop("_file", None) or os.environ.get(FILE_VARIABLE)
        token = _FILE.set(_read(Path(path)) if path else {})
        said, faults = _variables(type(self))
        variables = _VARIABLES.set(said)
        try:
            super().__init__(**values)
        except ValidationError as error:
            faults += _faults(error, type(self))
        finally:
            _FILE.reset(token)
            _VARIABLES.reset(variables)
        if faults:
            raise SettingsError(faults) from None

    @classmethod
    def load(cls, path: str | Path | None = None, **overrides: Any) -> Self:
        """Settings from the TOML file at ``path`` (default: the one ``CONTENTGUARD_SETTINGS`` names)."""
        return cls(**overrides, _file=path)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Keyword arguments before the environment before the file before the preset that one of them names."""
        sources = [init_settings]
        # A source that has nothing to say is left out: asking one takes longer than all the rest. Variables are read by
        # ourselves: pydantic-settings reads no list below a dataclass, and stops at the first that is no JSON.
        for written in (_VARIABLES.get(), _FILE.get()):
            if written:
                sources.append(InitSettingsSource(settings_cls, init_kwargs=written))
        named = next((name for source in sources if (name := source().get("preset"))), "")
        if begun := PRESETS.get(named, {}) if isinstance(named, str) else {}:
            sources.append(InitSettingsSource(settings_cls, init_kwargs={name: dict(begun[name]) for name in begun}))
        return tuple(sources)

    @field_validator("secret_key", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        """In a variable of the environment, several stand in a JSON array."""
        if isinstance(value, str) and value.startswith("["):
            with suppress(ValueError):
                return tuple(json.loads(value))
        if not isinstance(value, str | SecretStr | list | tuple):
            raise ValueError("a text of at least 16 characters, or a list of such")
        return (value,) if isinstance(value, str | SecretStr) else value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in keys:
            if len(key.get_secret_value()) < 16:
                raise ValueError(f"a key of at least 16 characters, not of {len(key.get_secret_value())}")
        return keys

    @field_validator("origin")
    @classmethod
    def _bare_origin(cls, value: str) -> str:
        if value and (_ORIGIN.fullmatch(value) is None or _port(value) is None):
            raise ValueError("scheme and host only, like https://news.example (a host in other letters as xn--…)")
        return value.rstrip("/")

    @field_validator("site", "contact")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if _BREAK.search(value):
            raise ValueError("one line, without control characters")
        return value

    @field_validator("store")
    @classmethod
    def _store_url(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError(
                "an URL that starts with redis://, rediss:// or unix://; Sentinel and Cluster are not asked"
            )
        if value and (_port(value) is None or "#" in value):
            raise ValueError(
                "a port that is a number, and a password whose #, /, ?, : and @ are written %23, %2F, %3F, %3A and %40"
            )
        if not value.startswith("unix:") and urlsplit(value).path.strip("/").strip("0123456789"):
            raise ValueError("nothing after the host but the number of a database, like redis://127.0.0.1/1")
        return value

    @field_validator("licence_url")
    @classmethod
    def _url_or_path(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://", "mailto:", "/")):
            raise ValueError("an URL (https://…, mailto:…) or a path that starts with /")
        return value

    @field_validator("policy", mode="before")
    @classmethod
    def _policy_as_written(cls, value: object) -> object:
        names = [crawler.name for crawler in CATALOGUE.crawlers]
        if isinstance(value, Mapping):
            return read_policy(value, names)
        if isinstance(value, Policy) and (faults := list(crawler_faults(value.rules, value.crawlers, names))):
            raise PolicyError(faults)
        return value

    def keys(self) -> tuple[bytes, ...]:
        """The secret keys as bytes, the signing one first; empty when none is configured."""
        return tuple(key.get_secret_value().encode() for key in self.secret_key)

    def keys_or_temporary(self) -> tuple[tuple[bytes, ...], bool]:
        """The keys, and whether they were made up for this process because none is configured.

        Raises ``SettingsError`` when none is configured and ``origin`` shows that this is no development machine.
        """
        if keys := self.keys():
            return keys, False
        if self.origin and not is_loopback(urlsplit(self.origin).hostname):
            raise SettingsError([missing_key(f"origin is {self.origin}")])
        return (secrets.token_bytes(32),), True


def missing_key(why: str) -> Fault:
    """The fault of a guard without a secret key where it is not on a development machine."""
    return Fault(
        "secret_key",
        f"none ({why})",
        'a secret of at least 16 characters: secret_key="…" or CONTENTGUARD_SECRET_KEY',
    )


_ORIGIN = re.compile(
    r"https?://(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?/?", re.IGNORECASE | re.ASCII
)
_BREAK = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_BYTES = 4 * 2**20
"""A settings file is not larger; what is, is another file, or a device."""
_BY_KEYWORD = ("hooks", "state_hooks", "reader", "classifiers")
"""Functions: no file and no variable can name them."""
_SECRET = ("secret_key", "akismet")
"""Settings that hold a key: nothing that was found there is shown."""
_PASSWORD = ("store", "evidence")
"""Settings that may hold one."""
_SAYS = {"a valid tuple": "a list (in a variable of the environment, in JSON)", "a valid dictionary": "a table"}
"""How pydantic's words are said in a settings file's."""
_VARIABLES: ContextVar[dict[str, Any]] = ContextVar("contentguard_said", default={})  # noqa: B039 - never mutated
_FILE: ContextVar[dict[str, Any]] = ContextVar("contentguard_file", default={})  # noqa: B039 - never mutated


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            if len(read := file.read(_BYTES + 1)) > _BYTES:
                raise SettingsError([Fault(str(path), f"more than {_BYTES:,} bytes", "a TOML file")])
        return tomllib.loads(read.decode("utf-8-sig"))
    except OSError as error:
        raise SettingsError([Fault(str(path), f"no readable file ({error.strerror})", "a TOML file")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([Fault(str(path), f"what is not TOML ({error})", "a TOML file")]) from None


def _variables(cls: type[Settings]) -> tuple[dict[str, Any], list[Fault]]:
    environment = {name: text for name, text in os.environ.items() if name.upper() != FILE_VARIABLE}
    defaults = {name: field.default for name, field in cls.model_fields.items()}
    return read_variables(environment, ENV_PREFIX, defaults, _BY_KEYWORD)


def _faults(error: ValidationError, cls: type[Settings]) -> Iterator[Fault]:
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"] if part != "[key]")
        kind, context = problem["type"], problem.get("ctx", {})
        if kind in ("extra_forbidden", "unexpected_keyword_argument"):
            names = _names(cls, problem["loc"][:-1])
            found = str(problem["loc"][-1])
            yield Fault(where, "an unknown setting", "one of " + ", ".join(sorted(names)), nearest(found, names))
        elif kind == "value_error" and isinstance(context["error"], PolicyError):
            yield from (replace(fault, where=f"{where}.{fault.where}") for fault in context["error"].faults)
        elif kind == "value_error":
            said = str(context["error"])
            wanted = said.removeprefix("want ").removeprefix("expected ")
            # A section's own check says what is wrong with which of its settings; a single setting's, what it wants.
            sentence = wanted == said and isinstance(problem["input"], Mapping)
            yield Fault(where, _shown(problem), wanted, stands_alone=sentence)
        elif kind == "dataclass_type":
            sub = ", ".join(_names(cls, problem["loc"]))
            yield Fault(where, _shown(problem), f"a table with some of {sub}")
        elif kind in ("enum", "literal_error"):
            allowed = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
            found = str(problem["input"])
            yield Fault(where, repr(found), f"one of {', '.join(allowed)}", nearest(found, allowed))
        else:
            wanted = problem["msg"].removeprefix("Input should be ")
            yield Fault(where, _shown(problem), _SAYS.get(wanted, wanted))


def _shown(problem: Mapping[str, Any]) -> str:
    """What was found, short; never a secret."""
    if problem["loc"] and problem["loc"][0] in _SECRET:
        return "a key (not shown)" if problem["loc"][0] == "secret_key" else "what does not fit (not shown)"
    text = repr(problem["input"])
    if problem["loc"] and problem["loc"][0] in _PASSWORD and ("@" in text or "password" in text.lower()):
        return "what does not fit (not shown, for it may hold a password)"
    return text if len(text) <= 80 else text[:77] + "…"


def _port(url: str) -> int | None:
    """An URL's port, 0 where it names none; None where what stands there is no port."""
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return None


def _names(cls: type[Settings], path: Sequence[int | str]) -> list[str]:
    """The names allowed below ``path``."""
    if not path:
        return list(cls.model_fields)
    field = cls.model_fields.get(str(path[0]))
    options = field.default if field else None
    return [f.name for f in fields(cast(Any, options))] if is_dataclass(options) else []
