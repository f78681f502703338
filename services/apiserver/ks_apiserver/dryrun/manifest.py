"""The documents of a manifest, in YAML or JSON; pure."""

import math
from collections.abc import Iterator
from typing import Any, cast

import yaml

from servicekit.errors import BadRequest

MOST = 100
"""Documents in one manifest."""
DEEPEST = 100
"""Levels of a document."""


class _Loader(yaml.CSafeLoader):
    """One that takes dates as text, as JSON has none."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def documents(text: bytes) -> list[dict[str, Any]]:
    """The objects that a manifest holds, those of lists one by one. Raises BadRequest, saying what is wrong.

    Takes about a second for a megabyte.
    """
    try:
        _check_nesting(text)
        found = [each for each in yaml.load_all(text, _Loader) if each is not None]
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise BadRequest(f"body: is no YAML: {' '.join(str(error).split())[:300]}") from None
    objects = [item for document in found for item in _items(document)]
    if not objects:
        raise BadRequest("body: holds no object")
    if len(objects) > MOST:
        raise BadRequest(f"body: holds {len(objects)} objects, {MOST} is the most")
    for number, each in enumerate(objects, start=1):
        _check(each, f"document {number}")
    return cast("list[dict[str, Any]]", objects)


def _check_nesting(text: bytes) -> None:
    """Refuses aliases too: a document of a few lines could stand for one of gigabytes. Raises YAMLError."""
    levels = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken")
        if isinstance(event, yaml.CollectionStartEvent):
            levels += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            levels -= 1
        if levels > DEEPEST:
            raise yaml.YAMLError(f"it is nested more than {DEEPEST} levels")


def _items(document: Any) -> Iterator[Any]:
    if isinstance(document, dict) and document.get("kind") == "List":
        items = document.get("items")
        yield from items if isinstance(items, list) else ()
    else:
        yield document


def _check(document: Any, where: str) -> None:
    if not isinstance(document, dict):
        raise BadRequest(f"{where}: is no object")
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise BadRequest(f"{where}: {field} is missing")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise BadRequest(f"{where}: metadata.name is missing")
    if not isinstance(metadata.get("namespace", ""), str):
        raise BadRequest(f"{where}: metadata.namespace must be a text")
    if not _is_json(document):
        raise BadRequest(f"{where}: holds what JSON has no form for")


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(each) for key, each in value.items())
    if isinstance(value, list):
        return all(_is_json(each) for each in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, str)
