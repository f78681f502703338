"""Who did what is on record, in the shape of Kubernetes' audit; secrets are not, and no request waits."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from devstack.ports import free_port
from harness.gateway import GatewayUnderTest
from harness.waiting import eventually
from ks_apigateway.audit import webhook
from ks_apigateway.audit.file import FileSink
from ks_apigateway.audit.settings import FileSettings, WebhookSettings
from ks_apigateway.audit.webhook import NotTaken, WebhookSink

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"
IAM = "/kapis/iam.kubesphere.io/v1alpha2"


class Collector:
    """A webhook's receiver: a small HTTP server that keeps what it is sent, and answers what it is told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self.authorization: set[str] = set()
        self.statuses: list[int] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        assert (body["kind"], body["apiVersion"]) == ("EventList", "audit.k8s.io/v1")
        self.authorization.add(request.headers.get("Authorization", ""))
        self.batches.append(len(body["items"]))
        self.events += body["items"]
        return web.Response()


@pytest_asyncio.fixture(scope="module")
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    found = Collector()
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_post("/audit", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield found, f"http://127.0.0.1:{port}/audit"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module")
async def audited(
    start_gateway: Any, collector: tuple[Collector, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[GatewayUnderTest, Path]]:
    """A gateway that audits everything, bodies too, to a file, to standard output and to a webhook."""
    file = tmp_path_factory.mktemp("audit") / "audit.log"
    audit = {
        "level": "RequestResponse", "stdout": True, "file": {"path": str(file)},
        "webhook": {"url": collector[1], "token": "the-token-of-the-webhook"},
    }  # fmt: skip
    async with start_gateway(audit=audit) as gateway:
        yield gateway, file
        assert not gateway.failures


def events(file: Path, request_id: str, stage: str = "ResponseComplete") -> list[dict[str, Any]]:
    lines = file.read_text().splitlines() if file.exists() else []
    found = [json.loads(line) for line in lines if f'"{request_id}"' in line]
    return [each for each in found if each["stage"] == stage]


async def the_event(file: Path, request_id: str, stage: str = "ResponseComplete") -> dict[str, Any]:
    """The one event of a request."""

    def written() -> dict[str, Any]:
        found = events(file, request_id, stage)
        assert len(found) == 1
        return found[0]

    return await eventually(written, timeout=30)


async def test_an_event_tells_who_did_what_where_and_with_what_result(
    audited: tuple[GatewayUnderTest, Path], collector: tuple[Collector, str]
) -> None:
    gateway, file = audited
    token = await gateway.sign_in("agw-alice", groups=["devs"])
    path = f"{TENANT}/namespaces/ns1/pods/web/log?token={token}&a=b"
    await gateway.get(path, "X-Request-Id: shape", "User-Agent: test/1", method="DELETE")
    event = await the_event(file, "shape")
    told = ("kind", "apiVersion", "level", "verb", "requestURI", "sourceIPs")
    assert {key: event[key] for key in told} == {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "verb": "delete",
        "requestURI": f"{TENANT}/namespaces/ns1/pods/web/log?token=***&a=b", "sourceIPs": ["127.0.0.1"],
    }  # fmt: skip
    assert event["user"] == {"username": "agw-alice", "groups": ["devs", "system:authenticated"]}
    assert event["objectRef"] == {
        "resource": "pods", "namespace": "ns1", "name": "web", "subresource": "log",
        "apiGroup": "tenant.kubesphere.io", "apiVersion": "v1alpha2",
    }  # fmt: skip
    assert event["responseStatus"]["code"] == 200
    assert event["userAgent"] == "test/1"
    assert event["requestReceivedTimestamp"] <= event["stageTimestamp"]
    assert event["annotations"]["authorization.k8s.io/decision"] == "allow"
    found, _ = collector
    await eventually(lambda: _includes(found.events, event), timeout=30)
    assert found.authorization == {"Bearer the-token-of-the-webhook"}
    assert '"kind":"Event"' in gateway.service.log


def _includes(found: list[dict[str, Any]], event: dict[str, Any]) -> None:
    assert event in found


async def test_refusals_are_on_record_with_their_reason(audited: tuple[GatewayUnderTest, Path]) -> None:
    gateway, file = audited
    token = await gateway.sign_in("agw-alice")
    await gateway.get(f"{IAM}/users/agw-bob", "X-Request-Id: refused", token=token, method="DELETE")
    await gateway.get(f"{IAM}/users", "X-Request-Id: stranger")
    refused = await the_event(file, "refused")
    assert refused["responseStatus"]["code"] == 403
    assert refused["annotations"]["authorization.k8s.io/decision"] == "forbid"
    stranger = await the_event(file, "stranger")
    assert stranger["responseStatus"]["code"] == 401
    assert stranger["user"] == {"username": "system:anonymous", "groups": ["system:unauthenticated"]}


@pytest.mark.parametrize(
    ("path", "token"),
    [(f"{IAM}/login", False), (f"{TENANT}/namespaces/a/secrets", True), (f"{TENANT}/git/verify", True)],
)
async def test_bodies_that_are_secrets_are_never_written(
    audited: tuple[GatewayUnderTest, Path], path: str, token: bool
) -> None:
    gateway, file = audited
    body = b'{"username": "agw-alice", "anything": "hunter-one"}'
    held = await gateway.sign_in("agw-alice")
    name = path.rpartition("/")[2]
    authorization = f"Authorization: Bearer {held}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: gateway\r\nX-Request-Id: {name}\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    assert (await gateway.ask(head, body)).status == 200
    event = await the_event(file, name)
    assert event["level"] == "Metadata"
    text = file.read_text()
    assert "hunter-one" not in text
    assert held not in text


async def test_secrets_in_other_bodies_are_masked(audited: tuple[GatewayUnderTest, Path]) -> None:
    gateway, file = audited
    token = await gateway.sign_in("agw-alice")
    body = json.dumps(
        {
            "replicas": 3, "rootPassword": "hunter-two",
            "env": [{"name": "DB_TOKEN", "value": "hunter-three"}, {"name": "COLOUR", "value": "blue"}],
            "nested": [{"kind": "Secret", "data": {"a": "hunter-four"}}],
        }
    ).encode()  # fmt: skip
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = (
        f"POST {TENANT}/widgets HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
        "X-Request-Id: masked\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    await gateway.ask(head, chunked)
    event = await the_event(file, "masked")
    sent = event["requestObject"]
    assert (sent["replicas"], sent["env"][1]["value"]) == (3, "blue")
    assert event["responseObject"]["method"] == "POST"
    assert "hunter" not in json.dumps(event)


async def test_a_body_past_the_limit_is_left_out(audited: tuple[GatewayUnderTest, Path]) -> None:
    gateway, file = audited
    token = await gateway.sign_in("agw-alice")
    body = json.dumps({"text": "x" * 100_000}).encode()
    head = (
        f"POST {TENANT}/widgets HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
        f"X-Request-Id: large\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    assert (await gateway.ask(head, body)).json["length"] == len(body)
    event = await the_event(file, "large")
    assert "requestObject" not in event
    assert event["annotations"]["audit.k8s.io/truncated"] == "true"


async def test_a_watch_is_on_record_while_it_runs(audited: tuple[GatewayUnderTest, Path]) -> None:
    gateway, file = audited
    token = await gateway.sign_in("agw-alice")
    gateway.upstream.release.clear()
    async with gateway.wire() as wire:
        await wire.send(
            f"GET {TENANT}/pods?do=events&watch=true HTTP/1.1\r\nHost: gateway\r\n"
            f"X-Request-Id: watching\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        await wire.head()
        await the_event(file, "watching", "RequestReceived")
        assert not events(file, "watching")
        gateway.upstream.release.set()
        await wire.chunk()
        await wire.chunk()
        await wire.chunk()
    assert (await the_event(file, "watching"))["responseStatus"]["code"] == 200


async def test_a_sink_that_takes_nothing_delays_no_request(start_gateway: Any) -> None:
    audit = {"queue": "64Ki", "webhook": {"url": f"http://127.0.0.1:{free_port()}/", "attempts": 100}}
    async with start_gateway(audit=audit) as gateway:
        token = await gateway.sign_in("agw-alice")
        path = f"{TENANT}/x?a={'x' * 1500}"
        for _ in range(100):
            assert (await gateway.get(path, token=token)).status == 200

        async def told() -> None:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{gateway.ops_url}/metrics") as answer,
            ):
                text = await answer.text()
            line = next(each for each in text.splitlines() if 'outcome="dropped",sink="webhook"' in each)
            assert float(line.split()[-1]) > 20

        await eventually(told, timeout=30)


async def test_routes_say_how_much_is_audited(start_gateway: Any, tmp_path: Path) -> None:
    import yaml

    file, log = tmp_path / "gateway.yaml", tmp_path / "audit.log"
    public = {"upstream": "apiserver", "authenticate": "none"}
    routes = [{"path": "/quiet", "audit": "None", **public}, {"path": "/loud", **public}]
    file.write_text(yaml.safe_dump({"routes": routes}))
    audit = {"file": {"path": str(log)}, "omitVerbs": ["delete"]}
    async with start_gateway(routesFile=str(file), audit=audit) as gateway:
        await gateway.get("/quiet", "X-Request-Id: quiet")
        await gateway.get("/loud", "X-Request-Id: omitted", method="DELETE")
        await gateway.get("/loud", "X-Request-Id: loud")
        assert (await the_event(log, "loud"))["level"] == "Metadata"
    assert "quiet" not in log.read_text()
    assert "omitted" not in log.read_text()


def in_folder(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_file_is_moved_before_it_grows_too_large_also_by_two_processes(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    settings = FileSettings(path=path, max_size=64 * 1024, backups=100)
    sinks = [FileSink(settings), FileSink(settings)]
    lines = [[b'{"sink":%d,"line":%d,"x":"%b"}\n' % (n, i, b"x" * 900) for i in range(200)] for n in (0, 1)]

    async def write(sink: FileSink, own: list[bytes]) -> None:
        for start in range(0, len(own), 20):
            await sink.write(own[start : start + 20])

    await asyncio.gather(*(write(sink, own) for sink, own in zip(sinks, lines, strict=True)))
    files = [each for each in in_folder(tmp_path) if each.suffix != ".lock"]
    assert len(files) > 3
    assert all(each.stat().st_size <= 64 * 1024 for each in files)
    written = [line for each in files for line in each.read_bytes().splitlines(keepends=True)]
    assert sorted(written) == sorted(lines[0] + lines[1])


async def test_only_so_many_moved_files_are_kept(tmp_path: Path) -> None:
    sink = FileSink(FileSettings(path=tmp_path / "audit.log", max_size=64 * 1024, backups=2))
    for number in range(12):
        await sink.write([b"%02d" % number + b"x" * 40_000 + b"\n"])
    assert {each.name for each in in_folder(tmp_path)} == {
        "audit.log", "audit.log.1", "audit.log.2", "audit.log.lock",
    }  # fmt: skip
    assert (tmp_path / "audit.log.1").read_bytes().startswith(b"10")


async def test_a_batch_that_the_webhook_did_not_take_is_sent_again(
    collector: tuple[Collector, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "FIRST_PAUSE", 0.01)
    found, url = collector
    sink = WebhookSink(WebhookSettings(url=url, batch=10, attempts=4))
    try:
        found.statuses = [503, 429, 500]
        await sink.write([b'{"auditID":"again"}\n'])
        assert [each for each in found.events if each.get("auditID") == "again"] == [{"auditID": "again"}]
        found.statuses = [400, 400]
        with pytest.raises(NotTaken, match="400"):
            await sink.write([b'{"auditID":"refused"}\n'])
        assert found.statuses == [400], "what is refused for good is not sent again"
    finally:
        found.statuses = []
        await sink.close()
