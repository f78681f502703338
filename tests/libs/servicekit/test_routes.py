"""What a client of a service sees: parameters, bodies, answers and errors."""

import dataclasses
import datetime as dt
from typing import Annotated, Any, Literal

import pytest
from aiohttp import web
from pydantic import BaseModel, Field

from harness.small_service import demo_group, error_of
from servicekit.binding import Header, Query, RouteError
from servicekit.errors import Conflict, Unavailable
from servicekit.health import Health
from servicekit.identity import Identity
from servicekit.paging import Page, PageQuery


class Address(BaseModel):
    street: str
    number: int = Field(ge=1)


class Person(BaseModel):
    name: str
    addresses: list[Address] = []


@dataclasses.dataclass
class Point:
    x: int
    at: dt.datetime


group = demo_group()


@group.get("/echo/{name}/{number}")
async def echo(
    caller: Identity,
    name: str,
    number: int,
    request: web.Request,
    flag: bool = False,
    kind: Literal["pod", "node"] = "pod",
    label: list[str] | None = None,
    many: list[int] = [],  # noqa: B006
    selector: Annotated[str | None, Query("labelSelector")] = None,
    size: Annotated[int, Field(ge=1, le=9)] = 3,
    agent: Annotated[str, Header("X-Agent")] = "none",
    note: str | None = None,
) -> dict[str, Any]:
    """Says what came in."""
    assert request.path
    return {
        "user": caller.user,
        "name": name,
        "number": number,
        "flag": flag,
        "kind": kind,
        "many": many,
        "selector": selector,
        "size": size,
        "agent": agent,
        "note": note,
    }


@group.get("/required")
async def required(wanted: int) -> int:
    return wanted


@group.post("/people", status=201)
async def create(body: Person) -> Person:
    return body


@group.post("/raw")
async def raw(body: dict[str, Any]) -> dict[str, Any]:
    return body


@group.post("/optional")
async def optional(body: Person | None = None) -> bool:
    return body is None


@group.get("/nothing")
async def nothing() -> None:
    return None


@group.get("/page")
async def page(query: PageQuery) -> Page[bytes]:
    return query.page([b'{"n":%d}' % number for number in range(25)])


@group.get("/spliced")
async def spliced() -> bytes:
    return b'{"already":"json"}'


@group.get("/point")
async def point() -> list[Point]:
    return [Point(1, dt.datetime(2026, 1, 2, tzinfo=dt.UTC))]


@group.get("/conflict")
async def conflict() -> None:
    raise Conflict("workspace demo exists already", reason="AlreadyExists")


@group.get("/down")
async def down() -> None:
    raise Unavailable("redis", "connection refused", retry_after=1.2)


@group.get("/bug")
async def bug() -> None:
    raise RuntimeError("password=hunter2")


@group.get("/unserialisable")
async def unserialisable() -> Any:
    return object()


async def test_parameters_arrive_with_their_types(serve):
    client = await serve(group)
    answer = await client.get(
        "/echo/a%20b/7?flag=true&kind=node&many=1&many=2&labelSelector=app%3Dweb&size=9&note=",
        headers={"X-Agent": "me"},
    )
    assert answer.status == 200
    assert await answer.json() == {
        "user": "bob",
        "name": "a b",
        "number": 7,
        "flag": True,
        "kind": "node",
        "many": [1, 2],
        "selector": "app=web",
        "size": 9,
        "agent": "me",
        "note": "",
    }


async def test_parameters_that_are_left_out_have_their_defaults(serve):
    client = await serve(group)
    body = await (await client.get("/echo/x/1?flag=&size=")).json()
    assert (body["flag"], body["kind"], body["size"], body["agent"], body["note"]) == (
        False,
        "pod",
        3,
        "none",
        None,
    )


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/echo/x/many", "number"),
        ("/echo/x/1?flag=perhaps", "flag"),
        ("/echo/x/1?kind=elephant", "kind"),
        ("/echo/x/1?many=1&many=two", "many"),
        ("/echo/x/1?size=10", "size"),
        ("/echo/x/1?size=" + "9" * 4000, "size"),
        ("/required", "wanted"),
        ("/required?wanted=", "wanted"),
        ("/page?conditions=what", "conditions"),
    ],
)
async def test_a_wrong_parameter_is_named(serve, path, parameter):
    client = await serve(group)
    answer = await client.get(path)
    assert answer.status == 400
    message = (await error_of(answer))["message"]
    assert message.startswith(f"parameter {parameter}: ")
    assert len(message) < 400


async def test_a_body_is_checked_against_its_model(serve):
    client = await serve(group)
    person = {"name": "Ada", "addresses": [{"street": "Main", "number": 1}]}
    answer = await client.post("/people", json=person)
    assert answer.status == 201
    assert await answer.json() == person
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('{"name": "Ada", "addresses": [{"street": "Main", "number": 0}]}', "body.addresses.0.number: "),
        ('{"addresses": []}', "body.name: "),
        ("[]", "body: "),
        ('"text"', "body: "),
        ("{", "body: is not JSON"),
        ("", "body: is missing"),
        ('{"name": NaN}', "body: is not JSON"),
        ('{"name": "\\ud800"}', "body: is not JSON"),
        ("[" * 100_000, "body: is not JSON"),
    ],
)
async def test_a_wrong_body_is_refused_with_the_place_of_the_mistake(serve, body, where):
    client = await serve(group)
    answer = await client.post("/people", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert (await error_of(answer))["message"].startswith(where)


async def test_a_body_may_be_optional_or_any_object(serve):
    client = await serve(group)
    assert await (await client.post("/optional")).json() is True
    assert await (await client.post("/optional", json={"name": "x"})).json() is False
    assert await (await client.post("/raw", json={"a": [1, None]})).json() == {"a": [1, None]}
    assert (await client.post("/raw", json=[1])).status == 400


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "nonsense", ""])
async def test_only_json_is_taken_as_json(serve, kind):
    client = await serve(group)
    answer = await client.post("/people", data=b'{"name": "x"}', headers={"Content-Type": kind})
    assert answer.status == 415
    assert "application/json" in (await error_of(answer))["message"]


async def test_json_with_a_charset_is_json(serve):
    client = await serve(group)
    answer = await client.post(
        "/people", data=b'{"name": "x"}', headers={"Content-Type": "application/json; charset=utf-8"}
    )
    assert answer.status == 201


async def test_a_group_may_take_any_type_of_body(serve):
    lenient = demo_group(consumes=None)

    @lenient.post("/raw")
    async def keep(body: bytes) -> dict[str, int]:
        return {"length": len(body)}

    client = await serve(lenient)
    answer = await client.post("/raw", data=b"\x00\x01", headers={"Content-Type": "application/octet-stream"})
    assert await answer.json() == {"length": 2}


async def test_what_handlers_return_becomes_json(serve):
    client = await serve(group)
    assert await (await client.get("/nothing")).json() == {"message": "success"}
    assert await (await client.get("/spliced")).json() == {"already": "json"}
    assert await (await client.get("/point")).json() == [{"x": 1, "at": "2026-01-02T00:00:00+00:00"}]


async def test_a_page_is_answered_as_the_original_does(serve):
    client = await serve(group)
    answer = await client.get("/page?paging=limit%3D10,page%3D3")
    assert await answer.json() == {"items": [{"n": n} for n in range(20, 25)], "total_count": 25}


async def test_a_page_beyond_the_limit_of_the_service_is_refused(serve):
    client = await serve(group, max_page=20)
    assert (await client.get("/page?paging=limit=20,page=1")).status == 200
    answer = await client.get("/page?paging=limit=-1,page=1")
    assert answer.status == 400
    assert (await error_of(answer))["reason"] == "PageTooLarge"


async def test_an_error_keeps_its_reason_and_headers(serve):
    client = await serve(group)
    answer = await client.get("/conflict")
    assert (answer.status, (await error_of(answer))["reason"]) == (409, "AlreadyExists")
    answer = await client.get("/down")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert (await error_of(answer))["message"] == "redis is not available: connection refused"


@pytest.mark.parametrize("path", ["/bug", "/unserialisable"])
async def test_a_bug_tells_the_client_no_more_than_the_request_id(serve, path, caplog):
    client = await serve(group)
    answer = await client.get(path)
    assert answer.status == 500
    body = await error_of(answer)
    assert "hunter2" not in await answer.text()
    assert "Traceback" in caplog.text
    assert body["reason"] == "InternalError"


async def test_a_redirect_that_is_raised_is_one(serve):
    moved = demo_group()

    @moved.get("/old")
    async def old() -> None:
        raise web.HTTPFound("/new")

    answer = await (await serve(moved)).get("/old", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, "/new")


async def test_unknown_paths_and_methods_have_the_one_error_shape(serve):
    client = await serve(group)
    answer = await client.get("/nowhere")
    assert answer.status == 404
    await error_of(answer)
    answer = await client.post("/nothing")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    await error_of(answer)


async def test_a_sane_request_id_is_kept_and_another_replaced(serve):
    client = await serve(group)
    kept = await client.get("/nothing", headers={"X-Request-Id": "abc-123"})
    assert kept.headers["X-Request-Id"] == "abc-123"
    for odd in ("a b", "x" * 129, "<script>", "ä"):
        answer = await client.get("/nothing", headers={"X-Request-Id": odd})
        assert answer.headers["X-Request-Id"] != odd
        assert len(answer.headers["X-Request-Id"]) == 32


async def test_the_answer_does_not_say_what_the_server_is_made_of(serve):
    client = await serve(group)
    for path in ("/nothing", "/nowhere", "/bug"):
        server = (await client.get(path)).headers["Server"].lower()
        assert "python" not in server
        assert "aiohttp" not in server


async def test_a_handler_can_ask_whether_a_dependency_is_up(serve):
    asking = demo_group()

    class Broken:
        name = "redis"

        async def open(self) -> None: ...

        async def check(self) -> None:
            raise ConnectionRefusedError("connection refused")

        async def close(self) -> None: ...

    @asking.get("/cached")
    async def cached(health: Health) -> None:
        health.require("redis")

    @asking.get("/declared", needs=["redis"])
    async def declared(caller: Identity) -> None:
        raise AssertionError("must not be called")

    client = await serve(asking, parts={"needs": [Broken()]})
    for path in ("/cached", "/declared"):
        answer = await client.get(path)
        assert answer.status == 503
        assert (await error_of(answer))["message"].startswith("redis is not available")


def test_a_handler_that_cannot_be_bound_is_refused_when_it_is_declared():
    wrong = demo_group()

    def sync() -> None: ...

    async def untyped(name) -> None: ...

    async def variadic(*names: str) -> None: ...

    async def no_path_parameter() -> None: ...

    async def unknown_type(body: "Missing") -> None: ...  # noqa: F821  # pyright: ignore

    class Opaque:
        pass

    async def opaque(value: Opaque) -> None: ...

    for handler, path in [
        (sync, "/a"),
        (untyped, "/b"),
        (variadic, "/c"),
        (no_path_parameter, "/d/{x}"),
        (unknown_type, "/e"),
        (opaque, "/f"),
    ]:
        with pytest.raises(RouteError, match=handler.__name__):
            wrong.get(path)(handler)


def test_a_route_cannot_be_declared_twice():
    twice = demo_group()

    @twice.get("/x")
    async def first() -> None: ...

    with pytest.raises(RouteError, match="twice"):

        @twice.get("/x")
        async def second() -> None: ...
