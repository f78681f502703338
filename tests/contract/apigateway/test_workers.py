"""Several processes behind one address: as one to whoever looks, and without a request lost as they come and
go.
"""

import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import pytest_asyncio
import yaml
from prometheus_client.parser import text_string_to_metric_families

from devstack.ports import free_port
from harness.asking import load
from harness.gateway import GatewayUnderTest
from harness.waiting import eventually
from ks_apigateway.workers.merge import merged

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2/x"
LONG = 180
"""Seconds in which processes start on a busy machine."""


async def ops(gateway: GatewayUnderTest, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{gateway.ops_url}{path}") as answer:
        return answer.status, await answer.text()


async def ready(gateway: GatewayUnderTest) -> None:
    status, text = await ops(gateway, "/readyz")
    assert status == 200, text


async def count(gateway: GatewayUnderTest, name: str, **labels: str) -> float:
    _, text = await ops(gateway, "/metrics")
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def workers(gateway: GatewayUnderTest) -> set[int]:
    return {child.pid for child in psutil.Process(gateway.service.pid).children()}


def _are(gateway: GatewayUnderTest, number: int, *, without: set[int] = frozenset()) -> set[int]:  # type: ignore[assignment]
    found = workers(gateway)
    assert len(found) == number
    assert not found & without
    return found


@pytest_asyncio.fixture
async def two(start_gateway: Any, tmp_path: Path) -> AsyncIterator[tuple[GatewayUnderTest, Path]]:
    """A gateway of two processes whose routes are in a file."""
    file = tmp_path / "gateway.yaml"
    routes = [{"path": "/kapis", "upstream": "apiserver", "authorize": "identity"}]
    file.write_text(yaml.safe_dump({"routes": routes}))
    async with start_gateway(workers=2, routesFile=str(file)) as gateway:
        await eventually(lambda: ready(gateway), timeout=LONG)
        yield gateway, file
        assert not gateway.failures


@pytest.mark.timeout(900)
async def test_workers_come_and_go_without_a_failed_request(two: tuple[GatewayUnderTest, Path]) -> None:
    """A change of the routes, a rolling replacement (SIGHUP), then the end (SIGTERM), all under load."""
    gateway, file = two
    token = await gateway.sign_in("agw-alice")
    before = _are(gateway, 2)
    async with load(gateway, TENANT, token) as found:
        await eventually(lambda: _more(found.served, 100), timeout=LONG)
        routes = [
            {"path": "/kapis", "upstream": "apiserver", "authorize": "identity"},
            {"path": "/kapis/new", "upstream": "apiserver", "authenticate": "none"},
        ]
        file.write_text(yaml.safe_dump({"routes": routes}))
        await eventually(lambda: _answers(gateway, "/kapis/new", 200), timeout=LONG)
        assert found.failed == []

        os.kill(gateway.service.pid, signal.SIGHUP)
        await eventually(lambda: _are(gateway, 2, without=before), timeout=2 * LONG)
        served = found.served
        await eventually(lambda: _more(found.served, served + 100), timeout=LONG)
        assert found.failed == []
        await eventually(lambda: ready(gateway), timeout=LONG)

        found.may_be_refused = True
        await gateway.service.stop()
    assert found.failed == []
    assert found.served > 200


def _more(number: int, least: int) -> None:
    assert number > least


async def _answers(gateway: GatewayUnderTest, path: str, status: int) -> None:
    for _ in range(8):
        assert (await gateway.get(path)).status == status


async def test_operations_tell_of_all_workers_and_a_dead_one_is_replaced(
    two: tuple[GatewayUnderTest, Path],
) -> None:
    gateway, _ = two
    token = await gateway.sign_in("agw-alice")
    for _ in range(40):
        assert (await gateway.get(TENANT, token=token)).status == 200
    name = "http_server_request_duration_seconds_count"
    assert await count(gateway, name, http_route="/kapis", http_response_status_code="200") == 40
    assert await count(gateway, "gateway_workers") == 2
    _, text = await ops(gateway, "/metrics")
    assert text.count(f"# TYPE {name.removesuffix('_count')} ") == 1

    victim = min(workers(gateway))
    os.kill(victim, signal.SIGKILL)
    await eventually(lambda: _are(gateway, 2, without={victim}), timeout=LONG)
    await eventually(lambda: ready(gateway), timeout=LONG)
    assert await count(gateway, "gateway_worker_restarts_total") == 1
    for _ in range(20):
        assert (await gateway.get(TENANT, token=token)).status == 200
    assert f"worker {0}" in gateway.service.log or "worker 1" in gateway.service.log


async def test_workers_do_not_outlive_their_supervisor(two: tuple[GatewayUnderTest, Path]) -> None:
    gateway, _ = two
    processes = [psutil.Process(pid) for pid in workers(gateway)]
    psutil.Process(gateway.service.pid).kill()

    def gone() -> None:
        assert not [each for each in processes if each.is_running() and each.status() != "zombie"]

    await eventually(gone, timeout=60)


async def test_a_new_certificate_is_shown_without_a_restart(start_gateway: Any, tmp_path: Path) -> None:
    import ssl

    def make(name: str) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-keyout", tmp_path / "tls.key", "-out", tmp_path / "tls.crt", "-days", "2",
             "-subj", f"/CN={name}"],
            check=True, capture_output=True,
        )  # fmt: skip

    def shown() -> str:
        return ssl.get_server_certificate(("127.0.0.1", port))

    make("first")
    port = free_port()
    files = {"tlsCertFile": str(tmp_path / "tls.crt"), "tlsKeyFile": str(tmp_path / "tls.key")}
    async with start_gateway(tlsListen=f"127.0.0.1:{port}", **files) as gateway:
        first = shown()
        (tmp_path / "tls.crt").write_text("nonsense")
        await eventually(lambda: _logged(gateway, "the certificate stays as it was"), timeout=30)
        assert shown() == first
        make("second")

        def changed() -> None:
            assert shown() != first

        await eventually(changed, timeout=30)


def _logged(gateway: GatewayUnderTest, text: str) -> None:
    assert text in gateway.service.log


def test_metrics_of_processes_are_added_up_where_that_makes_sense() -> None:
    texts = [
        "# TYPE a counter\n"
        f'a_total{{x="1"}} {value}\na_created{{x="1"}} 1.7e9\n'
        f"# TYPE gateway_sessions_tracked gauge\ngateway_sessions_tracked {tracked}\n"
        f"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {value}00\n"
        "# TYPE h histogram\n"
        f'h_bucket{{le="1.0"}} {value}\nh_bucket{{le="+Inf"}} {value}\nh_count {value}\nh_sum 0.5\n'
        for value, tracked in ((2, 1), (3, 0))
    ]
    found = {
        (sample.name, sample.labels.get("le", "")): sample.value
        for family in text_string_to_metric_families(merged(texts, workers=2, restarts=5).decode())
        for sample in family.samples
    }
    assert found["a_total", ""] == 5
    assert found["gateway_sessions_tracked", ""] == 0
    assert found["process_start_time_seconds", ""] == 200
    assert (found["h_bucket", "1.0"], found["h_count", ""], found["h_sum", ""]) == (5, 5, 1.0)
    assert (found["gateway_workers", ""], found["gateway_worker_restarts_total", ""]) == (2, 5)
    assert ("a_created", "") not in found


@pytest.mark.parametrize("text", ["", "# TYPE a counter\n"])
def test_a_process_without_metrics_spoils_nothing(text: str) -> None:
    assert b"gateway_workers 1.0" in merged([text], workers=1, restarts=0)
