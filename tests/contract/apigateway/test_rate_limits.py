"""Who asks too often waits, and nobody else does."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.waiting import eventually
from ks_apigateway.ratelimit.buckets import Buckets
from ks_apigateway.ratelimit.limiter import network_of
from ks_apigateway.ratelimit.settings import Rate

PUBLIC = "/kapis/v1alpha1/configz"
TENANT = "/kapis/tenant.kubesphere.io/v1alpha2/x"


async def _until_refused(gateway: Any, path: str, **options: Any) -> Any:
    for _ in range(10):
        answer = await gateway.get(path, **options)
        if answer.status != 200:
            return answer
    raise AssertionError("nothing was refused")


async def test_a_user_who_asks_too_often_waits_and_others_do_not(start_gateway: Any) -> None:
    """GATEWAY-28"""
    async with start_gateway(rateLimits={"perUser": {"rate": 0.01, "burst": 3}}) as gateway:
        alice, again = await gateway.sign_in("agw-alice"), await gateway.sign_in("agw-alice", iat=1)
        bob = await gateway.sign_in("agw-bob")
        refused = await _until_refused(gateway, TENANT, token=alice)
        assert refused.status == 429
        assert refused.json["reason"] == "TooManyRequests"
        assert 0 < int(refused.headers["retry-after"]) <= 101
        assert len(gateway.upstream.received) == 3
        assert (await gateway.get(TENANT, token=again)).status == 429, "another session of the same user"
        assert (await gateway.get(TENANT, token=bob)).status == 200
        assert (await gateway.get(PUBLIC)).status == 200
        assert (await gateway.get("/healthz")).status == 200


async def test_an_address_that_asks_too_often_waits_token_or_not(start_gateway: Any) -> None:
    limits = {"perAddress": {"rate": 0.01, "burst": 4}}
    async with start_gateway(rateLimits=limits, trustedProxies=["127.0.0.0/8"]) as gateway:
        for _ in range(2):
            assert (await gateway.get(TENANT, "X-Forwarded-For: 192.0.2.1")).status == 401
            assert (await gateway.get(PUBLIC, "X-Forwarded-For: 192.0.2.1")).status == 200
        assert (await gateway.get(PUBLIC, "X-Forwarded-For: 192.0.2.1")).status == 429
        assert (await gateway.get(TENANT, "X-Forwarded-For: 192.0.2.1")).status == 429
        assert (await gateway.get(PUBLIC, "X-Forwarded-For: 192.0.2.2")).status == 200


async def test_a_route_has_a_limit_of_its_own(start_gateway: Any, tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"

    def write(burst: int) -> None:
        routes = [
            {"path": "/slow", "upstream": "apiserver", "authenticate": "none", "maxBody": "1Ki",
             "rateLimit": {"rate": 0.01, "burst": burst, "by": "all"}},
            {"path": "/fast", "upstream": "apiserver", "authenticate": "none"},
        ]  # fmt: skip
        file.write_text(yaml.safe_dump({"routes": routes}))

    write(2)
    async with start_gateway(routesFile=str(file)) as gateway:
        assert (await _until_refused(gateway, "/slow")).status == 429
        assert (await gateway.get("/fast")).status == 200
        write(5)

        async def changed() -> None:
            assert (await gateway.get("/slow")).status == 200

        await eventually(changed, timeout=30)
        body = b"x" * 2000
        head = "POST /{} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2000\r\n\r\n"
        assert (await gateway.ask(head.format("slow"), body)).status == 413
        assert (await gateway.ask(head.format("fast"), body)).status == 200


async def test_a_route_has_timeouts_of_its_own(start_gateway: Any, tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    public = {"upstream": "apiserver", "authenticate": "none"}
    routes = [
        {"path": "/first", "firstByteTimeout": "1s", **public},
        {"path": "/body", "bodyTimeout": "1s", **public},
        {"path": "/answer", "answerTimeout": "1s", **public},
    ]
    file.write_text(yaml.safe_dump({"routes": routes}))
    async with start_gateway(routesFile=str(file)) as gateway:
        assert (await gateway.get("/first?do=hang")).status == 504
        head = "POST /body HTTP/1.1\r\nHost: gateway\r\nContent-Length: 5\r\n\r\n"
        assert (await gateway.ask(head, b"ab")).status == 408
        gateway.upstream.release.clear()
        async with gateway.wire() as wire:
            await wire.send("GET /answer?do=events HTTP/1.1\r\nHost: gateway\r\n\r\n")
            await wire.head()
            assert await wire.chunk() == b"first\n"
            assert await wire.ended()


def test_a_bucket_refills_with_its_rate_up_to_its_burst() -> None:
    buckets = Buckets(Rate(rate=2, burst=3), 1000)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("a", 0.25) == 0.25
    assert buckets.take("a", 0.5) == 0
    assert buckets.take("a", 0.5) == 0.5
    assert [buckets.take("a", 1000.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b", 0.5) == 0


def test_what_is_remembered_of_clients_is_bounded() -> None:
    buckets = Buckets(Rate(rate=1), 100)
    assert buckets.take("regular", 0.0) == 0
    for number in range(10_000):
        buckets.take(str(number), 0.0)
        buckets.take("regular", 0.0)
    assert len(buckets) == 100
    assert buckets.take("regular", 0.0) > 0, "who asks all the time is not forgotten"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("nonsense", "nonsense"),
    ],
)
def test_one_client_has_a_whole_network_of_version_six(address: str, network: str) -> None:
    assert network_of(address) == network
