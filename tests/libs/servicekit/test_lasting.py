"""Answers that are remembered while what they were made from stays as it is."""

import json
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractAccessLogger

from harness.small_service import BOB, SIGNER, demo_group, error_of, make_config, serving, signed
from servicekit import lasting
from servicekit.group import Group
from servicekit.identity import IDENTITY_HEADER, Identity
from servicekit.lasting import Lasting

ALICE = Identity("alice", (), "203.0.113.8")


class Shelf:
    """Something that changes, and a group that answers it with how often it was asked."""

    def __init__(self) -> None:
        self.version = 0
        self.asked = 0
        self.body = "x"
        self.group = self._group()

    def _group(self) -> Group:
        group = demo_group()

        @group.get("/shelf/{name}", etag=True)
        async def look(caller: Identity, name: str, size: int = 0) -> Lasting[dict[str, Any]]:
            self.asked += 1
            version = self.version
            found = {"user": caller.user, "groups": caller.groups, "name": name, "body": self.body * size}
            return Lasting({**found, "version": version}, lambda: self.version == version)

        return group


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def test_the_same_question_is_answered_from_memory_until_something_changes(shelf, serve):
    client = await serve(shelf.group)
    first = await client.get("/shelf/a")
    for _ in range(3):
        again = await client.get("/shelf/a")
        assert (again.status, await again.json()) == (200, await first.json())
    assert shelf.asked == 1

    shelf.version += 1
    assert (await (await client.get("/shelf/a")).json())["version"] == 1
    assert (await (await client.get("/shelf/a")).json())["version"] == 1
    assert shelf.asked == 2


async def test_an_answer_from_memory_looks_like_the_first(shelf, serve):
    client = await serve(shelf.group)
    named = {"headers": {"X-Request-Id": "mine"}}
    first, again = [await client.get("/shelf/a", **named) for _ in range(2)]
    assert shelf.asked == 1

    def told(answer: aiohttp.ClientResponse) -> dict[str, str]:
        return {name: value for name, value in answer.headers.items() if name != "Date"}

    assert told(again) == told(first)
    assert again.headers["X-Request-Id"] == "mine"
    assert (await client.get("/shelf/a")).headers["X-Request-Id"] not in ("", "mine")


@pytest.mark.parametrize(
    "who", [ALICE, Identity("bob"), Identity("bob", ("developers", "admins")), Identity("bob", ("admins",))]
)
async def test_nobody_gets_the_answer_of_somebody_else(shelf, serve, who):
    client = await serve(shelf.group)
    await client.get("/shelf/a")
    answer = await (await client.get("/shelf/a", headers=signed(who))).json()
    assert (answer["user"], answer["groups"]) == (who.user, list(who.groups))
    assert shelf.asked == 2


@pytest.mark.parametrize("path", ["/shelf/b", "/shelf/a?size=1", "/shelf/a%20"])
async def test_another_path_is_another_question(shelf, serve, path):
    client = await serve(shelf.group)
    await client.get("/shelf/a")
    assert (await client.get(path)).status == 200
    assert shelf.asked == 2


@pytest.mark.parametrize("header", ["", "not.an.identity", SIGNER.sign(BOB, now=0), SIGNER.sign(BOB) + "x"])
async def test_who_is_not_known_gets_nothing_from_memory(shelf, serve, header):
    client = await serve(shelf.group)
    await client.get("/shelf/a")
    answer = await client.get("/shelf/a", headers={IDENTITY_HEADER: header})
    assert answer.status == 401
    await error_of(answer)


async def test_two_identities_are_refused(shelf, serve):
    client = await serve(shelf.group)
    await client.get("/shelf/a")
    headers = [(IDENTITY_HEADER, SIGNER.sign(BOB)), (IDENTITY_HEADER, SIGNER.sign(ALICE))]
    async with client.session.get(client.base + "/shelf/a", headers=headers) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
async def test_only_reading_is_answered_from_memory(shelf, serve, method):
    client = await serve(shelf.group)
    await client.get("/shelf/a")
    assert (await client.ask(method, "/shelf/a")).status == 405


async def test_who_has_the_answer_already_is_told_so_from_memory(shelf, serve):
    client = await serve(shelf.group)
    tag = (await client.get("/shelf/a")).headers["ETag"]
    for given in (tag, f'"other", W/{tag}', "*"):
        answer = await client.get("/shelf/a", headers={"If-None-Match": given})
        assert (answer.status, await answer.read(), answer.headers["ETag"]) == (304, b"", tag)
    assert (await client.get("/shelf/a", headers={"If-None-Match": '"other"'})).status == 200
    assert shelf.asked == 1

    shelf.version += 1
    assert (await client.get("/shelf/a", headers={"If-None-Match": tag})).status == 200


async def test_memory_is_bounded(shelf, serve, monkeypatch):
    monkeypatch.setattr(lasting, "MOST", 10 * (lasting.OVERHEAD + 2_000))
    client = await serve(shelf.group)
    for name in range(20):
        await client.get(f"/shelf/{name}?size=1900")
    assert shelf.asked == 20
    await client.get("/shelf/19?size=1900")
    assert shelf.asked == 20
    await client.get("/shelf/0?size=1900")
    assert shelf.asked == 21


async def test_a_large_answer_is_not_kept(shelf, serve):
    client = await serve(shelf.group)
    for _ in range(2):
        assert (await client.get(f"/shelf/a?size={lasting.LARGEST}")).status == 200
    assert shelf.asked == 2


async def test_a_body_that_nobody_asked_for_does_not_disturb_what_follows(shelf, serve):
    client = await serve(shelf.group)
    await client.get("/shelf/a")
    for _ in range(3):
        assert (await client.get("/shelf/a", data=b"GET /shelf/b HTTP/1.1\r\n\r\n" * 100)).status == 200
    assert (await (await client.get("/shelf/a")).json())["name"] == "a"
    assert shelf.asked == 1


async def test_what_is_answered_from_memory_is_counted_and_logged(shelf, monkeypatch):
    logged: list[tuple[str, int]] = []

    class Log(AbstractAccessLogger):
        def log(self, request, response, time):
            logged.append((request["identity"].user if "identity" in request else "?", response.status))

    monkeypatch.setattr("servicekit.serving.AccessLog", Log)
    async with serving(shelf.group) as client:
        await client.get("/shelf/counted")
        tag = (await client.get("/shelf/counted")).headers["ETag"]
        await client.get("/shelf/counted", headers={"If-None-Match": tag})
        counted = await (await client.get("/metrics")).text()
    assert [status for _, status in logged[:3]] == [200, 200, 304]
    line = 'http_request_method="GET",http_response_status_code="{}",http_route="/shelf/{{name}}"}}'
    for status in (200, 304):
        (found,) = [row for row in counted.splitlines() if "_count{" in row and line.format(status) in row]
        assert float(found.rpartition(" ")[2]) >= 1


async def test_a_route_with_needs_is_asked_each_time(shelf):
    class Store:
        name = "store"

        async def open(self) -> None: ...

        async def check(self) -> None: ...

        async def close(self) -> None: ...

    group = demo_group(needs=["store"])
    asked: list[int] = []

    @group.get("/needy")
    async def needy() -> Lasting[int]:
        asked.append(1)
        return Lasting(1, lambda: True)

    async with serving(group, parts={"needs": [Store()]}) as client:
        statuses = [(await client.get("/needy")).status for _ in range(20)]
    assert len(asked) == statuses.count(200)


async def test_with_traces_each_request_is_seen(shelf):
    config = make_config()
    tracing = config.tracing.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    async with serving(shelf.group, config=config.model_copy(update={"tracing": tracing})) as client:
        bodies = [await (await client.get("/shelf/a")).read() for _ in range(2)]
    assert json.loads(bodies[0])["name"] == "a"
    assert shelf.asked == 2
