"""Signing in and out, as the console's page does it."""

from http.cookies import SimpleCookie

import pytest
from aiohttp import web

from harness.console import IAM, LOGIN, make_token


def morsel(page, name):
    for line in page.headers.getall("Set-Cookie", []):
        cookie = SimpleCookie(line)
        if name in cookie:
            return cookie[name]
    raise AssertionError(f"no cookie {name} was set")


async def test_a_stranger_is_nobody(browser):
    page = await browser.open()
    assert page.json["user"] is None
    assert page.json["ended"] is False
    assert page.headers["Cache-Control"] == "no-store"


async def test_the_right_password_begins_a_session(browser, gateway):
    page = await browser.sign_in()
    assert page.status == 200
    assert page.json == {"passwordChangeRequired": False}
    assert (await browser.open()).json["user"] == {"username": "admin"}
    asked = gateway.last(f"{IAM}/users/admin")
    assert asked.headers["authorization"] == f"Bearer {make_token('admin')}"


async def test_a_first_password_is_said_to_be_one(browser, gateway):
    gateway.must_change = True
    assert (await browser.sign_in()).json == {"passwordChangeRequired": True}


async def test_the_token_rests_where_no_script_and_no_other_site_reaches_it(browser):
    page = await browser.sign_in()
    cookie = morsel(page, "token")
    assert cookie.value == make_token("admin")
    assert make_token("admin") not in page.text
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert not cookie["secure"]  # over plain HTTP a secure cookie would be lost


async def test_over_tls_cookies_are_secure(browser):
    proxied = {"X-Forwarded-Proto": "https"}
    page = await browser.open(headers=proxied)
    assert morsel(page, "csrf")["secure"]
    browser.set_cookie("csrf", morsel(page, "csrf").value)
    origin = browser.url.replace("http:", "https:")
    body = {"username": "admin", "password": "right"}
    page = await browser.send("POST", "/login", body, headers={**proxied, "Origin": origin})
    assert page.status == 200
    assert morsel(page, "token")["secure"]


async def test_a_wrong_password_is_said_in_the_shape_of_every_error(browser):
    page = await browser.sign_in("admin", "wrong")
    assert page.status == 401
    assert page.json["reason"] == "WrongPassword"
    assert page.json["requestId"] == page.headers["X-Request-Id"]
    assert "token" not in browser.cookies


async def test_the_gateway_learns_the_address_of_the_browser(browser, gateway):
    await browser.sign_in(headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7, 127.0.0.5"})
    assert gateway.last(LOGIN).headers["x-forwarded-for"] == "203.0.113.7"
    await browser.sign_in(headers={"X-Forwarded-For": "nonsense"})
    assert gateway.last(LOGIN).headers["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize(("said", "seconds"), [("1", "1"), ("600", "600"), ("x", "60")])
async def test_too_many_attempts_are_told_how_long_to_wait(browser, gateway, said, seconds):
    await browser.open()
    gateway.instead = web.json_response(
        {"message": "auth rate limit exceeded"}, status=429, headers={"Retry-After": said}
    )
    page = await browser.send("POST", "/login", {"username": "ratey", "password": "x"})
    assert page.status == 429
    assert page.headers["Retry-After"] == seconds


async def test_a_locked_account_is_told_so(browser, gateway):
    await browser.open()
    gateway.instead = web.json_response(
        {"message": "the account is locked", "reason": "AccountLocked"}, status=403
    )
    page = await browser.send("POST", "/login", {"username": "admin", "password": "right"})
    assert (page.status, page.json["reason"]) == (403, "AccountLocked")


async def test_an_ended_session_is_told_once_and_leads_in_no_circle(browser, gateway):
    await browser.sign_in()
    gateway.sessions.clear()
    page = await browser.open()
    assert (page.status, page.json["user"], page.json["ended"]) == (200, None, True)
    assert "token" not in browser.cookies
    assert (await browser.open()).json["ended"] is False
    assert (await browser.sign_in()).status == 200


@pytest.mark.parametrize("token", ["nonsense", "a b", "x" * 9000, "ä", '"; Path=/x', "a\\r\\nX: y"])
async def test_a_cookie_that_is_no_token_harms_nothing(browser, token):
    page = await browser.get("/session", headers={"Cookie": f"token={token}"})
    assert page.status in (200, 400)
    assert page.status == 400 or page.json["user"] is None


async def test_signing_out_ends_the_session_here_and_at_the_gateway(browser, gateway):
    await browser.sign_in()
    page = await browser.send("POST", "/logout")
    assert page.status == 200
    assert "token" not in browser.cookies
    assert gateway.sessions == set()


async def test_signing_out_works_while_the_gateway_is_in_trouble(browser, gateway):
    await browser.sign_in()
    gateway.instead = web.Response(status=502)
    assert (await browser.send("POST", "/logout")).status == 200
    assert "token" not in browser.cookies
