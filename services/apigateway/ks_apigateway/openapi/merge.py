"""Several OpenAPI 3.1 documents as one. Pure."""

from collections.abc import Mapping
from typing import Any, cast

Document = Mapping[str, Any]
_SCHEMAS = "#/components/schemas/"


def merge(documents: Mapping[str, Document], unavailable: Mapping[str, str], version: str) -> dict[str, Any]:
    """The `documents` of services by name. `unavailable` names those that gave none, and why.

    Where two have schemas of one name that differ, that of the later service is called `<service>.<name>`. Of
    a path that two serve, the first one's operations count.
    """
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    tags: dict[str, Any] = {}
    security: dict[str, Any] = {}
    for service, document in documents.items():
        own = _part(document, "components", "schemas")
        names = {
            name: name if _fits(name, schema, schemas) else f"{service}.{name}"
            for name, schema in own.items()
        }
        schemas.update({names[name]: _renamed(schema, names) for name, schema in own.items()})
        for path, operations in _part(document, "paths").items():
            paths.setdefault(path, _renamed(operations, names))
        for tag in document.get("tags") or ():
            tags.setdefault(tag["name"], tag)
        security.update(_part(document, "components", "securitySchemes"))
    return {
        "openapi": "3.1.0",
        "info": {"title": "KubeSphere", "version": version, "description": _description(unavailable)},
        "tags": [tags[name] for name in sorted(tags)],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": schemas, "securitySchemes": security},
        "x-unavailable": dict(unavailable),
    }


def _fits(name: str, schema: Any, known: Mapping[str, Any]) -> bool:
    """Whether `schema` may have its name: nothing has it, or what means the same in every document."""
    return name not in known or (known[name] == schema and "$ref" not in str(schema))


def _part(document: Document, *keys: str) -> dict[str, Any]:
    part: Any = document
    for key in keys:
        part = part.get(key) if isinstance(part, Mapping) else None
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(each, names) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    return {
        key: _reference(each, names) if key == "$ref" else _renamed(each, names)
        for key, each in cast("dict[str, Any]", value).items()
    }


def _reference(value: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(value, str) or not value.startswith(_SCHEMAS):
        return value
    name = value.removeprefix(_SCHEMAS)
    return _SCHEMAS + names.get(name, name)


def _description(unavailable: Mapping[str, str]) -> str:
    told = "The API of the platform, through its gateway."
    if unavailable:
        missing = "; ".join(f"{name}: {why}" for name, why in unavailable.items())
        told += f" Not all of it is here now: {missing}."
    return told
