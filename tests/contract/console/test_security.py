"""Other sites, hostile names and hostile forms."""

import pytest

from harness.console import Browser, make_workspace

SCRIPTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus='alert(1)",
    "</title><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
]


def only_known_markup(page):
    """Nothing that was typed became a tag or an attribute."""
    for tag, attributes in page.tags:
        assert tag not in ("script", "iframe", "object", "style")
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert tag != "img" or (attributes["src"] or "").startswith("/static/")
    return True


@pytest.mark.parametrize("text", SCRIPTS)
async def test_what_is_typed_into_the_form_comes_back_as_text(browser, text):
    page = await browser.sign_in(text, "wrong")
    assert page.status == 401
    assert page.fields()["username"] == text
    assert only_known_markup(page)


@pytest.mark.parametrize("text", SCRIPTS)
async def test_names_of_people_and_workspaces_are_text(browser, gateway, text):
    gateway.people[text] = "right"
    gateway.workspaces = [make_workspace(text, alias_name=text, description=text)]
    gateway.workspaces[0]["spec"]["manager"] = text
    page = await browser.sign_in(text)
    assert page.status == 200
    assert " ".join(text.split()) in page.text
    assert only_known_markup(page)


async def test_pages_allow_no_script_and_no_frame(browser):
    for page in (await browser.get(), await browser.sign_in()):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert only_known_markup(page)


@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_a_form_without_proof_is_refused(browser, gateway, path):
    form = {**(await browser.get()).fields(), "username": "admin", "password": "right"}
    signed_in = await browser.sign_in()
    assert signed_in.status == 200
    for change in ({"csrf": ""}, {"csrf": "0" * 64}, {"csrf": "ä"}):
        page = await browser.post(path, {**form, **change})
        assert page.status == 403
        assert page.is_login
    without = {name: value for name, value in form.items() if name != "csrf"}
    assert (await browser.post(path, without)).status == 403
    assert len(gateway.sessions) == 1


async def test_a_form_of_one_browser_does_not_serve_another(browser, console):
    other = Browser(console.url)
    form = {**(await other.get()).fields(), "username": "admin", "password": "right"}
    await other.close()
    assert (await browser.post("/login", form)).status == 403
    await browser.get()
    assert (await browser.post("/login", form)).status == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
async def test_a_form_from_another_site_is_refused(browser, origin):
    form = {**(await browser.get()).fields(), "username": "admin", "password": "right"}
    assert (await browser.post("/login", form, headers={"Origin": origin})).status == 403
    assert (await browser.post("/login", form, headers={"Origin": browser.url})).status == 303


@pytest.mark.parametrize(
    "where", ["?next=https://evil.example", "?redirect=//evil.example", "?url=/%5Cevil.example"]
)
async def test_nothing_in_a_request_says_where_a_redirect_leads(browser, where):
    form = {
        **(await browser.get()).fields(),
        "username": "admin",
        "password": "right",
        "next": "//evil.example",
    }
    page = await browser.post(
        f"/login{where}", {**form, "next": "//evil.example"}, headers={"X-Forwarded-Host": "evil.example"}
    )
    assert (page.status, page.headers["Location"]) == (303, "/")
    for path in ("//evil.example", "/\\evil.example", "/%2f%2fevil.example"):
        assert (await browser.get(path)).status in (400, 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 403),
        (b"username=" + b"a" * 5000, 400),
        (b"username=a&username=b", 400),
        (b"&".join(b"f%d=1" % number for number in range(100)), 400),
        (b"username=\xff", 400),
        (b"username=%ff", 400),
        (b"a" * 3_000_000, 413),
    ],
)
async def test_a_form_that_makes_no_sense_is_refused(browser, gateway, body, status):
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.post("/login", body, headers=kind)).status == status
    assert not any(path.endswith("/login") for _, path, _, _ in gateway.asked)


async def test_only_forms_are_taken(browser):
    assert (await browser.post("/login", b"{}", headers={"Content-Type": "application/json"})).status == 415
    assert (await browser.post("/login", b"{}", headers={"Content-Type": "text/plain"})).status == 415


async def test_static_files_are_kept_for_good_and_nothing_else_is_served(browser):
    page = await browser.get()
    (sheet,) = [attributes["href"] for tag, attributes in page.tags if attributes.get("rel") == "stylesheet"]
    answer = await browser.get(sheet)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    for path in (
        "/static/",
        "/static/x/console.css",
        "/static/../app.py",
        sheet + "/../../../app.py",
        sheet + "%00",
    ):
        assert (await browser.get(path)).status in (400, 404)


async def test_the_token_and_password_are_never_logged(browser, console):
    await browser.sign_in("admin", "wrong-hunter2")
    await browser.sign_in()
    assert "hunter2" not in console.log
    assert browser.cookies["token"] not in console.log
