"""What is shipped, and what a broken component is told."""

from pathlib import Path

import pytest
import yaml

from ks_installer.catalogue import Catalogue, Component, in_order
from ks_installer.errors import UsageError
from ks_installer.objects import COMPONENT, MANAGED_BY

SHIPPED = Catalogue.installed()
ROOT = Path(__file__).parents[3] / "installer"
METADATA = {"components/x/component.yaml": "name: x\ndescription: d"}


def component(name: str, *dependencies: str) -> Component:
    return Component(name, "", dependencies, 1, (), ())


def catalogue(directory: Path, files: dict[str, str]) -> Catalogue:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Catalogue(directory)


@pytest.mark.parametrize("profile", SHIPPED.profiles())
def test_every_shipped_profile_loads_in_dependency_order(profile: str) -> None:
    seen: set[str] = set()
    for chosen in SHIPPED.select(profile):
        assert seen >= set(chosen.dependencies)
        seen.add(chosen.name)


def test_every_object_says_which_component_it_belongs_to() -> None:
    for chosen in SHIPPED.select("dev"):
        for obj in chosen.manifests:
            assert obj["metadata"]["labels"][MANAGED_BY] == "ks-installer"
            assert obj["metadata"]["labels"][COMPONENT] == chosen.name


def test_objects_of_others_are_not_claimed() -> None:
    patches = [obj for chosen in SHIPPED.select("dev") for obj in chosen.patches]
    assert patches
    assert all(MANAGED_BY not in obj["metadata"].get("labels", {}) for obj in patches)


@pytest.mark.parametrize("folder", sorted(ROOT.glob("components/*/manifests")), ids=lambda p: p.parent.name)
def test_kustomize_sees_the_same_files_as_the_installer(folder: Path) -> None:
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(p.name for p in folder.glob("*.yaml") if p.name != "kustomization.yaml")


def test_a_component_comes_after_what_it_needs() -> None:
    ordered = in_order([component("c", "b"), component("a"), component("b", "a")])
    assert [chosen.name for chosen in ordered] == ["a", "b", "c"]


def test_a_circle_of_dependencies_is_named() -> None:
    with pytest.raises(UsageError, match="a -> b -> a"):
        in_order([component("a", "b"), component("b", "a")])


def test_a_missing_dependency_is_named() -> None:
    with pytest.raises(UsageError, match="a needs b"):
        in_order([component("a", "b")])


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'nosuch'; there are: .*dev"):
        SHIPPED.select("nosuch")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "there is no component 'x'"),
        ({"components/x/component.yaml": "name: x"}, "description: Field required"),
        ({"components/x/component.yaml": "name: y\ndescription: d"}, "name is 'y', the folder 'x'"),
        ({"components/x/component.yaml": "name: x\ndescription: d\ntimeout: 0"}, "timeout: Input should be"),
        ({"components/x/component.yaml": "name: x\ndescription: d\nwhat: 1"}, "what: Extra inputs"),
        ({"components/x/component.yaml": "{"}, "component.yaml: while parsing"),
        (METADATA | {"components/x/manifests/a.yaml": "kind: Pod"}, "without apiVersion and kind"),
        (METADATA | {"components/x/manifests/a.yaml": "apiVersion: v1\nkind: Pod"}, "without metadata.name"),
    ],
)
def test_a_broken_component_says_which_file_and_what(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        catalogue(tmp_path, files).component("x")
