"""Signing in and out with a browser that has no scripts."""

from http.cookies import SimpleCookie

import pytest
from aiohttp import web

from harness.console import LOGIN, WORKSPACES, make_token, make_workspace


def morsel(page, name):
    for line in page.headers.getall("Set-Cookie", []):
        cookie = SimpleCookie(line)
        if name in cookie:
            return cookie[name]
    raise AssertionError(f"no cookie {name} was set")


async def test_a_stranger_gets_a_login_form(browser):
    page = await browser.get()
    assert page.status == 200
    assert page.is_login
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"


async def test_the_right_password_leads_to_ones_workspaces(browser, gateway):
    gateway.workspaces = [
        make_workspace("demo-ws", alias_name="Demo", namespace_count="2", member_count="3"),
        make_workspace("system-workspace"),
    ]
    page = await browser.sign_in()
    assert page.status == 200
    assert "Signed in as admin" in page.text
    assert "Workspaces 2" in page.text
    for word in ("Demo", "demo-ws", "system-workspace"):
        assert word in page.text
    headers, _ = gateway.last(WORKSPACES)
    assert headers["authorization"] == f"Bearer {make_token('admin')}"


async def test_the_token_rests_where_no_script_and_no_other_site_reaches_it(browser):
    form = {**(await browser.get()).fields(), "username": "admin", "password": "right"}
    page = await browser.post("/login", form)
    assert (page.status, page.headers["Location"]) == (303, "/")
    cookie = morsel(page, "token")
    assert cookie.value == make_token("admin")
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert not cookie["secure"]  # over plain HTTP a secure cookie would be lost


async def test_over_tls_cookies_are_secure(browser):
    proxied = {"X-Forwarded-Proto": "https"}
    page = await browser.get(headers=proxied)
    assert morsel(page, "csrf")["secure"]
    browser.set_cookie("csrf", morsel(page, "csrf").value)
    form = {**page.fields(), "username": "admin", "password": "right"}
    origin = browser.url.replace("http:", "https:")
    page = await browser.post("/login", form, headers={**proxied, "Origin": origin})
    assert page.status == 303
    assert morsel(page, "token")["secure"]


async def test_a_wrong_password_is_said_and_the_name_kept(browser, gateway):
    page = await browser.sign_in("admin", "wrong")
    assert page.status == 401
    assert page.is_login
    assert "The user name or the password is wrong." in page.text
    assert page.fields()["username"] == "admin"
    assert page.fields()["password"] == ""
    assert "token" not in browser.cookies


async def test_the_gateway_learns_the_address_of_the_browser(browser, gateway):
    await browser.sign_in(headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 127.0.0.5"})
    assert gateway.last(LOGIN)[0]["x-forwarded-for"] == "203.0.113.7"
    await browser.sign_in(headers={"X-Forwarded-For": "nonsense"})
    assert gateway.last(LOGIN)[0]["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [("1", "1 second."), ("59", "59 seconds"), ("600", "10 minutes"), ("x", "1 minute.")],
)
async def test_too_many_attempts_are_told_how_long_to_wait(browser, gateway, seconds, words):
    form = (await browser.get()).fields()
    gateway.instead = web.json_response(
        {"message": "auth rate limit exceeded"}, status=429, headers={"Retry-After": seconds}
    )
    page = await browser.post("/login", {**form, "username": "ratey", "password": "x"})
    assert page.status == 429
    assert f"try again in {words}" in page.text
    assert page.headers["Retry-After"].isdecimal()


async def test_an_ended_session_leads_to_the_form_and_not_in_a_circle(browser, gateway):
    await browser.sign_in()
    gateway.sessions.clear()
    page = await browser.get()
    assert page.status == 200
    assert page.is_login
    assert "Your session has ended" in page.text
    assert "token" not in browser.cookies
    assert "Your session has ended" not in (await browser.get()).text
    assert (await browser.sign_in()).status == 200


@pytest.mark.parametrize("token", ["nonsense", "a b", "x" * 9000, "ä", '"; Path=/x', "a\\r\\nX: y"])
async def test_a_cookie_that_is_no_token_harms_nothing(browser, token):
    page = await browser.get(headers={"Cookie": f"token={token}"})
    assert page.status in (200, 400)
    assert page.status == 400 or page.is_login


async def test_signing_out_ends_the_session_here_and_at_the_gateway(browser, gateway):
    home = await browser.sign_in()
    page = await browser.post("/logout", home.fields(), allow_redirects=True)
    assert page.is_login
    assert "token" not in browser.cookies
    assert gateway.sessions == set()


async def test_signing_out_works_while_the_gateway_is_in_trouble(browser, gateway):
    home = await browser.sign_in()
    gateway.instead = web.Response(status=502)
    page = await browser.post("/logout", home.fields())
    assert (page.status, page.headers["Location"]) == (303, "/")
    assert "token" not in browser.cookies


async def test_reloading_the_address_of_the_form_leads_home(browser):
    page = await browser.get("/login")
    assert (page.status, page.headers["Location"]) == (303, "/")


async def test_the_first_fifty_of_many_workspaces_are_shown(browser, gateway):
    gateway.workspaces = [make_workspace(f"ws-{number}") for number in range(50)]
    await browser.sign_in()
    gateway.instead = web.json_response({"items": gateway.workspaces, "total_count": 2010})
    page = await browser.get()
    assert "The first 50 of 2010 are shown." in page.text


async def test_a_page_without_workspaces_says_what_to_do(browser):
    assert "No workspaces yet" in (await browser.sign_in()).text
