"""Sessions end when ks-account ends them, and nobody is let in while Redis cannot be asked."""

import asyncio
from pathlib import Path
from typing import Any

from harness.gateway import GatewayUnderTest
from harness.servers import running_redis
from harness.waiting import eventually

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"


async def test_a_revoked_token_is_refused_within_a_second(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-revoked")
    assert (await gateway.get(TENANT, token=token)).status == 200
    await gateway.sign_out("agw-revoked", token)
    await asyncio.sleep(1)
    answer = await gateway.get(TENANT, token=token)
    assert answer.headers["www-authenticate"] == "Unauthorized,illegal token"


async def test_a_busy_token_is_refused_too(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-busy")
    await gateway.get(TENANT, token=token)
    await gateway.sign_out("agw-busy", token)
    end = asyncio.get_running_loop().time() + 1
    while asyncio.get_running_loop().time() < end:
        await gateway.get(TENANT, token=token)
    assert (await gateway.get(TENANT, token=token)).status == 401


async def test_without_redis_nobody_is_let_in_and_all_are_once_it_is_back(
    start_gateway: Any, tmp_path: Path
) -> None:
    async with running_redis(tmp_path) as own, start_gateway(redis_port=own.port) as gateway:
        token = await gateway.sign_in("agw-alice")
        assert (await gateway.get(TENANT, token=token)).status == 200
        await own.stop(hard=True)

        async def refused() -> None:
            answer = await gateway.get(TENANT, token=token)
            assert answer.status == 503
            assert answer.json["message"].startswith("redis is not available")
            assert answer.headers["retry-after"]

        await eventually(refused)
        assert (await gateway.get("/kapis/v1alpha1/configz")).status == 200, "it needs no session"
        assert (await gateway.get(TENANT, "Authorization: Bearer x")).status == 401, "it needs no Redis"
        await own.start()

        async def served() -> None:
            token = await gateway.sign_in("agw-alice")
            assert (await gateway.get(TENANT, token=token)).status == 200

        await eventually(served)


async def test_a_gateway_that_starts_without_redis_says_so(start_gateway: Any, tmp_path: Path) -> None:
    async with running_redis(tmp_path) as own:
        await own.stop()
        async with start_gateway(redis_port=own.port) as gateway:

            async def unready() -> None:
                answer = await gateway.get("/readyz")
                assert answer.status == 503
                redis = answer.json["dependencies"]["redis"]
                assert not redis["ready"]
                assert "Connect" in redis["reason"] or "connect" in redis["reason"]

            await eventually(unready)
            assert (await gateway.get("/healthz")).status == 200
