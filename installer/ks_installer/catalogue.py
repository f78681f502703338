"""The components that can be installed, and the profiles that choose among them, as they lie on disk.

A component is a folder:

    component.yaml   name, description, dependencies (names), timeout (seconds until its objects must be
                     ready), and what `Metadata` lists beside these
    manifests/       objects that are the installer's: labelled, pruned, deleted on uninstall
    templates/       such objects, with the values of ks-config.yaml filled in (Jinja)
    overrides/       templates laid over the manifests of k8s/base that `base` names
    patches/         fields added to objects of others, where those exist; uninstall takes the fields away
                     again

`kustomization.yaml` in a manifests folder serves `kubectl kustomize` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ks_installer import kustomization, rendering, secrets
from ks_installer.documents import objects_in, single_document
from ks_installer.errors import UsageError
from ks_installer.objects import Ref, apply_order, labelled
from ks_installer.podspecs import images_of, mirrored, with_config_hash, with_images
from ks_installer.settings import Settings
from kubekit.resource import Object

M = TypeVar("M", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Base(_Strict):
    """Which manifests of k8s/base are a component's: those of `folder`, or of it those named `include`."""

    folder: str
    include: list[str] = []
    exclude: list[str] = []


class Generated(_Strict):
    """A Secret whose values the installer draws: characters by key."""

    name: str
    namespace: str
    keys: dict[str, int]


class Metadata(_Strict):
    """component.yaml."""

    name: str
    description: str
    dependencies: list[str] = []
    timeout: float = Field(default=120, gt=0)
    enabled: str = ""
    """The key of ks-config.yaml that turns it on; empty: it is always on."""
    unavailable: str = ""
    """Why this version cannot install it."""
    images: dict[str, str] = {}
    """What its templates run, by the name that they call it."""
    indirect: list[str] = []
    """Of these images those that no object of its own runs, but what it installs does later."""
    base: Base | None = None
    secrets: list[Generated] = []
    health: list[str] = []
    """Objects of others that have to be there and ready besides its own, as `apps/v1/Deployment/ns/name`."""


class Profile(_Strict):
    """profiles/<name>.yaml: which components make up an installation."""

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
    health: tuple[Ref, ...] = ()
    indirect: tuple[str, ...] = ()
    """Images that what it installs runs later."""


class Catalogue:
    """All components and profiles of one root folder; `base` is where k8s/base is."""

    def __init__(self, root: Path, base: Path | None = None) -> None:
        self._root = root
        self._base = base or root / "base"

    @classmethod
    def installed(cls) -> Catalogue:
        """The catalogue shipped with this package: in the package itself, or beside it in a checkout."""
        package = Path(__file__).resolve().parent
        if (package / "components").is_dir():
            return cls(package)
        return cls(package.parent, package.parent.parent / "k8s" / "base")

    def profiles(self) -> list[str]:
        return sorted(path.stem for path in (self._root / "profiles").glob("*.yaml"))

    def select(self, profile: str, settings: Settings | None = None) -> list[Component]:
        """The components of `profile` that `settings` turn on, each after what it depends on.

        Raises UsageError where a name is unknown, a dependency is not part of the profile, dependencies form
        a circle, or something is turned on that this version does not install.
        """
        settings = settings or Settings()
        path = self._root / "profiles" / f"{profile}.yaml"
        if profile not in self.profiles():
            raise UsageError(f"there is no profile {profile!r}; there are: {', '.join(self.profiles())}")
        listed = _parsed(Profile, path, single_document(path)).components
        metadata = [self.metadata(name) for name in listed]
        wanted = [meta for meta in metadata if not meta.enabled or settings.value(meta.enabled)]
        refuse_unavailable(wanted)
        return in_order(_sharing_config(self._component(meta, settings) for meta in wanted))

    def component(self, name: str, settings: Settings | None = None) -> Component:
        """One component.  Raises UsageError, naming the file, where it is missing or wrong."""
        return self._component(self.metadata(name), settings or Settings())

    def metadata(self, name: str) -> Metadata:
        """What component.yaml says.  Raises UsageError where it is missing or wrong."""
        path = self._root / "components" / name / "component.yaml"
        if not path.is_file():
            raise UsageError(f"there is no component {name!r} ({path} does not exist)")
        meta = _parsed(Metadata, path, single_document(path))
        if meta.name != name:
            raise UsageError(f"{path}: name is {meta.name!r}, the folder {name!r}")
        return meta

    def _component(self, meta: Metadata, settings: Settings) -> Component:
        folder = self._root / "components" / meta.name
        place = mirrored(settings.local_registry)
        images = {name: place(image) for name, image in meta.images.items()}
        found = [secrets.declared(one.namespace, one.name, one.keys) for one in meta.secrets]
        found += _plain(folder / "manifests") + rendering.rendered(folder / "templates", settings, images)
        found += self._of_base(meta, rendering.rendered(folder / "overrides", settings, images))
        return Component(
            name=meta.name,
            description=meta.description,
            dependencies=tuple(meta.dependencies),
            timeout=meta.timeout,
            manifests=tuple(apply_order([labelled(with_images(obj, place), meta.name) for obj in found])),
            patches=tuple(apply_order(_plain(folder / "patches"))),
            health=tuple(map(Ref.parse, meta.health)),
            indirect=tuple(images[name] for name in meta.indirect),
        )

    def _of_base(self, meta: Metadata, overrides: list[Object]) -> list[Object]:
        if meta.base is None:
            return []
        found = kustomization.built(self._base / meta.base.folder)
        return rendering.overridden([obj for obj in found if _belongs(obj, meta.base)], overrides)


def refuse_unavailable(wanted: Iterable[Metadata]) -> None:
    """Raises UsageError that names every component that is turned on and cannot be installed."""
    refused = [f"{meta.enabled}: {meta.unavailable}" for meta in wanted if meta.unavailable]
    if refused:
        raise UsageError("this version cannot install all that is turned on:\n  " + "\n  ".join(refused))


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


def images(components: Iterable[Component]) -> list[str]:
    """Every image that `components` run, themselves or by what they install, sorted, each once."""
    given = list(components)
    direct = images_of(obj for component in given for obj in component.manifests)
    return sorted({*direct, *(image for component in given for image in component.indirect)})


def _sharing_config(components: Iterable[Component]) -> list[Component]:
    """The same components, their pods marked with the ConfigMaps that they read, of whichever component."""
    given = list(components)
    every = [obj for component in given for obj in component.manifests]
    return [
        replace(component, manifests=tuple(with_config_hash(list(component.manifests), every)))
        for component in given
    ]


def _belongs(obj: Object, base: Base) -> bool:
    name = obj["metadata"]["name"]
    return (not base.include or name in base.include) and name not in base.exclude


def _plain(folder: Path) -> list[Object]:
    paths: Sequence[Path] = [
        path for path in sorted(folder.glob("*.yaml")) if path.name != "kustomization.yaml"
    ]
    return [obj for path in paths for obj in objects_in(path)]


def _parsed(model: type[M], path: Path, document: Any) -> M:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
