"""References, order and differences of objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ks_installer.engine import removal_order
from ks_installer.objects import Ref, apply_order, belongs_to, changes, labelled
from ks_installer.state import Record

names = st.from_regex(r"[a-z][a-z0-9.:-]{0,20}", fullmatch=True)


@given(st.sampled_from(["v1", "apps/v1", "tenant.kubesphere.io/v1alpha1"]), names, st.just("") | names, names)
def test_a_reference_survives_being_written_down(api: str, kind: str, namespace: str, name: str) -> None:
    ref = Ref(api, kind, namespace, name)
    assert Ref.parse(str(ref)) == ref


@pytest.mark.parametrize("text", ["", "v1/Pod", "a/b/c/d/e/f", "v1/Pod/ns/"])
def test_other_text_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="not a reference"):
        Ref.parse(text)


def test_namespaces_and_definitions_come_before_what_lives_in_them() -> None:
    kinds = ["Deployment", "Workspace", "ConfigMap", "CustomResourceDefinition", "Role", "Namespace"]
    ordered = [obj["kind"] for obj in apply_order([{"kind": kind} for kind in kinds])]
    assert ordered == [
        "Namespace",
        "CustomResourceDefinition",
        "Role",
        "ConfigMap",
        "Deployment",
        "Workspace",
    ]


def test_only_the_labels_make_an_object_ours() -> None:
    plain = {"metadata": {"name": "x"}}
    assert not belongs_to(plain, "redis")
    assert belongs_to(labelled(plain, "redis"), "redis")
    assert not belongs_to(labelled(plain, "redis"), "openldap")


@pytest.mark.parametrize(
    ("live", "wanted", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"spec": {"x": [1]}}, {"spec": {"x": [1, 2]}}, ["spec.x"]),
        ({"spec": {}}, {"spec": {"replicas": 1}}, ["spec.replicas"]),
        (
            {"metadata": {"resourceVersion": "1", "labels": {}}},
            {"metadata": {"labels": {"a": "b"}}},
            ["metadata.labels.a"],
        ),
        ({"status": {"x": 1}}, {}, []),
        ({"spec": {"status": 1}}, {"spec": {"status": 2}}, ["spec.status"]),
    ],
)
def test_a_plan_names_the_fields_that_change(live: dict, wanted: dict, paths: list[str]) -> None:
    assert [change.path for change in changes(live, wanted)] == paths


def test_what_others_need_is_removed_last() -> None:
    records = {
        "crds": Record("Ready"),
        "app": Record("Ready", dependencies=("db", "crds")),
        "db": Record("Ready", dependencies=("crds",)),
    }
    assert removal_order(records, set(records)) == ["app", "db", "crds"]
    assert removal_order(records, {"db"}) == ["db"]
