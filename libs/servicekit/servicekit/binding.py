"""From a handler's signature to its arguments: the signature of a route is its contract.

    async def handler(caller: Identity, workspace: str, query: PageQuery, body: Member, dry_run: bool = False)

A parameter is, in this order: what its type says (Identity, PageQuery, Health, the request itself), a part of
the path when the path names it, the body when it is called so, and else a parameter of the query. `Query` and
`Header` in an Annotated type choose another name or place.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from aiohttp import web
from pydantic import PydanticUserError, TypeAdapter, ValidationError

from servicekit.body import BodyReader
from servicekit.errors import BadRequest
from servicekit.health import Health
from servicekit.identity import Identity
from servicekit.keys import CONFIG, HEALTH, IDENTITY
from servicekit.paging import PageQuery, parse_page_query

Handler = Callable[..., Awaitable[Any]]
BODY = "body"
"""The parameter that takes the body of a request."""
MAX_SHOWN = 64
"""Characters of a wrong value that an error repeats."""


class RouteError(Exception):
    """A handler whose signature cannot be bound; raised when the route is declared."""


@dataclass(frozen=True, slots=True)
class Query:
    """In Annotated: a parameter of the query by another name, such as `labelSelector`."""

    name: str


@dataclass(frozen=True, slots=True)
class Header:
    """In Annotated: a value from the header `name`."""

    name: str


_REQUIRED: Any = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter of the path, the query or the headers."""

    place: str
    """`path`, `query` or `header`, as OpenAPI calls it."""
    name: str
    adapter: TypeAdapter[Any]
    default: Any
    is_text: bool
    is_list: bool

    @property
    def required(self) -> bool:
        return self.default is _REQUIRED

    def read(self, request: web.Request) -> Any:
        """Raises BadRequest for what is missing, or is not of its type."""
        given = self._given(request)
        if given is None or (given == "" and not self.is_text):
            if self.required:
                raise BadRequest(f"parameter {self.name}: is missing")
            return self.default
        if self.is_text:
            return given
        try:
            return self.adapter.validate_python(given)
        except ValidationError as error:
            raise BadRequest(f"parameter {self.name}: {_what(error)}{_shown(given)}") from None

    def _given(self, request: web.Request) -> str | list[str] | None:
        if self.place == "path":
            return request.match_info.get(self.name)
        if self.place == "header":
            return request.headers.get(self.name)
        if self.is_list:
            return request.query.getall(self.name, None)
        return request.query.get(self.name)


def _what(error: ValidationError) -> str:
    return error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ").removeprefix("Input ")


def _shown(given: str | list[str]) -> str:
    return f", not {given[:MAX_SHOWN]!r}" if isinstance(given, str) else ""


Reader = Callable[[web.Request], Any]


def _read_identity(request: web.Request) -> Any:
    return request[IDENTITY]


def _read_page_query(request: web.Request) -> Any:
    return parse_page_query(request.query, request.app[CONFIG].server.max_page)


def _read_request(request: web.Request) -> Any:
    return request


def _read_health(request: web.Request) -> Any:
    return request.app[HEALTH]


_BY_TYPE: dict[Any, Reader] = {
    Identity: _read_identity,
    PageQuery: _read_page_query,
    web.Request: _read_request,
    Health: _read_health,
}


@dataclass(frozen=True, slots=True)
class Binding:
    """How the arguments of one handler are read from a request."""

    handler: Handler
    readers: tuple[tuple[str, Reader], ...]
    """Of every argument but the body."""
    values: tuple[Value, ...]
    body: BodyReader | None
    paged: bool

    async def call(self, request: web.Request) -> Any:
        """What the handler returns. The body is read last: a request that is wrong without it is refused."""
        arguments = {name: read(request) for name, read in self.readers}
        if self.body is not None:
            arguments[BODY] = await self.body.read(request)
        return await self.handler(**arguments)


def bind(handler: Handler, path_names: frozenset[str], *, consumes: frozenset[str] | None) -> Binding:
    """The binding of `handler` for a path with `path_names`. Raises RouteError when its signature is no
    contract."""
    where = f"{handler.__module__}.{handler.__qualname__}"
    if not inspect.iscoroutinefunction(handler):
        raise RouteError(f"{where}: a handler must be declared with async def")
    hints = _hints(handler, where)
    parameters = inspect.signature(handler).parameters
    if missing := path_names - parameters.keys():
        raise RouteError(
            f"{where}: the path names {', '.join(sorted(missing))}, which the handler does not take"
        )
    readers: list[tuple[str, Reader]] = []
    values: list[Value] = []
    body: BodyReader | None = None
    for name, parameter in parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise RouteError(f"{where}: parameter {name} must be a named one")
        if name not in hints:
            raise RouteError(f"{where}: parameter {name} needs a type")
        hint = hints[name]
        if by_type := _by_type(hint):
            readers.append((name, by_type))
        elif name == BODY:
            body = _body(hint, parameter.default, consumes, where)
        else:
            value = _value(name, hint, parameter.default, path_names, where)
            values.append(value)
            readers.append((name, value.read))
    paged = any(hints.get(name) is PageQuery for name in parameters)
    return Binding(handler, tuple(readers), tuple(values), body, paged)


def _hints(handler: Handler, where: str) -> Mapping[str, Any]:
    try:
        return get_type_hints(handler, include_extras=True)
    except NameError as error:
        raise RouteError(
            f"{where}: the type {error.name} is not known in its module; declare it there"
        ) from None


def _by_type(hint: Any) -> Reader | None:
    return _BY_TYPE.get(hint) if isinstance(hint, type) else None


def _body(hint: Any, default: Any, consumes: frozenset[str] | None, where: str) -> BodyReader:
    try:
        return BodyReader(hint, default, consumes)
    except PydanticUserError as error:
        raise RouteError(f"{where}: the body's type cannot be read from JSON: {error.message}") from None


def _value(name: str, hint: Any, default: Any, path_names: frozenset[str], where: str) -> Value:
    bare, marks = _unwrap(hint)
    place, alias = "path" if name in path_names else "query", name
    for mark in marks:
        if isinstance(mark, Query):
            place, alias = "query", mark.name
        elif isinstance(mark, Header):
            place, alias = "header", mark.name
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
    except PydanticUserError:
        raise RouteError(f"{where}: parameter {name} has a type that a {place} cannot hold") from None
    is_list = get_origin(bare) in (list, tuple, set, frozenset)
    plain_text = hint is str or (bare is str and all(isinstance(mark, (Query, Header)) for mark in marks))
    return Value(place, alias, adapter, default, plain_text or _is_optional_text(bare, marks), is_list)


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(hint) is Annotated:
        bare, *marks = get_args(hint)
        return bare, tuple(marks)
    return hint, ()


def _is_optional_text(bare: Any, marks: tuple[Any, ...]) -> bool:
    return set(get_args(bare)) == {str, type(None)} and all(
        isinstance(mark, (Query, Header)) for mark in marks
    )
