"""Firefox by its own remote control, Marionette: a socket, and JSON with its length ahead of it.

Playwright drives only builds of its own, and a test is to be about the browser that people have. A fresh profile has
its own start pages, its updates and its reports to Mozilla switched off, so that it asks nobody but the server under
test; what kind of reader it is (``STRICT``, ``COOKIELESS``, …) is changed while it runs, because a start takes seconds.
"""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.harness import HOST, PATIENCE, family, missing

Preferences = Mapping[str, bool | int | str]

NAMES = ("firefox-esr", "firefox")
QUIET: Preferences = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.newtabpage.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.ipc.processPrelaunch.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "marionette.port": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    # Copying waits for no permission, and a page may read what is on the clipboard.
    "dom.events.testing.asyncClipboard": True,
}
COOKIELESS: Preferences = {"network.cookie.cookieBehavior": 2}
SCRIPTLESS: Preferences = {"javascript.enabled": False}
STRICT: Preferences = {
    "network.cookie.cookieBehavior": 5,
    "network.http.referer.disallowCrossSiteRelaxingDefault.top_navigation": True,
    "privacy.annotate_channels.strict_list.enabled": True,
    "privacy.donottrackheader.enabled": True,
    "privacy.fingerprintingProtection": True,
    "privacy.globalprivacycontrol.enabled": True,
    "privacy.query_stripping.enabled": True,
    "privacy.trackingprotection.enabled": True,
    "privacy.trackingprotection.socialtracking.enabled": True,
}
RESISTING: Preferences = {
    **STRICT,
    "javascript.options.baselinejit": False,
    "javascript.options.ion": False,
    "javascript.options.wasm": False,
    "network.http.referer.XOriginPolicy": 2,
    "network.http.referer.XOriginTrimmingPolicy": 2,
    "privacy.firstparty.isolate": True,
    "privacy.resistFingerprinting": True,
    "privacy.resistFingerprinting.letterboxing": True,
    "privacy.spoof_english": 2,
    "webgl.disabled": True,
}
"""As Tor Browser is set up, but for its network; ``fresh`` opens the private window."""


def by_way_of(port: int) -> Preferences:
    """Through a proxy on this machine."""
    return {
        "network.proxy.allow_hijacking_localhost": True,
        "network.proxy.http": HOST,
        "network.proxy.http_port": port,
        "network.proxy.ssl": HOST,
        "network.proxy.ssl_port": port,
        "network.proxy.type": 1,
    }


class Firefox:
    """One running Firefox with one window."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._answers, self._last = line, line.makefile("rb"), 0
        greeting = self._read()
        assert greeting["marionetteProtocol"] == 3, greeting
        self._ask("WebDriver:NewSession", acceptInsecureCerts=True)

    def _read(self) -> Any:
        length = bytearray()
        while (char := self._answers.read(1)) != b":":
            assert char, "Firefox has hung up"
            length += char
        return json.loads(self._answers.read(int(length)))

    def _ask(self, command: str, **parameters: Any) -> Any:
        self._last += 1
        said = json.dumps([0, self._last, command, parameters]).encode()
        self._line.sendall(b"%d:%s" % (len(said), said))
        _, number, trouble, result = self._read()
        assert number == self._last
        if trouble:
            raise RuntimeError(f"{command}: {trouble['error']}: {trouble['message']}")
        return result

    def open(self, url: str) -> None:
        """Go there and wait until it has loaded."""
        self._ask("WebDriver:Navigate", url=url)

    def js(self, code: str, *arguments: Any) -> Any:
        """What a function body comes to in the page; a promise is waited for."""
        script = f"return (async function() {{{code}}}).apply(null, arguments)"
        return self._ask("WebDriver:ExecuteScript", script=script, args=arguments, sandbox=None)["value"]

    def click(self, selector: str) -> None:
        """Press the mouse on an element."""
        found = self._ask("WebDriver:FindElement", using="css selector", value=selector)["value"]
        self._ask("WebDriver:ElementClick", id=next(iter(found.values())))

    def press_copy(self) -> None:
        """Press the keys for copying."""
        held, released = {"type": "keyDown", "value": "\ue009"}, {"type": "keyUp", "value": "\ue009"}
        letter = [{"type": "keyDown", "value": "c"}, {"type": "keyUp", "value": "c"}]
        keys = {"type": "key", "id": "keys", "actions": [held, *letter, released]}
        self._ask("WebDriver:PerformActions", actions=[keys])

    def wait(self, condition: str, patience: float = PATIENCE) -> float:
        """Wait until an expression holds in the page; how many seconds that took."""
        start = time.monotonic()
        while not self.find(condition):
            waited = time.monotonic() - start
            assert waited < patience, f"in vain: {condition} at {self.url}, {self.console()}"
            time.sleep(0.02)
        return time.monotonic() - start

    def find(self, expression: str) -> Any:
        """What an expression comes to, also where the page may run no scripts, or is being left."""
        try:
            found = self._ask("WebDriver:ExecuteScript", script=f"return {expression}", args=[], sandbox="tests")
        except RuntimeError as error:
            if "execution contexts" in str(error) or "unload" in str(error) or "browsing context" in str(error):
                return None
            raise
        return found["value"]

    @property
    def url(self) -> str:
        """Where the window is."""
        return str(self._ask("WebDriver:GetCurrentURL")["value"])

    def shot(self) -> str:
        """A picture of the whole page, as PNG in base64."""
        return str(self._ask("WebDriver:TakeScreenshot", full=True)["value"])

    def privileged(self, code: str, *arguments: Any) -> Any:
        """What a function body comes to in the browser itself."""
        self._ask("Marionette:SetContext", value="chrome")
        try:
            return self._ask("WebDriver:ExecuteScript", script=code, args=arguments)["value"]
        finally:
            self._ask("Marionette:SetContext", value="content")

    @contextmanager
    def fresh(self, preferences: Preferences | None = None, *, private: bool = False) -> Iterator[Firefox]:
        """A new window of a reader whom nobody knows yet and who has set these preferences."""
        chosen = preferences or {}
        before = self._ask("WebDriver:GetWindowHandle")["value"]
        self.privileged(_FORGET)
        self.privileged(_PREFER, chosen)
        # A tab is sooner there than a window.
        kind = "window" if private else "tab"
        window = self._ask("WebDriver:NewWindow", type=kind, focus=True, private=private)["handle"]
        self._ask("WebDriver:SwitchToWindow", handle=window)
        try:
            yield self
        finally:
            self._ask("WebDriver:CloseWindow")
            self._ask("WebDriver:SwitchToWindow", handle=before)
            self.privileged(_PREFER, dict.fromkeys(chosen))

    def driven(self, yes: bool) -> None:
        """Whether ``navigator.webdriver`` says that a program is at the wheel; it does where nothing was said."""
        self.privileged(_DRIVEN, yes)

    def console(self) -> list[str]:
        """What pages have made it say: errors, warnings and blocked content."""
        return list(self.privileged(_CONSOLE))

    def quit(self) -> None:
        """End it in good order."""
        self._ask("Marionette:Quit", flags=["eForceQuit"])
        self._answers.close()


_DRIVEN = """
const { Marionette } = ChromeUtils.importESModule("chrome://remote/content/components/Marionette.sys.mjs");
Marionette.updateWebdriverActiveFlag(arguments[0]);
"""
_PREFER = """
for (const [name, value] of Object.entries(arguments[0])) {
  if (value === null) Services.prefs.clearUserPref(name);
  else if (typeof value == "boolean") Services.prefs.setBoolPref(name, value);
  else if (typeof value == "number") Services.prefs.setIntPref(name, value);
  else Services.prefs.setStringPref(name, value);
}
"""
_FORGET = """
Services.cookies.removeAll();
Services.cache2.clear();
Services.console.reset();
"""
_CONSOLE = """
return Services.console.getMessageArray()
  .filter((one) => one instanceof Ci.nsIScriptError && /^https?:/.test(one.sourceName))
  .map((one) => one.errorMessage + ' ' + one.sourceName + ':' + one.lineNumber);
"""


def find_firefox() -> str:
    """Where Firefox is; its absence is a failure where tests must run, a skip on anybody's own machine."""
    return next(filter(None, map(shutil.which, NAMES)), None) or missing("Firefox")


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A Firefox without a screen, with a new profile at ``profile``; gone afterwards, with all it started."""
    program = find_firefox()
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in QUIET.items()]
    (profile / "user.js").write_text("\n".join(lines), "utf-8")
    command = [program, "--headless", "--marionette", "--remote-allow-system-access", "--profile", str(profile)]
    with family(command, profile.with_suffix(".log"), HOME=str(profile)) as process:
        deadline = time.monotonic() + PATIENCE
        while not (port := profile / "MarionetteActivePort").exists() or not port.read_text("utf-8"):
            assert process.poll() is None, profile.with_suffix(".log").read_text("utf-8")
            assert time.monotonic() < deadline, "Firefox does not start"
            time.sleep(0.05)
        with socket.create_connection((HOST, int(port.read_text("utf-8"))), timeout=PATIENCE) as line:
            made = Firefox(line)
            yield made
            made.quit()
