"""The OpenAPI 3.1 document of a service, from the signatures and docstrings of its handlers."""

import inspect
import re
from collections.abc import Iterable
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import PydanticUserError, TypeAdapter

from servicekit.app import Service
from servicekit.binding import Handler, Value
from servicekit.body import BodyReader
from servicekit.group import Route
from servicekit.lasting import Lasting
from servicekit.responses import to_json

REFERENCES = "#/components/schemas/{model}"
_PATTERN = re.compile(r"\{([^{}:]+):[^{}]+\}")
_SUCCESS = {"type": "object", "properties": {"message": {"type": "string", "const": "success"}}}

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "string", "description": "What is wrong, for people."},
        "reason": {"type": "string", "description": "The same in a word, for programs."},
        "requestId": {"type": "string", "description": "Under which the service's log tells more."},
    },
}

IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an answer that the client has: 304 while it is as it was.",
    "schema": {"type": "string"},
}
PAGING: tuple[dict[str, Any], ...] = (
    {
        "name": "paging",
        "in": "query",
        "description": "Which page, as in limit=10,page=1; limit=-1 for all. By default the first ten.",
        "schema": {"type": "string", "default": "limit=10,page=1"},
    },
    {
        "name": "conditions",
        "in": "query",
        "description": "Which items: name=value for an equal value, name~part for one that contains it.",
        "schema": {"type": "string"},
    },
    {"name": "orderBy", "in": "query", "description": "The field to sort by.", "schema": {"type": "string"}},
    {"name": "reverse", "in": "query", "description": "Descending.", "schema": {"type": "boolean"}},
)


def document(service: Service) -> dict[str, Any]:
    """The whole document, as plain data; nothing of the service is opened."""
    routes = [(group.name, route) for group in service.groups for route in group.routes]
    schemas = _Schemas(route for _, route in routes)
    paths: dict[str, dict[str, Any]] = {}
    taken: set[str] = set()
    for tag, route in routes:
        template = _PATTERN.sub(r"{\1}", route.path)
        operation = paths.setdefault(template, {})[route.method.lower()] = _operation(tag, route, schemas)
        if operation["operationId"] in taken:  # the same operation in two groups
            operation["operationId"] += f"_{tag.partition('.')[0]}"
        taken.add(operation["operationId"])
    return {
        "openapi": "3.1.0",
        "info": {"title": service.name, "version": service.version},
        "tags": [{"name": tag} for tag in sorted({tag for tag, _ in routes})],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**schemas.definitions, "Error": ERROR},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def encoded(service: Service) -> bytes:
    """The document as JSON."""
    return to_json(document(service))


class _Schemas:
    """The JSON schemas of everything that the routes take and give, under names that do not clash."""

    def __init__(self, routes: Iterable[Route]):
        adapters: dict[int, tuple[str, TypeAdapter[Any]]] = {}
        self._results: dict[Handler, TypeAdapter[Any]] = {}
        for route in routes:
            binding = route.binding
            taken = [value.adapter for value in binding.values]
            taken += [binding.body.adapter] if binding.body is not None else []
            adapters.update((id(adapter), ("validation", adapter)) for adapter in taken)
            if (given := _result_adapter(binding.handler)) is not None:
                self._results[binding.handler] = given
                adapters[id(given)] = ("serialization", given)
        inputs: Any = [(key, mode, adapter) for key, (mode, adapter) in adapters.items()]
        schemas, rest = TypeAdapter.json_schemas(inputs, ref_template=REFERENCES)
        self._by_adapter = {key: schema for (key, _), schema in schemas.items()}
        self.definitions: dict[str, Any] = rest.get("$defs", {})

    def of(self, adapter: TypeAdapter[Any]) -> dict[str, Any]:
        return dict(self._by_adapter[id(adapter)])

    def of_result(self, handler: Handler) -> dict[str, Any]:
        """The schema of what `handler` answers; an empty one, which fits all, where no type says more."""
        adapter = self._results.get(handler)
        if _result_hint(handler) is type(None):
            return _SUCCESS
        return {} if adapter is None else self.of(adapter)


def _result_hint(handler: Handler) -> Any:
    hint = get_type_hints(handler, include_extras=True).get("return", Any)
    return get_args(hint)[0] if get_origin(hint) is Lasting else hint


def _result_adapter(handler: Handler) -> TypeAdapter[Any] | None:
    """For a type that says something, which that of a response does not."""
    hint = _result_hint(handler)
    if hint in (Any, bytes, type(None)):
        return None
    try:
        return TypeAdapter(hint)
    except PydanticUserError:
        return None


def _operation(tag: str, route: Route, schemas: _Schemas) -> dict[str, Any]:
    binding = route.binding
    summary, _, description = (inspect.getdoc(binding.handler) or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{binding.handler.__name__}",
        "tags": [tag],
        "summary": " ".join(summary.split()),
        "parameters": [_parameter(value, schemas) for value in binding.values],
        "responses": {
            str(route.status): {
                "description": "Success.",
                "content": {"application/json": {"schema": schemas.of_result(binding.handler)}},
            },
            "default": {
                "description": "An error.",
                "content": {"application/json": {"schema": {"$ref": REFERENCES.format(model="Error")}}},
            },
        },
    }
    if description:
        operation["description"] = description
    if binding.paged:
        operation["parameters"].extend(PAGING)
    if route.etag:
        operation["parameters"].append(IF_NONE_MATCH)
        operation["responses"]["304"] = {"description": "As it was."}
    if binding.body is not None:
        operation["requestBody"] = _body(binding.body, schemas)
    if route.identified and not route.public:
        operation["security"] = [{"token": []}]
    return operation


def _parameter(value: Value, schemas: _Schemas) -> dict[str, Any]:
    schema = schemas.of(value.adapter)
    if not value.required and value.default is not None:
        schema["default"] = value.default
    return {
        "name": value.name,
        "in": value.place,
        "required": value.required or value.place == "path",
        "schema": schema,
    }


def _body(body: BodyReader, schemas: _Schemas) -> dict[str, Any]:
    schema = {} if body.raw else schemas.of(body.adapter)
    media = sorted(body.consumes) if body.consumes else ["*/*"]
    return {"required": body.required, "content": {kind: {"schema": schema} for kind in media}}
