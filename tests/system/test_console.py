"""The console before the gateway of the whole platform, without a browser; tests/browser has one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from harness.console import Browser
from harness.platform import TENANT, Platform

HTML = {"Accept": "text/html"}


@pytest.fixture
async def browser(platform: Platform) -> AsyncIterator[Browser]:
    """Something that keeps cookies, and the console's proof, as a browser does."""
    browser = Browser(platform.console_url)
    yield browser
    await browser.close()


async def test_every_page_is_the_built_application(browser: Browser) -> None:
    page = await browser.get("/platform/workspaces", headers=HTML)
    assert page.status == 200
    script = page.text.partition('src="')[2].partition('"')[0]
    assert (await browser.get(script)).status == 200


async def test_the_initial_password_leads_to_the_workspaces(browser: Browser, platform: Platform) -> None:
    assert (await browser.sign_in("admin", platform.admin_password)).status == 200
    workspaces = (await browser.get(f"{TENANT}/workspaces")).json
    assert "system-workspace" in {item["metadata"]["name"] for item in workspaces["items"]}
    assert (await browser.open()).json["user"]["cluster_role"] == "cluster-admin"


async def test_who_signed_out_reads_nothing_any_more(browser: Browser, platform: Platform) -> None:
    await browser.sign_in("admin", platform.admin_password)
    token = browser.cookies["token"]
    await browser.send("POST", "/logout")
    browser.set_cookie("token", token)
    assert (await browser.get(f"{TENANT}/workspaces")).status == 401


async def test_a_wrong_password_signs_nobody_in(browser: Browser) -> None:
    assert (await browser.sign_in("admin", "not-the-password")).status == 401
    assert (await browser.open()).json["user"] is None
