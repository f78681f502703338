"""Dependencies that are slow, or down, and come back: the service answers all the while, and names them."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from harness.small_service import demo_group, serving
from harness.waiting import eventually
from servicekit.app import _is_loopback
from servicekit.health import Health


class Scripted:
    """A dependency that does what the test says."""

    def __init__(self, name: str, log: list[str] | None = None):
        self.name = name
        self.log = [] if log is None else log
        self.failure: Exception | None = None
        self.hang = False
        self.open_failure: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def open(self) -> None:
        self.log.append(f"open {self.name}")
        if self.gate:
            await self.gate.wait()
        if self.open_failure:
            raise self.open_failure

    async def check(self) -> None:
        if self.hang:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure

    async def close(self) -> None:
        self.log.append(f"close {self.name}")


async def readiness(client):
    answer = await client.get("/readyz")
    return answer.status, await answer.json()


async def test_a_service_without_needs_is_ready(serve):
    client = await serve(demo_group())
    assert await readiness(client) == (200, {"status": "ok", "dependencies": {}})


async def test_what_is_only_wanted_is_named_and_the_service_is_ready_without_it(serve):
    mysql = Scripted("mysql")
    mysql.failure = ConnectionRefusedError("connection refused at mysql:3306")
    parts = {"needs": [Scripted("redis")], "wants": [mysql]}
    client = await serve(demo_group(), parts=parts, check_interval=0.05, check_timeout=0.2)

    async def ready_without_it():
        status, body = await readiness(client)
        assert (status, body["status"]) == (200, "ok")
        said = body["dependencies"]["mysql"]
        assert (said["ready"], said["optional"]) == (False, True)
        assert said["reason"] == "connection refused at mysql:3306"

    await eventually(ready_without_it, timeout=10)
    mysql.failure = None

    async def it_is_back():
        assert (await readiness(client))[1]["dependencies"]["mysql"]["ready"]

    await eventually(it_is_back, timeout=10)
    assert mysql.log == ["open mysql"]


async def test_a_lost_dependency_is_named_and_its_return_noticed(serve):
    redis, ldap = Scripted("redis"), Scripted("ldap")
    redis.failure = ConnectionRefusedError("connection refused at redis:6379")
    client = await serve(demo_group(), parts={"needs": [redis, ldap]}, check_interval=0.05, check_timeout=0.2)

    async def ldap_is_ready():
        assert (await readiness(client))[1]["dependencies"]["ldap"]["ready"]

    await eventually(ldap_is_ready, timeout=10)
    status, body = await readiness(client)
    assert (status, body["status"]) == (503, "unavailable")
    assert body["dependencies"]["redis"]["reason"] == "connection refused at redis:6379"
    assert (await client.get("/healthz")).status == 200

    redis.failure = None

    async def everything_is_ready():
        assert (await readiness(client))[0] == 200

    await eventually(everything_is_ready, timeout=10)
    ldap.hang = True

    async def ldap_is_down():
        assert (await readiness(client))[0] == 503

    await eventually(ldap_is_down, timeout=10)


async def test_a_dependency_that_hangs_delays_neither_the_others_nor_the_socket(serve):
    slow, quick = Scripted("slow"), Scripted("quick")
    slow.hang = True
    needs = {"needs": [slow, quick]}
    client = await serve(demo_group(), parts=needs, check_interval=0.05, check_timeout=0.2)

    async def the_reason_is_the_time():
        dependencies = (await readiness(client))[1]["dependencies"]
        assert dependencies["quick"]["ready"]
        assert "no answer within 0.2 s" in dependencies["slow"]["reason"]

    await eventually(the_reason_is_the_time, timeout=10)


async def test_a_dependency_that_takes_long_to_open_is_left_to_it(serve):
    patient = Scripted("patient")
    patient.gate = asyncio.Event()
    client = await serve(demo_group(), parts={"needs": [patient]}, check_interval=0.05, check_timeout=0.1)

    async def it_is_being_opened():
        assert "still being opened" in str((await readiness(client))[1])

    await eventually(it_is_being_opened, timeout=10)
    patient.gate.set()

    async def it_is_ready():
        assert (await readiness(client))[0] == 200

    await eventually(it_is_ready, timeout=10)


async def test_a_dependency_that_cannot_be_opened_yet_is_opened_later(serve):
    late = Scripted("late")
    late.open_failure = OSError("no such host")
    client = await serve(demo_group(), parts={"needs": [late]}, check_interval=0.05)

    async def its_reason_shows():
        assert "no such host" in str((await readiness(client))[1])

    await eventually(its_reason_shows, timeout=10)
    late.open_failure = None

    async def it_is_ready():
        assert (await readiness(client))[0] == 200

    await eventually(it_is_ready, timeout=10)
    assert late.log.count("open late") >= 2


async def test_dependencies_are_closed_in_reverse_and_one_failure_stops_no_other():
    log: list[str] = []
    first, second = Scripted("first", log), Scripted("second", log)

    async def fail() -> None:
        log.append("close second")
        raise RuntimeError("cannot close")

    second.close = fail
    health = Health([first, second], interval=1, timeout=1)
    health.start()
    await asyncio.sleep(0)
    await health.stop()
    assert log[-2:] == ["close second", "close first"]


async def test_background_work_runs_beside_requests_and_is_cancelled_at_the_end():
    log: list[str] = []

    async def work() -> None:
        log.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            log.append("ended")

    async def broken() -> None:
        raise RuntimeError("no")

    async with serving(demo_group(), parts={"background": [work, broken]}) as client:
        assert (await client.get("/healthz")).status == 200
        assert log == ["begun"]
    assert log == ["begun", "ended"]


async def test_a_long_answer_learns_that_the_service_stops():
    group = demo_group()
    entered = asyncio.Event()

    @group.get("/watch", stream=True)
    async def watch(health: Health) -> str:
        entered.set()
        await health.stopping.wait()
        return "until next time"

    async with serving(group, shutdown_grace=60) as client:
        client.session = aiohttp.ClientSession()  # the one it has is closed before the service is
        request = asyncio.create_task(client.get("/watch"))
        await entered.wait()
    answer = await request
    assert await answer.json() == "until next time"
    await client.session.close()


async def test_metrics_count_by_template_and_not_by_path(serve):
    group = demo_group()

    @group.get("/things/{name}")
    async def thing(name: str) -> None: ...

    client = await serve(group)
    for name in ("a", "b"):
        await client.get(f"/things/{name}")
    await client.ask("BREW", "/made-up-path")
    text = await (await client.get("/metrics")).text()
    line = 'http_route="/things/{name}"'
    assert any(line in row and "_count" in row for row in text.splitlines())
    assert "made-up-path" not in text
    assert "BREW" not in text
    assert "process_resident_memory_bytes" in text


def _secret() -> web.RouteDef:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"said": "all"})

    return web.get("/debug/all", answer)


async def test_what_is_for_the_machine_itself_is_not_there_for_others(serve, monkeypatch):
    client = await serve(demo_group(), parts={"local": [_secret()]})
    answer = await client.get("/debug/all")
    assert (answer.status, await answer.json()) == (200, {"said": "all"})
    monkeypatch.setattr("servicekit.app._is_loopback", lambda _: False)
    assert (await client.get("/debug/all")).status == 404


@pytest.mark.parametrize(
    ("address", "local"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.1.2.3", False), ("::2", False)],
)
def test_the_machine_itself_is_told_by_its_address(address, local):
    assert _is_loopback(address) is local
