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
    "it leads elsewhere": web.Response(status=302, headers={"Location": "https://evil.example/"}),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
async def test_a_gateway_in_trouble_makes_a_page_that_says_so(browser, gateway, trouble):
    form = (await browser.get()).fields()
    gateway.instead = trouble
    page = await browser.post("/login", {**form, "username": "admin", "password": "right"})
    assert page.status == 503
    assert "does not answer" in page.text
    assert "secret" not in page.html
    assert page.headers["Retry-After"] == "5"
    assert "token" not in browser.cookies


@pytest.mark.parametrize("token", [None, 7, "", "a b\r\nX: y", "x" * 10_000])
async def test_a_token_that_is_none_is_trouble_too(browser, gateway, token):
    form = (await browser.get()).fields()
    gateway.instead = web.json_response({"access_token": token})
    page = await browser.post("/login", {**form, "username": "admin", "password": "right"})
    assert page.status == 503
    assert "token" not in browser.cookies


@pytest.mark.parametrize(
    "items", [None, "x", [None], [{}], [{"metadata": 1, "spec": []}], [{"metadata": {"annotations": "x"}}]]
)
async def test_workspaces_of_another_shape_break_no_page(browser, gateway, items):
    await browser.sign_in()
    gateway.instead = web.json_response({"items": items, "total_count": None})
    assert (await browser.get()).status == 200


async def test_a_session_outlives_an_outage_of_the_gateway(browser, gateway):
    await browser.sign_in()
    gateway.delay = 5
    page = await browser.get()
    assert page.status == 503
    assert "You stay signed in" in page.text
    gateway.delay = 0
    assert "Signed in as admin" in (await browser.get()).text


async def test_a_gateway_that_is_not_there_is_named_by_readyz(tmp_path):
    async with running_service(
        "ks-console", {"console": {"gatewayURL": "http://127.0.0.1:9"}}, tmp_path
    ) as console:
        browser = Browser(console.url)

        async def it_is_named():
            page = await browser.get("/readyz")
            assert page.status == 503
            assert "127.0.0.1:9" in page.html

        await eventually(it_is_named, timeout=20)
        assert (await browser.get()).is_login
        assert (await browser.sign_in()).status == 503
        await browser.close()


async def test_the_console_is_ready_when_the_gateway_answers(browser):
    async def it_is_ready():
        assert (await browser.get("/readyz")).status == 200

    await eventually(it_is_ready, timeout=20)
