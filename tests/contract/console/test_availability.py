"""The gateway in trouble: the console says so, and keeps the session for later."""

import pytest
from aiohttp import web

from harness.console import Browser
from harness.services import running_service
from harness.waiting import eventually

TROUBLE = {
    "it is overloaded": web.Response(status=503),
    "it has a bug": web.Response(status=500, text="Traceback: secret"),
    "it answers nonsense": web.Response(status=200, text="<html>"),
    "it answers a list": web.json_response([]),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
async def test_a_gateway_in_trouble_is_503_that_says_so(browser, gateway, trouble):
    await browser.open()
    gateway.instead = trouble
    page = await browser.send("POST", "/login", {"username": "admin", "password": "right"})
    assert page.status == 503
    assert "the gateway is not available" in page.json["message"]
    assert "secret" not in page.text
    assert "token" not in browser.cookies


@pytest.mark.parametrize("token", [None, 7, "", "a b\r\nX: y", "x" * 10_000])
async def test_a_token_that_is_none_is_trouble_too(browser, gateway, token):
    await browser.open()
    gateway.instead = web.json_response({"access_token": token})
    page = await browser.send("POST", "/login", {"username": "admin", "password": "right"})
    assert page.status == 503
    assert "token" not in browser.cookies


async def test_a_session_outlives_an_outage_of_the_gateway(browser, gateway):
    await browser.sign_in()
    gateway.delay = 5
    page = await browser.open()
    assert (page.status, page.headers["Retry-After"]) == (503, "5")
    assert "token" in browser.cookies
    gateway.delay = 0
    assert (await browser.open()).json["user"] == {"username": "admin"}


async def test_a_gateway_that_is_not_there_is_named_by_readyz_and_the_page_shows(tmp_path, built):
    config = {"console": {"gatewayURL": "http://127.0.0.1:9", "staticDir": str(built)}}
    async with running_service("ks-console", config, tmp_path) as console:
        browser = Browser(console.url)

        async def it_is_named():
            page = await browser.get("/readyz")
            assert page.status == 503
            assert "127.0.0.1:9" in page.text

        await eventually(it_is_named, timeout=20)
        assert (await browser.get(headers={"Accept": "text/html"})).status == 200
        assert (await browser.get("/config")).status == 200
        assert (await browser.sign_in()).status == 503
        await browser.close()


async def test_an_application_that_was_not_built_says_what_to_do(tmp_path):
    config = {"console": {"gatewayURL": "http://127.0.0.1:9", "staticDir": str(tmp_path)}}
    async with running_service("ks-console", config, tmp_path) as console:
        browser = Browser(console.url)
        page = await browser.get(headers={"Accept": "text/html"})
        assert page.status == 503
        assert "build.py" in page.text
        await browser.close()


async def test_the_console_is_ready_when_the_gateway_answers(browser):
    async def it_is_ready():
        assert (await browser.get("/readyz")).status == 200

    await eventually(it_is_ready, timeout=20)
