"""Who is signed in, and what a cookie of ours says: nothing in a cookie is believed that this site has not signed.

Passwords are kept as scrypt hashes (RFC 7914). A session is a signed cookie that names an editor; every form of the
desk carries a token made from it, so that no other site's page can press a button there (with SameSite=Strict as a
second lock). Each kind of cookie and token is signed with a salt of its own and is void as any other.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "gazette-desk"
DETAILS: Final = "gazette-reader"
_SESSION_SECONDS: Final = 12 * 3600
_DETAILS_SECONDS: Final = 365 * 86400
_COST: Final = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}
_TRIES: Final = 8
_WINDOW: Final = 900.0
_MOST_KNOWN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Editor:
    """Who is signed in, and what proves that a form of the desk was sent from a page of the desk."""

    name: str
    token: str


@dataclass(frozen=True, slots=True)
class Details:
    """What a reader asked this browser to keep for the next comment."""

    author: str = ""
    email: str = ""
    url: str = ""


class Cookies:
    """The site's signed cookies and tokens. `secure`: whether the site is served over https alone."""

    def __init__(self, secret: str, *, secure: bool) -> None:
        self._secret, self._secure = secret, secure

    def sign_in(self, response: Response, name: str) -> None:
        """Let a response sign an editor in."""
        value = self._signer("session").dumps([name, secrets.token_urlsafe(12)])
        self._set(response, SESSION, value, _SESSION_SECONDS, "strict")

    def sign_out(self, response: Response) -> None:
        """Let a response sign the editor out."""
        response.delete_cookie(SESSION, path="/", secure=self._secure, httponly=True, samesite="strict")

    def editor(self, request: Request) -> Editor | None:
        """Return who is signed in."""
        cookie = request.cookies.get(SESSION, "")
        session = self._read("session", cookie, _SESSION_SECONDS)
        if not isinstance(session, list) or len(session) != 2 or not isinstance(session[0], str):
            return None
        return Editor(session[0], self.mark("form", cookie))

    def remember(self, response: Response, details: Details | None) -> None:
        """Let a response keep a reader's details in the browser, or forget them."""
        if details is None:
            response.delete_cookie(DETAILS, path="/", secure=self._secure, httponly=True, samesite="lax")
            return
        value = self._signer("details").dumps([details.author, details.email, details.url])
        self._set(response, DETAILS, value, _DETAILS_SECONDS, "lax")

    def details(self, request: Request) -> Details | None:
        """Return what this browser was asked to keep."""
        found = self._read("details", request.cookies.get(DETAILS, ""), _DETAILS_SECONDS)
        if not isinstance(found, list) or len(found) != 3 or not all(isinstance(one, str) for one in found):
            return None
        return Details(*found)

    def mark(self, purpose: str, value: str) -> str:
        """Return what nobody else can make of a value."""
        return hmac.new(self._secret.encode(), f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()[:40]

    def is_marked(self, purpose: str, value: str, mark: str) -> bool:
        """Whether a mark is ours."""
        return hmac.compare_digest(self.mark(purpose, value).encode(), mark.encode("utf-8", "replace"))

    def _signer(self, kind: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._secret, salt=f"gazette.{kind}.v1", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def _read(self, kind: str, text: str, seconds: int) -> Any:
        try:
            return self._signer(kind).loads(text, max_age=seconds) if len(text) <= 4096 else None
        except BadData:
            return None

    def _set(self, response: Response, name: str, value: str, seconds: int, site: Any) -> None:
        response.set_cookie(name, value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite=site)


class Attempts:
    """How often somebody has tried to sign in: eight failures in a quarter of an hour are the most."""

    def __init__(self) -> None:
        self._failed: dict[str, list[float]] = {}

    def may_try(self, who: str, now: float) -> bool:
        """Whether another attempt is heard."""
        return len([at for at in self._failed.get(who, ()) if now - at < _WINDOW]) < _TRIES

    def tried(self, who: str, now: float) -> None:
        """Count one, before it is known what comes of it: else any number at a time would be heard."""
        if len(self._failed) >= _MOST_KNOWN:
            self._failed.clear()
        self._failed[who] = [at for at in self._failed.get(who, ()) if now - at < _WINDOW] + [now]

    def succeeded(self, who: str, now: float) -> None:
        """One that was counted at `now` has not failed."""
        left = self._failed.get(who, [])
        if now in left:
            left.remove(now)


def hashed(password: str) -> str:
    """Return what is kept of a password. Takes some 50 ms on purpose: call it in a thread."""
    salt = secrets.token_bytes(16)
    return f"{b64encode(salt).decode()}${b64encode(_scrypt(password, salt)).decode()}"


def matches(password: str, kept: str) -> bool:
    """Whether a password is the one that was kept, in the same time whether or not."""
    salt, _, value = kept.partition("$")
    return hmac.compare_digest(_scrypt(password, b64decode(salt)), b64decode(value))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "replace")[:1024], salt=salt, **_COST)
