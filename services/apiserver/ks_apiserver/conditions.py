"""Conditions that objects of any kind answer to: on names, labels, annotations and what people call them.

The keys are those of v2.1.1 (pkg/models/resources/resources.go). `keyword`, `label~` and `annotation~` look
at every label or annotation, by key and by value.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ks_apiserver import labels
from kubekit.cache import Cache, Row
from kubekit.resource import Object

LABEL = "label"
"""Index: by each label, as `key=value`."""
_DISPLAY_NAME = "display name"

Test = Callable[[Row], bool]


def add_indexes(cache: Cache) -> Cache:
    """`cache`, with the indexes that conditions read."""
    cache.add_index(LABEL, _label_pairs)
    cache.add_index(_DISPLAY_NAME, _display_name)
    return cache


def label_of(row: Row, label: str) -> str | None:
    """The value of a label of an object at rest."""
    prefix = f"{label}="
    return next((pair.removeprefix(prefix) for pair in row.values(LABEL) if pair.startswith(prefix)), None)


def has_name(names: str) -> Test:
    """One of the names in `a|b|c`."""
    wanted = frozenset(names.split("|"))
    return lambda row: row.name in wanted


def has_label(label: str, value: str) -> Test:
    """The label, with exactly that value."""
    pair = f"{label}={value}"
    return lambda row: pair in row.values(LABEL)


def has_label_like(label: str, part: str) -> Test:
    """The label's value contains `part`; for an empty one, the label is empty or absent."""
    if not part:
        return lambda row: not label_of(row, label)
    return lambda row: part in (label_of(row, label) or "")


def has_keyword(part: str) -> Test:
    """The name, a label or an annotation contains `part`."""
    has_any_label, has_any_annotation = has_any_label_like(part), has_any_annotation_like(part)
    plain = _as_written(part)

    def test(row: Row) -> bool:
        return plain in row.raw and (part in row.name or has_any_label(row) or has_any_annotation(row))

    return test


def called(row: Row) -> str:
    """The name and, after a character that no name has, what people call the object: a text to search in."""
    display_name = row.values(_DISPLAY_NAME)
    return f"{row.key.name}\0{display_name[0]}" if display_name else row.key.name


def has_name_like(part: str) -> Test:
    """The name, or what people call it, contains `part`."""
    return lambda row: part in called(row)


def has_any_label_like(part: str) -> Test:
    """A label contains `part`, in its key or value; an empty part is in anything."""
    if not part:
        return lambda _: True
    return lambda row: any(part in text for pair in row.values(LABEL) for text in pair.split("=", maxsplit=1))


def has_any_annotation_like(part: str) -> Test:
    """An annotation contains `part`, in its key or value; an empty part is in anything."""
    if not part:
        return lambda _: True
    plain = _as_written(part)

    def test(row: Row) -> bool:
        if plain not in row.raw:
            return False
        annotations: Mapping[str, str] = row.decode()["metadata"].get("annotations") or {}
        return any(part in key or part in value for key, value in annotations.items())

    return test


def _as_written(part: str) -> bytes:
    """What is in the bytes of every object with `part` in a text of it: what lacks that need not be decoded.

    Empty, which is in everything, for a part that JSON writes in another way.
    """
    plain = part.isprintable() and not set(part) & set('"\\')
    return part.encode() if plain else b""


def is_of_chart_like(part: str) -> Test:
    """The label `chart` or `release`, which Helm sets, contains `part`."""
    return lambda row: any(part in (label_of(row, label) or "") for label in ("chart", "release"))


def _label_pairs(item: Object) -> list[str]:
    pairs: Mapping[str, Any] = item["metadata"].get("labels") or {}
    return [f"{key}={value}" for key, value in pairs.items()]


def _display_name(item: Object) -> str | None:
    annotations: Mapping[str, str] = item["metadata"].get("annotations") or {}
    return annotations.get(labels.DISPLAY_NAME)
