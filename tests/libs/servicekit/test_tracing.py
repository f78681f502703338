"""Traces: continued from who asks, told to whom is asked, exported where the configuration says so."""

import subprocess
import sys

import pytest
from aiohttp import web

from harness.small_service import demo_group, make_config, serving
from harness.waiting import eventually
from servicekit.clients import client_session

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def asking_group(url: str):
    group = demo_group()

    @group.get("/ask/{what}")
    async def ask(what: str) -> dict[str, str]:
        async with client_session(timeout=5) as session, session.get(url) as answer:
            return await answer.json()

    return group


@pytest.fixture
async def mirror():
    """A server that answers with the headers it was asked with, and keeps what it was posted."""
    posted: list[bytes] = []

    async def echo(request: web.Request) -> web.Response:
        return web.json_response({name.lower(): value for name, value in request.headers.items()})

    async def keep(request: web.Request) -> web.Response:
        posted.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_get("/", echo)
    app.router.add_post("/v1/traces", keep)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", posted
    await runner.cleanup()


async def test_without_tracing_the_trace_and_request_id_pass_through(serve, mirror):
    client = await serve(asking_group(mirror[0]))
    answer = await client.get("/ask/x", headers={"traceparent": PARENT, "X-Request-Id": "r1"})
    seen = await answer.json()
    assert (seen["traceparent"], seen["x-request-id"]) == (PARENT, "r1")


async def test_a_malformed_trace_is_not_passed_on(serve, mirror):
    client = await serve(asking_group(mirror[0]))
    answer = await client.get("/ask/x", headers={"traceparent": "00-nonsense"})
    assert "traceparent" not in await answer.json()


async def test_with_tracing_spans_continue_the_trace_and_are_exported(serve, mirror):
    url, posted = mirror
    config = make_config()
    config = config.model_copy(update={"tracing": config.tracing.model_copy(update={"endpoint": url})})
    async with serving(asking_group(url), config=config) as client:
        answer = await client.get("/ask/x", headers={"traceparent": PARENT})
        passed_on = (await answer.json())["traceparent"]
        assert passed_on != PARENT
        assert passed_on.split("-")[1] == TRACE

    def the_span_has_arrived():
        assert any(bytes.fromhex(TRACE) in body and b"GET /ask/{what}" in body for body in posted)

    await eventually(the_span_has_arrived, timeout=15)


async def test_a_collector_that_is_down_does_not_keep_the_service_from_serving_or_stopping():
    config = make_config()
    tracing = config.tracing.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    async with serving(demo_group(), config=config.model_copy(update={"tracing": tracing})) as client:
        assert (await client.get("/healthz")).status == 200
        assert (await client.get("/nowhere")).status == 404


def test_slow_imports_are_left_out_until_they_are_needed():
    code = "import sys, servicekit.run; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packages = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert packages.isdisjoint({"opentelemetry", "gunicorn", "requests", "jwt", "cryptography", "hypothesis"})
