"""Other sites, hostile names and hostile bodies."""

import aiohttp
import pytest

from harness.console import SOCKET, Browser
from ks_console.delays import FREE, MOST, Delays

PATH = "/api/v1/namespaces/demo/configmaps"
HTML = {"Accept": "text/html"}


async def test_the_page_runs_our_own_scripts_alone_and_stands_in_no_frame(browser):
    page = await browser.get(headers=HTML)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"


async def test_style_sheets_of_scripts_carry_a_value_that_is_good_once(browser):
    pages = [await browser.get(headers=HTML) for _ in range(2)]
    nonces = [page.text.partition('nonce="')[2].partition('"')[0] for page in pages]
    for page, nonce in zip(pages, nonces, strict=True):
        assert len(nonce) >= 16
        assert f"style-src 'self' 'nonce-{nonce}'" in page.headers["Content-Security-Policy"]
    assert nonces[0] != nonces[1]


async def test_the_title_is_text(browser):
    assert "<title>A &amp; &lt;B&gt;</title>" in (await browser.get(headers=HTML)).text


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/login"), ("POST", "/logout"), ("POST", PATH), ("DELETE", PATH)]
)
@pytest.mark.parametrize("proof", ["", "0" * 64, "x"])
async def test_a_request_without_proof_is_refused(browser, gateway, method, path, proof):
    await browser.sign_in()
    before = gateway.asked_by_browsers
    body = {"username": "admin", "password": "right"}
    page = await browser.send(method, path, body, headers={"X-CSRF-Token": proof})
    assert (page.status, page.json["reason"]) == (403, "ForeignRequest")
    assert gateway.asked_by_browsers == before


async def test_the_proof_of_one_browser_does_not_serve_another(browser, console):
    other = Browser(console.url)
    await other.open()
    await other.close()
    await browser.open()
    browser.csrf = other.csrf
    assert (await browser.send("POST", "/login", {"username": "admin", "password": "right"})).status == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
async def test_a_request_from_another_site_is_refused(browser, origin):
    await browser.sign_in()
    assert (await browser.send("POST", PATH, {}, headers={"Origin": origin})).status == 403
    assert (await browser.send("POST", PATH, {}, headers={"Origin": browser.url})).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_a_socket_from_another_site_is_refused(browser, gateway, origin):
    await browser.sign_in()
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.session.ws_connect(browser.url + SOCKET, headers=headers)
    assert refused.value.status == 403
    assert not any(asked.path == SOCKET for asked in gateway.asked)


async def test_what_tenants_wrote_never_runs_as_a_page_of_ours(browser):
    await browser.sign_in()
    page = await browser.get(PATH)
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "evil" not in browser.cookies
    assert "Refresh" not in page.headers


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/demo/pods/web/proxy/",
        "/api/v1/namespaces/demo/services/web:80/proxy/index.html",
        "/api/v1/nodes/one/proxy",
    ],
)
async def test_pages_of_pods_are_not_passed_on(browser, gateway, path):
    await browser.sign_in()
    assert (await browser.get(path)).status == 404
    assert not any(asked.path == path for asked in gateway.asked)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b'{"username": "a"}', 400), (b'{"username": 1, "password": []}', 400)],
)
async def test_a_login_that_makes_no_sense_is_refused(browser, gateway, body, status):
    await browser.open()
    headers = {"Content-Type": "application/json", "X-CSRF-Token": browser.csrf}
    assert (await browser.ask("POST", "/login", data=body, headers=headers)).status == status
    long = {"username": "a" * 5000, "password": "b"}
    assert (await browser.send("POST", "/login", long)).status == 400
    assert not any(asked.path.endswith("/login") for asked in gateway.asked)


async def test_only_json_signs_in(browser):
    await browser.open()
    headers = {"X-CSRF-Token": browser.csrf, "Content-Type": "application/x-www-form-urlencoded"}
    answer = await browser.ask("POST", "/login", data=b"username=admin&password=right", headers=headers)
    assert answer.status == 415


async def test_the_token_and_password_are_never_logged(browser, console):
    await browser.sign_in("admin", "wrong-hunter2")
    await browser.sign_in()
    assert "hunter2" not in console.log
    assert browser.cookies["token"] not in console.log


def test_guessing_gets_slower_and_mistyping_twice_costs_nothing():
    waits = [Delays(1.0).seconds(failures) for failures in range(1, 20)]
    assert waits[:FREE] == [0.0] * FREE
    assert waits[FREE:] == sorted(waits[FREE:])
    assert waits[FREE] == 1.0
    assert waits[-1] == MOST
