"""Who comes to the door, and what is handed out there: visits as the rest of the house sees them.

Strategy: visits are evidence and never a reader's affair, so whatever goes wrong with one is counted, logged once, and
otherwise as if nothing had been noticed.
"""

from __future__ import annotations

from contentguard.admission.passes import Pass
from contentguard.backends import Admitting, Store
from contentguard.detect.sessions import IMAGE, SCRIPT, STYLE
from contentguard.guard.admissions import Admissions
from contentguard.guard.callers import Caller
from contentguard.guard.press import NOBODYS, Headers, Own, Press
from contentguard.guard.visits import Visit, Visits
from contentguard.model import Facts
from contentguard.settings import Settings
from contentguard.tokens import Signer

_PARTS = {"text/css": STYLE, "text/javascript": SCRIPT, "application/javascript": SCRIPT, "image": IMAGE}
_WANTED = {b"style": STYLE, b"script": SCRIPT, b"image": IMAGE}
"""What is part of a page, by its media type, and by what a browser says that it wants it for."""
_LISTS = ("application/xml", "text/xml")


class Reception(Press):
    """All pages of one site, and all visits to it."""

    def __init__(self, settings: Settings, signer: Signer, store: Store, ledger: Admitting, now: float) -> None:
        super().__init__(settings, signer)
        self.store = store
        self.visits = Visits(settings, signer, cookies=self.personal) if settings.visits.remember else None
        """What clients do from one request to the next; None where that is not to be remembered."""
        self.admissions = (
            Admissions(settings, signer, self.visits, store, ledger, self.note, now)
            if self.visits is not None and settings.reading.mode != "off"
            else None
        )
        """Who may open an article whole; None where everybody may."""

    def met(self, facts: Facts, caller: Caller, peer: str | None) -> Visit | None:
        """Recognise the client, and complete its facts with what is known of it. ``peer``: who is connected to us."""
        if self.visits is None:
            return None
        try:
            visit = self.visits.begin(facts, caller)
            self.visits.tell(visit, facts, peer)
            return visit
        except Exception:
            self.note("visits-failed", "a visit could not be looked up; the client is taken for a new one", failed=True)
            return None

    def account(self, scope: object) -> str:
        """Whom the app knows the reader of a request for; empty where it does not."""
        ask = self.settings.reader
        if ask is None:
            return ""
        try:
            return str(ask(scope) or "")
        except Exception:
            self.note("reader-failed", "the function that names a request's reader failed", failed=True)
            return ""

    def own(self, visit: Visit, now: float) -> Own:
        """What a visit's page carries of its own."""
        try:
            return NOBODYS if self.visits is None else self.visits.fields(visit, now)
        except Exception:
            self.note("visits-failed", "a page could not be made one visit's own", failed=True)
            return NOBODYS

    def handed_out(self, visit: Visit, facts: Facts) -> Headers:
        """The headers by which an answer hands out a pass."""
        cookie = self.visits.cookie(visit, facts) if self.visits is not None else None
        return [] if cookie is None else [(b"set-cookie", cookie)]

    def handed_over(self, given: Pass, visit: Visit, facts: Facts) -> Headers:
        """The headers by which an answer hands out a pass that was just earned."""
        visit.new = given
        return self.handed_out(visit, facts)

    def passing(self, visit: Visit, facts: Facts, status: int, kind: str) -> bytearray | None:
        """Notice a response that is no page: a page's part counts for its visit; a list of pages is to be heard."""
        if self.visits is None or facts.method != "GET":
            return None
        if kind in _LISTS and status == 200:
            return bytearray()
        part = _PARTS.get(kind.partition("/")[0] if kind.startswith("image/") else kind)
        if part is None and status == 304:
            part = _WANTED.get(facts.header(b"sec-fetch-dest") or b"")
        if part is not None and status in (200, 304):
            self.visits.fetched(visit, facts, part)
        return None

    def fetched(self, visit: Visit, facts: Facts, part: int, *, sheet: bool) -> Headers:
        """Count one of our own files for its visit; what headers its answer gets. ``sheet``: see ``Visits``."""
        if self.visits is None:
            return []
        self.visits.fetched(visit, facts, part, sheet=sheet)
        return self.handed_out(visit, facts)

    def trapped(self, visit: Visit, facts: Facts, token: str) -> None:
        """Count a honeylink that was followed."""
        own = self.visits is not None and self.visits.trapped(visit, facts, token)
        self.counts["honeylink" if own else "honeylink-foreign"] += 1

    def reported(self, visit: Visit, facts: Facts, body: bytes) -> None:
        """Take in a browser's report."""
        genuine = self.visits is not None and self.visits.reported(visit, facts, body)
        self.counts["report" if genuine else "report-foreign"] += 1

    def learned(self, path: str, body: bytes) -> None:
        """Take in the site's own list of its pages."""
        if self.visits is not None:
            self.visits.order.learn(path, body)
