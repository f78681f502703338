"""What is passed on to the gateway, and back."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from harness.console import IAM, SOCKET, make_token
from harness.waiting import eventually

PATH = "/kapis/resources.kubesphere.io/v1alpha2/pods?conditions=name~a%2Cb&paging=limit%3D10,page%3D1"


async def test_a_request_goes_on_as_it_is_in_the_name_of_who_is_signed_in(browser, gateway):
    await browser.sign_in()
    page = await browser.get(
        PATH,
        headers={
            "If-None-Match": '"0"',
            "X-Token-Username": "root",
            "Cookie": f"token={make_token('admin')}; other=1",
        },
    )
    assert page.json == {"path": PATH}
    assert page.headers["ETag"] == '"1"'
    asked = gateway.last(PATH)
    assert asked.headers["authorization"] == f"Bearer {make_token('admin')}"
    assert asked.headers["if-none-match"] == '"0"'
    assert asked.headers["x-request-id"] == page.headers["X-Request-Id"]
    assert "cookie" not in asked.headers
    assert "x-token-username" not in asked.headers


async def test_a_body_goes_on_as_it_is(browser, gateway):
    await browser.sign_in()
    body = b"a: 1\n" * 500_000
    headers = {"Content-Type": "application/apply-patch+yaml", "X-CSRF-Token": browser.csrf}
    path = "/apis/apps/v1/namespaces/demo/deployments/web"
    assert (await browser.ask("PATCH", path, data=body, headers=headers)).status == 200
    asked = gateway.last(path)
    assert asked.method == "PATCH"
    assert asked.headers["content-type"] == "application/apply-patch+yaml"
    assert asked.body == body


async def test_who_is_not_signed_in_is_refused_by_the_gateway_without_a_browsers_own_form(browser, gateway):
    page = await browser.get(PATH)
    assert page.status == 401
    assert page.json["reason"] == "Unauthorized"
    assert "WWW-Authenticate" not in page.headers
    assert "authorization" not in gateway.last(PATH).headers


async def test_signing_in_elsewhere_passes_cookies_and_redirects(browser, gateway):
    gateway.instead = web.Response(
        status=302, headers={"Location": "https://id.example/", "Set-Cookie": "oidc=state; HttpOnly"}
    )
    page = await browser.get(f"{IAM}/oauth/corp/authorize?next=/")
    assert (page.status, page.headers["Location"]) == (302, "https://id.example/")
    assert browser.cookies["oidc"] == "state"
    elsewhere = await browser.get(PATH)
    assert "Location" not in elsewhere.headers
    await browser.get(f"{IAM}/oauth/corp/callback")
    assert gateway.last(f"{IAM}/oauth/corp/callback").headers["cookie"] == "oidc=state"


async def test_a_gateway_that_is_not_there_is_503_with_the_reason(browser, gateway):
    await browser.sign_in()
    gateway.instead = web.json_response({"message": "redis is not available"}, status=503)
    page = await browser.get(PATH)
    assert (page.status, page.json["message"]) == (503, "redis is not available")


async def test_a_socket_carries_messages_both_ways(browser, gateway):
    await browser.sign_in()
    async with browser.session.ws_connect(
        browser.url + SOCKET, headers={"Origin": browser.url}, protocols=("v4.channel.k8s.io",)
    ) as socket:
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=30) == "echo hello"
        await socket.send_bytes(b"\x00\xff")
        assert await socket.receive_bytes(timeout=30) == b"echo \x00\xff"
        assert socket.protocol == "v4.channel.k8s.io"
    asked = gateway.last(SOCKET)
    assert asked.headers["authorization"] == f"Bearer {make_token('admin')}"
    assert "cookie" not in asked.headers


@pytest.mark.parametrize(("code", "reason"), [(1000, b"exit code 0"), (4409, b"too long"), (4503, b"lost")])
async def test_why_a_socket_ended_reaches_the_page(browser, gateway, code, reason):
    await browser.sign_in()
    gateway.close_with = code, reason
    async with browser.session.ws_connect(browser.url + SOCKET, headers={"Origin": browser.url}) as socket:
        await socket.send_str("hello")
        await socket.receive_str(timeout=30)
        end = await socket.receive(timeout=30)
        assert (end.type, end.data, end.extra) == (aiohttp.WSMsgType.CLOSE, code, reason.decode())


async def test_a_socket_that_the_gateway_refuses_has_its_status(browser, gateway):
    await browser.sign_in()
    gateway.sessions.clear()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.session.ws_connect(browser.url + SOCKET, headers={"Origin": browser.url})
    assert refused.value.status == 401


async def test_who_leaves_a_long_answer_ends_it_at_the_gateway(browser, gateway):
    await browser.sign_in()
    gateway.delay = 60
    before = len(gateway.asked)
    asking = asyncio.create_task(browser.get(PATH))

    async def asked():
        assert len(gateway.asked) > before

    await eventually(asked, timeout=30)
    asking.cancel()

    async def left():
        assert PATH in gateway.left

    await eventually(left, timeout=30)
