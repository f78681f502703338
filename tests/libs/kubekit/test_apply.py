"""What counts as a difference, so that a resync writes nothing and a real change is written."""

import copy
from typing import Any

import pytest

from kubekit.apply import OwnedByAnother, check_owner, covers, differs, keep_items, owned, role_ref_changed

OWNER = {
    "apiVersion": "tenant.kubesphere.io/v1alpha1",
    "kind": "Workspace",
    "metadata": {"name": "w", "uid": "1"},
}

ROLE: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "r", "labels": {"a": "1"}},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}],
}

PRESENT = {
    **ROLE,
    "metadata": {
        "name": "r",
        "uid": "9",
        "resourceVersion": "5",
        "labels": {"a": "1", "others": "too"},
        "annotations": {"others": "too"},
        "ownerReferences": [
            {"kind": "Other", "uid": "7"},
            *owned(OWNER, ROLE)["metadata"]["ownerReferences"],
        ],
    },
}


def changed(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(ROLE), **changes}


def test_what_others_added_is_no_difference() -> None:
    assert not differs(PRESENT, owned(OWNER, ROLE))


@pytest.mark.parametrize(
    "wanted",
    [
        changed(rules=[]),
        changed(rules=[{**ROLE["rules"][0], "verbs": ["get"]}]),
        changed(rules=[*ROLE["rules"], *ROLE["rules"]]),
        changed(metadata={"name": "r", "labels": {"a": "2"}}),
        changed(metadata={"name": "r", "annotations": {"b": "1"}}),
        changed(metadata={"name": "r", "finalizers": ["f"]}),
        changed(aggregationRule={"clusterRoleSelectors": [{}]}),
    ],
)
def test_every_wanted_field_is_compared(wanted: dict[str, Any]) -> None:
    assert differs(PRESENT, owned(OWNER, wanted))


def test_an_owner_that_is_missing_or_new_is_a_difference() -> None:
    another = {**OWNER, "metadata": {"name": "w", "uid": "2"}}
    assert differs(PRESENT, owned(another, ROLE))


@pytest.mark.parametrize(
    ("present", "wanted", "covered"),
    [
        (None, {}, True),
        (None, [], True),
        ([], None, True),
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": None}, {"a": 0}, False),
        ([{"a": 1, "b": 2}], [{"a": 1}], True),
        ([1, 2], [2, 1], False),
        ("a", ["a"], False),
    ],
)
def test_covering(present: Any, wanted: Any, covered: bool) -> None:
    assert covers(present, wanted) is covered


def test_the_controller_of_another_is_not_touched() -> None:
    theirs = owned({**OWNER, "metadata": {"name": "x", "uid": "3"}}, ROLE)
    with pytest.raises(OwnedByAnother, match="belongs to Workspace x"):
        check_owner(OWNER, theirs)
    check_owner(OWNER, owned(OWNER, ROLE))
    check_owner(OWNER, ROLE)


def test_a_namespaced_owner_owns_only_within_its_namespace() -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "o", "namespace": "n", "uid": "1"}}
    with pytest.raises(ValueError, match="only within its namespace"):
        owned(owner, ROLE)


def test_members_that_others_appended_are_kept_in_place() -> None:
    alice, bob, carol = ({"kind": "User", "name": name} for name in ("alice", "bob", "carol"))
    binding: dict[str, Any] = {"subjects": [bob, alice]}
    kept = keep_items(binding, {"subjects": [alice, carol]}, "subjects", ("kind", "name", "namespace"))
    assert kept["subjects"] == [bob, alice, carol]
    assert keep_items(binding, {"subjects": [alice]}, "subjects", ("kind", "name")) == binding


def test_only_another_role_changes_the_role_reference() -> None:
    present = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "a"}}
    assert not role_ref_changed(present, {"roleRef": {"kind": "ClusterRole", "name": "a"}})
    assert role_ref_changed(present, {"roleRef": {"kind": "ClusterRole", "name": "b"}})
    assert not role_ref_changed(present, {})
