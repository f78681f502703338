"""Debian's Chromium, without a window."""

import contextlib
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright

PATIENCE = 90_000
"""Milliseconds for anything that a page waits for."""


@contextlib.asynccontextmanager
async def page_of_a_browser() -> AsyncIterator[Page]:
    """An empty page of a browser of its own; skips the test where there is no Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium: `devstack packages --tests` installs it")
    async with async_playwright() as playwright:
        # A container has neither the namespaces for its sandbox nor a large /dev/shm.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=arguments, timeout=PATIENCE)
        try:
            page = await browser.new_page()
            page.set_default_timeout(PATIENCE)
            yield page
        finally:
            await browser.close()
