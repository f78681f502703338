"""Templates of a component, filled in with what ks-config.yaml says; and what is laid over ready objects."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2

from ks_installer.documents import objects_in
from ks_installer.errors import UsageError
from ks_installer.objects import Ref
from ks_installer.settings import Settings
from kubekit.resource import Object


def rendered(folder: Path, settings: Settings, images: Mapping[str, str]) -> list[Object]:
    """The objects of every template in `folder`.

    A template imports from the catalogue's folder `shared`, and sees the sections of ks-config.yaml and
    `images`, the component's own.  Raises UsageError that names the file.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, folder.parents[2] / "shared"]),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  YAML, not HTML; values are quoted by `tojson`
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found: list[Object] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            text = environment.get_template(path.name).render(settings.model_dump(), images=images)
        except jinja2.TemplateError as error:
            raise UsageError(f"{path}: {error}") from error
        found += objects_in(path, text)
    return found


def overridden(objects: Iterable[Object], overrides: Iterable[Object]) -> list[Object]:
    """`objects` with `overrides` laid over those of the same kind and name.

    Mappings are merged, lists of named things (containers, ports, volumes) by name, anything else is
    replaced, as kubectl's strategic merge does for pods.  Raises UsageError where an override finds nothing.
    """
    by_ref = {Ref.of(obj): obj for obj in objects}
    for override in overrides:
        ref = Ref.of(override)
        if ref not in by_ref:
            raise UsageError(f"an override of {ref.title}, which there is not")
        by_ref[ref] = _merged(by_ref[ref], override)
    return list(by_ref.values())


def _merged(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _merged(base.get(key), value) for key, value in over.items()}
    if _named(base) and _named(over):
        result = {item["name"]: item for item in base}
        for item in over:
            result[item["name"]] = _merged(result.get(item["name"]), item)
        return list(result.values())
    return copy.deepcopy(over)


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(i, dict) and "name" in i for i in value)
