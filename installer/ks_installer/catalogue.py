"""The components that can be installed, and the profiles that choose among them, as they lie on disk.

A component is a folder:

    component.yaml   name, description, dependencies (names), timeout (seconds until its objects must be
    ready) manifests/       objects that are the installer's: labelled, pruned, deleted on uninstall
    patches/         fields added to objects of others, where those exist; uninstall takes the fields away
    again

`kustomization.yaml` in a manifests folder serves `kubectl kustomize` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ks_installer.errors import UsageError
from ks_installer.objects import apply_order, labelled
from kubekit.resource import Object

M = TypeVar("M", bound=BaseModel)

# Definitions of others take megabytes, which libyaml reads ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Metadata(BaseModel):
    """component.yaml."""

    model_config = ConfigDict(extra="forbid")

    name: str
    description: str
    dependencies: list[str] = []
    timeout: float = Field(default=120, gt=0)


class Profile(BaseModel):
    """profiles/<name>.yaml: which components make up an installation."""

    model_config = ConfigDict(extra="forbid")

    description: str
    components: list[str]


@dataclass(frozen=True, slots=True)
class Component:
    """One component with its objects parsed, in the order in which they are applied."""

    name: str
    description: str
    dependencies: tuple[str, ...]
    timeout: float
    manifests: tuple[Object, ...]
    patches: tuple[Object, ...]


class Catalogue:
    """All components and profiles of one root folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def installed(cls) -> Catalogue:
        """The catalogue shipped with this package: in the package itself, or beside it in a checkout."""
        package = Path(__file__).resolve().parent
        return cls(package if (package / "components").is_dir() else package.parent)

    def profiles(self) -> list[str]:
        return sorted(path.stem for path in (self._root / "profiles").glob("*.yaml"))

    def select(self, profile: str) -> list[Component]:
        """The components of `profile`, each after what it depends on.

        Raises UsageError where a name is unknown, a dependency is not part of the profile, or dependencies
        form a circle.
        """
        path = self._root / "profiles" / f"{profile}.yaml"
        if profile not in self.profiles():
            raise UsageError(f"there is no profile {profile!r}; there are: {', '.join(self.profiles())}")
        chosen = _parsed(Profile, path, _read(path))
        return in_order(self.component(name) for name in chosen.components)

    def component(self, name: str) -> Component:
        """One component.  Raises UsageError, naming the file, where it is missing or wrong."""
        folder = self._root / "components" / name
        path = folder / "component.yaml"
        if not path.is_file():
            raise UsageError(f"there is no component {name!r} ({path} does not exist)")
        meta = _parsed(Metadata, path, _read(path))
        if meta.name != name:
            raise UsageError(f"{path}: name is {meta.name!r}, the folder {name!r}")
        manifests = [labelled(obj, name) for obj in _objects(folder / "manifests")]
        return Component(
            name=name,
            description=meta.description,
            dependencies=tuple(meta.dependencies),
            timeout=meta.timeout,
            manifests=tuple(apply_order(manifests)),
            patches=tuple(apply_order(_objects(folder / "patches"))),
        )


def in_order(components: Iterable[Component]) -> list[Component]:
    """Each component after its dependencies.

    Otherwise as given.  Raises UsageError on a missing one or a circle.
    """
    by_name = {component.name: component for component in components}
    done: dict[str, Component] = {}

    def visit(component: Component, path: tuple[str, ...]) -> None:
        if component.name in path:
            raise UsageError(f"components depend on each other: {' -> '.join((*path, component.name))}")
        for dependency in component.dependencies:
            if dependency not in by_name:
                raise UsageError(f"{component.name} needs {dependency}, which the profile does not have")
            visit(by_name[dependency], (*path, component.name))
        done.setdefault(component.name, component)

    for component in by_name.values():
        visit(component, ())
    return list(done.values())


def _objects(folder: Path) -> list[Object]:
    found: list[Object] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            found += [_checked(path, document) for document in _documents(path) if document is not None]
    return found


def _checked(path: Path, document: Any) -> Object:
    if not isinstance(document, dict) or not document.get("apiVersion") or not document.get("kind"):
        raise UsageError(f"{path}: a document without apiVersion and kind")
    if not (document.get("metadata") or {}).get("name"):
        raise UsageError(f"{path}: a {document['kind']} without metadata.name")
    return document


def _read(path: Path) -> Any:
    documents = _documents(path)
    if len(documents) != 1:
        raise UsageError(f"{path}: expected one YAML document, found {len(documents)}")
    return documents[0]


def _documents(path: Path) -> list[Any]:
    try:
        return list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=_LOADER))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: {error}") from error


def _parsed(model: type[M], path: Path, document: Any) -> M:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
