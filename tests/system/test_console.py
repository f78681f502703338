"""The console, as a browser without JavaScript sees it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from harness.platform import Platform


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """Something that keeps cookies as a browser does, for addresses without a name too."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def sign_in(browser: aiohttp.ClientSession, url: str, username: str, password: str) -> tuple[int, str]:
    """Open the login page and send its form back as a browser would."""
    async with browser.get(url) as page:
        assert page.status == 200
        text = await page.text()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))
    fields = {**hidden, "username": username, "password": password}
    async with browser.post(f"{url}/login", data=fields, headers={"Origin": url}) as answer:
        return answer.status, await answer.text()


async def test_the_first_page_is_a_login_form(browser: aiohttp.ClientSession, platform: Platform) -> None:
    async with browser.get(platform.console_url) as page:
        text = await page.text()
        assert page.status == 200
        assert "script" not in page.headers["Content-Security-Policy"].replace("script-src 'self'", "")
    assert 'name="username"' in text
    assert 'type="password"' in text


async def test_the_initial_password_leads_to_the_workspaces(
    browser: aiohttp.ClientSession, platform: Platform
) -> None:
    status, text = await sign_in(browser, platform.console_url, "admin", platform.admin_password)
    assert status == 200
    assert "admin" in text
    assert "system-workspace" in text


async def test_a_wrong_password_shows_the_form_again(
    browser: aiohttp.ClientSession, platform: Platform
) -> None:
    status, text = await sign_in(browser, platform.console_url, "admin", "not-the-password")
    assert status == 401
    assert 'type="password"' in text
