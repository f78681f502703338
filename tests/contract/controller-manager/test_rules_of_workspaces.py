"""The roles, bindings and status that a workspace implies: tables, without a cluster."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ks_controller_manager.rbac import user
from ks_controller_manager.workspace import roles, status

NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:04:06Z"


def workspace(name: str = "w", manager: str = "", **more: Any) -> dict[str, Any]:
    meta = {"name": name, "uid": "u", "resourceVersion": "1", "generation": 1}
    return {"metadata": meta, "spec": {"manager": manager} if manager else {}, **more}


def binding(*subjects: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "ClusterRoleBinding", "metadata": {"name": "b"}, "subjects": list(subjects)}


def test_three_roles_and_three_bindings_are_named_after_the_workspace() -> None:
    names = ["workspace:w:admin", "workspace:w:regular", "workspace:w:viewer"]
    assert [role["metadata"]["name"] for role in roles.cluster_roles(workspace())] == names
    assert [found["metadata"]["name"] for found in roles.bindings(workspace())] == names
    assert [found["roleRef"]["name"] for found in roles.bindings(workspace())] == names


def test_rules_reach_no_other_workspace() -> None:
    for role in roles.cluster_roles(workspace("mine")):
        for rule in role["rules"]:
            if any(resource.startswith("workspaces") for resource in rule["resources"]):
                assert rule["resourceNames"] == ["mine"]


def test_no_workspace_role_reaches_namespaces_of_the_cluster() -> None:
    for role in roles.cluster_roles(workspace()):
        assert not any("namespaces" in rule["resources"] for rule in role["rules"])


def test_the_manager_is_an_admin_and_nothing_else() -> None:
    admin, regular, viewer = roles.bindings(workspace(manager="alice"))
    assert admin["subjects"] == [user("alice")]
    assert regular["subjects"] == viewer["subjects"] == []


def test_a_workspace_without_manager_has_no_admin() -> None:
    assert all(found["subjects"] == [] for found in roles.bindings(workspace()))


@pytest.mark.parametrize(
    ("present", "wanted", "merged"),
    [
        ([], [], []),
        ([user("bob")], [], [user("bob")]),
        ([user("bob")], [user("alice")], [user("bob"), user("alice")]),
        ([user("alice"), user("bob")], [user("alice")], [user("alice"), user("bob")]),
    ],
)
def test_members_stay_and_the_manager_is_added(present: list, wanted: list, merged: list) -> None:
    assert roles.with_members(binding(*present), binding(*wanted))["subjects"] == merged


subjects = st.lists(st.sampled_from([user(name) for name in "abcdef"]), unique_by=lambda s: s["name"])


@given(subjects, subjects)
def test_merging_members_loses_nobody_doubles_nobody_and_settles(present: list, wanted: list) -> None:
    merged = roles.with_members(binding(*present), binding(*wanted))
    names = [subject["name"] for subject in merged["subjects"]]
    assert set(names) == {subject["name"] for subject in present + wanted}
    assert len(names) == len(set(names))
    assert roles.with_members(merged, binding(*wanted))["subjects"] == merged["subjects"]


def test_a_role_is_not_merged() -> None:
    role = roles.cluster_roles(workspace())[0]
    assert roles.with_members({"kind": "ClusterRole", "rules": []}, role) is role


def test_a_status_that_is_right_is_not_written_again() -> None:
    patch = status.ready(workspace(), NOW)
    assert patch["status"]["conditions"][0]["status"] == "True"
    assert status.ready(workspace(status=patch["status"]), LATER) == {}


def test_a_condition_keeps_its_time_while_it_stays_what_it_is() -> None:
    first = status.failed(workspace(), "Forbidden", "no", NOW)["status"]
    second = status.failed(workspace(status=first), "Invalid", "still no", LATER)["status"]
    assert second["conditions"][0]["lastTransitionTime"] == NOW
    third = status.ready(workspace(status=second), LATER)["status"]
    assert third["conditions"][0]["lastTransitionTime"] == LATER


def test_conditions_of_others_are_kept() -> None:
    other = {"type": "Billed", "status": "True"}
    patch = status.ready(workspace(status={"conditions": [other]}), NOW)
    assert [condition["type"] for condition in patch["status"]["conditions"]] == ["Billed", "Ready"]


def test_a_workspace_that_others_hold_says_who() -> None:
    held = workspace()
    held["metadata"]["finalizers"] = ["finalizers.tenant.kubesphere.io", "example.com/hold"]
    condition = status.ending(held, [], NOW)["status"]["conditions"][0]
    assert (condition["reason"], condition["message"]) == (
        "Deleting",
        "Waiting for the finalizers example.com/hold.",
    )
    held["metadata"]["finalizers"].pop()
    assert status.ending(held, [], NOW) == {}


def named(*names: str) -> list[dict[str, Any]]:
    return [{"metadata": {"name": name}} for name in names]


def test_a_workspace_that_waits_for_its_namespaces_names_them() -> None:
    metadata = {"name": "w", "finalizers": ["foregroundDeletion"], "generation": 2}
    said = status.ending({"metadata": metadata}, named("b", "a"), NOW)["status"]["conditions"][0]
    assert said["message"] == (
        "Waiting for the finalizers foregroundDeletion. Namespaces that are still there: a, b."
    )
    many = [f"n{number:02}" for number in range(50)]
    message = status.waiting({"metadata": metadata}, named(*many), NOW)["status"]["conditions"][0]["message"]
    assert message.endswith("n18, n19, ....")


@pytest.mark.parametrize(
    ("finalizers", "wanted"), [(["orphan"], True), (["foregroundDeletion"], False), ([], False)]
)
def test_namespaces_stay_where_who_deletes_the_workspace_asks_for_it(finalizers: Any, wanted: bool) -> None:
    """orphaned-namespaces"""
    assert status.keeps_namespaces({"metadata": {"name": "w", "finalizers": finalizers}}) is wanted
