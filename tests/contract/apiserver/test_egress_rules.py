"""Which addresses are reached for a caller, whatever way they are written in."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from devstack.ports import LOOPBACK
from ks_apiserver.egress.client import Egress, EgressError
from ks_apiserver.egress.config import EgressSection
from ks_apiserver.egress.rules import Rules

BY_NAME = Rules.of(["*.corp", "registry.corp"])


@given(st.ip_addresses())
def test_nothing_but_the_public_internet_is_reached_by_default(address):
    allowed = Rules.of([]).allow("host.example.org", str(address), 443)
    assert not allowed or (address.is_global and not address.is_loopback and not address.is_link_local)


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_judged_as_itself(address: IPv4Address):
    plain = Rules.of([]).allow("host", str(address), 443)
    for within in (f"::ffff:{address}", f"64:ff9b::{address}", str(_six_to_four(address))):
        assert Rules.of([]).allow("host", within, 443) == plain, within


def _six_to_four(address: IPv4Address) -> IPv6Address:
    return IPv6Address(0x2002 << 112 | int(address) << 80 | 1)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "169.254.169.254", "::1", "fe80::1", "0.0.0.0", "224.0.0.1"]
)
def test_a_name_that_is_allowed_never_leads_to_this_machine_or_its_links(address):
    assert not BY_NAME.allow("registry.corp", address, 443)
    assert BY_NAME.allow("registry.corp", "10.0.0.1", 443)
    assert not BY_NAME.allow("registry.corp.example.org", "10.0.0.1", 443)


def test_where_only_what_is_allowed_is_reached_nothing_else_is():
    rules = Rules.of(["registry.corp:5000", "10.0.0.0/8"], only_allowed=True)
    assert rules.allow("registry.corp", "8.8.8.8", 5000)
    assert not rules.allow("registry.corp", "8.8.8.8", 443)
    assert not rules.allow("example.org", "8.8.8.8", 443)
    assert rules.allow("example.org", "10.1.2.3", 443)


@pytest.mark.parametrize("text", ["", "a b", "http://host", "host:0", "host:70000", "*.", "a/b"])
def test_a_rule_that_cannot_be_read_is_told_at_the_start(text):
    with pytest.raises(ValueError, match=r"host|port"):
        Rules.of([text])


@pytest.fixture
async def server():
    """A server that answers endlessly, or never; and how often it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if request.path == "/silent":
            await asyncio.sleep(60)
        return web.Response(body=b"x" * 10_000)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    yield runner.addresses[0][1], asked
    await runner.cleanup()


async def got(url: str, **section: object) -> str:
    """What became of asking: a status, or what the error says."""
    egress = Egress(EgressSection.model_validate(section))
    await egress.open()
    try:
        return str((await egress.get(url)).status)
    except EgressError as error:
        return str(error)
    finally:
        await egress.close()


async def test_an_answer_that_is_too_large_or_too_slow_is_given_up(server):
    port, _ = server
    allow = [f"127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    assert await got(f"{url}/", allow=allow) == "200"
    assert "more than 1024 bytes" in await got(f"{url}/", allow=allow, maxAnswer=1024)
    assert "cannot be reached" in await got(f"{url}/silent", allow=allow, timeout="200ms")


async def test_a_name_that_resolves_to_this_machine_is_not_connected_to(server, monkeypatch):
    """A name may resolve to another address each time: what was checked is what is connected to."""
    port, asked = server
    answers = iter(["8.8.8.8", "127.0.0.1"])

    async def resolve(host, port, **_):
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (next(answers), port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve, raising=False)
    assert ip_address("8.8.8.8").is_global
    for _ in range(2):
        assert "cannot be reached" in await got(f"http://rebinding.example.org:{port}/", timeout="1s")
    assert asked == []
