"""The application's files, and the page at every address that it has."""

import pytest

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize(
    "path", ["/", "/login", "/workspaces/demo/projects/x?tab=terminal", "/platform/nodes"]
)
async def test_every_address_of_the_application_is_its_page(browser, path):
    page = await browser.get(path, headers=HTML)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "/assets/index-abc.js" in page.text


async def test_what_a_program_asks_for_and_is_not_there_is_no_page(browser):
    page = await browser.get("/no/such.js", headers={"Accept": "*/*"})
    assert page.status == 404


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"brotli"),
        ("gzip", "gzip", b"gzip"),
        ("br;q=1.0", "br", b"brotli"),
        ("identity", None, b"plain"),
    ],
)
async def test_files_come_compressed_as_the_browser_takes_them(browser, accepted, encoding, body):
    page = await browser.get("/assets/index-abc.js", headers={"Accept-Encoding": accepted})
    assert page.status == 200
    assert page.headers.get("Content-Encoding") == encoding
    assert page.body == body
    assert page.headers["Vary"] == "Accept-Encoding"
    assert page.headers["Content-Type"] == "text/javascript; charset=utf-8"


async def test_files_are_kept_for_good_and_nothing_else_is_served(browser):
    page = await browser.get("/assets/font-abc.woff2")
    assert page.headers["Content-Type"] == "font/woff2"
    assert "immutable" in page.headers["Cache-Control"]
    for path in (
        "/assets/",
        "/assets/index-abc.js.br",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/..%2findex.html",
        "/assets/index-abc.js%00",
    ):
        answer = await browser.get(path)
        assert answer.status in (400, 404), path


async def test_the_page_learns_what_the_platform_has(browser, gateway):
    config = (await browser.get("/config")).json
    assert config["title"] == "A & <B>"
    assert config["links"] == [{"title": "Handbook", "url": "https://handbook.example"}]
    assert config["languages"] == ["en", "zh"]
    assert config["version"]
