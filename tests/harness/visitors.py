"""The console in a real browser: Debian's Chromium, driven by Playwright.

A `Visitor` is a person in a browser of their own. Whatever a page writes to the browser's console as an
error, or throws, is kept: a test that leaves some behind fails. Waits are on what is seen, with generous
limits.
"""

import asyncio
import functools
import json
import os
import re
import runpy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    async_playwright,
    expect,
)
from playwright.async_api import Error as PlaywrightError

from devstack.webapp import build_script

CHROMIUM = "/usr/bin/chromium"
WAIT_MS = int(os.environ.get("KS_TEST_WAIT_MS", "60000"))
"""For what should be seen: a busy machine is slow."""
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
_INTERRUPTED = "ERR_NETWORK_CHANGED"
_ABORTED = "ERR_ABORTED"
"""What Chromium says of a page that is opened while another, interrupted so, loads itself anew."""
_NOT_LOADED = re.compile(r"Unable to preload|of undefined \(reading '[A-Z]")
"""What a page throws that did not get a part of the application, or the component in it, whose name begins
with a capital; it loads itself anew, once."""
_TRIES = 5
_EXPECTED = ("Failed to load resource",)
"""What the browser writes for an answer of 400 or more: the page shows what it means."""


PASSWORD = "Corr3ct-horse"


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    name: str
    password: str = PASSWORD


@dataclass
class Visitor:
    """A person with a browser, at the console `url`."""

    url: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    """What went wrong in the page itself."""
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when Chromium gave requests up because the machine's network interfaces changed, as they do with
    each pod that starts on the local node."""

    was_interrupted: bool = False
    """Whether it ever was."""

    def unexplained(self) -> list[str]:
        """The faults that are not those of a page which Chromium gave up requests of."""
        if not self.was_interrupted:
            return self.faults
        return [fault for fault in self.faults if not _NOT_LOADED.search(fault)]

    async def go(self, path: str) -> None:
        """Opens an address of the console."""
        for _ in range(_TRIES):
            self.interrupted.clear()
            try:
                await self.page.goto(self.url + path)
            except PlaywrightError as error:
                loads_anew = self.was_interrupted and _ABORTED in error.message
                if _INTERRUPTED not in error.message and not loads_anew:
                    raise
            else:
                if await self._is_shown():
                    return
        raise AssertionError(f"{path}: {_TRIES} tries were interrupted")

    async def _is_shown(self) -> bool:
        """Waits for the application; gives whether it is there, and was not interrupted on its way."""
        shown = asyncio.ensure_future(self.page.locator("#root > *").first.wait_for(state="attached"))
        given_up = asyncio.ensure_future(self.interrupted.wait())
        await asyncio.wait((shown, given_up), return_when=asyncio.FIRST_COMPLETED)
        given_up.cancel()
        if not shown.done():
            shown.cancel()
            await asyncio.gather(shown, return_exceptions=True)
            return False
        await shown
        return True

    async def sign_in(self, username: str, password: str) -> None:
        """Fills in the login form; returns when the shell is there."""
        await self.go("/login")
        await self.type_login(username, password)
        await self.see_text(username, exact=False)
        await expect(self.page.get_by_role("navigation").first).to_be_visible(timeout=WAIT_MS)

    async def type_login(self, username: str, password: str) -> None:
        """Types into the login form that is shown, and sends it."""
        await self.page.get_by_label("User name or e-mail").fill(username)
        await self.page.locator("#password").fill(password)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()

    async def see(self, role: Any, name: str, *, exact: bool = True) -> Locator:
        """The element of `role` called `name`, once it is seen."""
        found = self.page.get_by_role(role, name=name, exact=exact).first
        await expect(found).to_be_visible(timeout=WAIT_MS)
        return found

    async def see_text(self, text: str, *, exact: bool = True) -> Locator:
        """The element with `text`, once it is seen."""
        found = self.page.get_by_text(text, exact=exact).first
        await expect(found).to_be_visible(timeout=WAIT_MS)
        return found

    async def click(self, role: Any, name: str, *, exact: bool = True) -> None:
        """Clicks what is called `name`, once it is there."""
        await (await self.see(role, name, exact=exact)).click(timeout=WAIT_MS)

    async def fill(self, label: str, text: str) -> None:
        """Types `text` into the field that is labelled so, in the dialog where there is one."""
        dialog = self.page.get_by_role("dialog")
        scope = dialog if await dialog.count() else self.page
        await scope.get_by_label(label).first.fill(text, timeout=WAIT_MS)

    def forgive(self, text: str) -> None:
        """Takes faults for expected that hold `text`."""
        self.faults[:] = [fault for fault in self.faults if text not in fault]

    async def violations(self) -> list[str]:
        """What axe-core finds serious or critical on the page as it is, one line each."""
        await self.page.evaluate(_axe())
        found = await self.page.evaluate("(rules) => axe.run(document, {runOnly: rules})", _RULES)
        return [
            f"{each['id']}: {each['help']} at {json.dumps(node['target'])}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]


Visit = Callable[..., Awaitable[Visitor]]
"""Opens the console in a browser of its own; takes the options of a browser's context."""


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """A Chromium without windows; KS_TEST_CHROMIUM names another one than Debian's."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("KS_TEST_CHROMIUM", CHROMIUM), args=_FLAGS
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, url: str, **options: Any) -> AsyncIterator[Visitor]:
    """Somebody who has not signed in yet. `options` are those of a browser's context."""
    options = {"viewport": {"width": 1360, "height": 850}, "locale": "en-US", **options}
    context = await browser.new_context(**options)
    context.set_default_timeout(WAIT_MS)
    visitor = Visitor(url, context, await context.new_page())

    def written(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_EXPECTED):
            visitor.faults.append(message.text)

    def given_up(request: Request) -> None:
        if _INTERRUPTED in (request.failure or ""):
            visitor.interrupted.set()
            visitor.was_interrupted = True

    visitor.page.on("requestfailed", given_up)
    visitor.page.on("console", written)

    visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    try:
        yield visitor
    finally:
        await context.close()


@functools.cache
def _axe() -> str:
    script = build_script()
    assert script is not None, "the console is not run from its sources"
    # Where the application was built before, nothing has installed what it is built with.
    modules = runpy.run_path(str(script))["modules"]()
    return (modules / "axe-core" / "axe.min.js").read_text()
