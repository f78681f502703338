"""What a namespace's labels and annotations imply: tables and properties, without a cluster."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ks_controller_manager.clusterrolebinding import members
from ks_controller_manager.namespace import ownership, roles
from ks_controller_manager.rbac import role_ref, user

LABEL = "kubesphere.io/workspace"
FINALIZER = "finalizers.kubesphere.io/namespaces"
OTHER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "c"}


def owner(name: str, uid: str = "", controller: bool = True) -> dict[str, Any]:
    return {
        "apiVersion": "tenant.kubesphere.io/v1alpha1",
        "kind": "Workspace",
        "name": name,
        "uid": uid or f"uid-{name}",
        "controller": controller,
        "blockOwnerDeletion": True,
    }


def namespace(
    workspace: str = "", owners: list | None = None, finalizers: list | None = None
) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": "n", "resourceVersion": "7"}
    if workspace:
        meta["labels"] = {LABEL: workspace}
    if owners:
        meta["ownerReferences"] = owners
    if finalizers:
        meta["finalizers"] = finalizers
    return {"metadata": meta}


def workspace(name: str, **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"uid-{name}", **meta}}


def patched(obj: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": obj["metadata"] | patch.get("metadata", {})}


BOUND = [
    ("a new namespace", namespace("w"), workspace("w"), [owner("w")], [FINALIZER]),
    ("one that is right", namespace("w", [owner("w")], [FINALIZER]), workspace("w"), None, None),
    ("its workspace is not there", namespace("w"), None, None, [FINALIZER]),
    (
        "its workspace is going",
        namespace("w", [owner("w")]),
        workspace("w", deletionTimestamp="x"),
        None,
        [FINALIZER],
    ),
    ("moved to what is not there", namespace("b", [owner("a")], [FINALIZER]), None, [], None),
    (
        "moved to what is going",
        namespace("b", [owner("a")], [FINALIZER]),
        workspace("b", deletionTimestamp="x"),
        [],
        None,
    ),
    ("moved", namespace("b", [owner("a")], [FINALIZER]), workspace("b"), [owner("b")], None),
    ("made again", namespace("w", [owner("w", "old")], [FINALIZER]), workspace("w"), [owner("w")], None),
    ("other owners stay", namespace("w", [OTHER], [FINALIZER]), workspace("w"), [OTHER, owner("w")], None),
    ("their order stays", namespace("w", [owner("w"), OTHER], [FINALIZER]), workspace("w"), None, None),
    (
        "one controller at most",
        namespace("w", [OTHER | {"controller": True}], [FINALIZER]),
        workspace("w"),
        [OTHER | {"controller": True}, owner("w", controller=False)],
        None,
    ),
    (
        "other finalizers stay",
        namespace("w", [owner("w")], ["x/y"]),
        workspace("w"),
        None,
        ["x/y", FINALIZER],
    ),
    ("system", namespace("system-workspace"), workspace("system-workspace"), None, [FINALIZER]),
    (
        "system, of v2.1.1",
        namespace("system-workspace", [owner("system-workspace")], [FINALIZER]),
        workspace("system-workspace"),
        [],
        None,
    ),
    (
        "system, of v2.1.1, its workspace going",
        namespace("system-workspace", [owner("system-workspace")], [FINALIZER]),
        workspace("system-workspace", deletionTimestamp="x"),
        [],
        None,
    ),
]


@pytest.mark.parametrize(
    ("present", "of", "owners", "finalizers"), [row[1:] for row in BOUND], ids=[row[0] for row in BOUND]
)
def test_a_namespace_is_owned_by_its_workspace(
    present: dict, of: dict | None, owners: list | None, finalizers: list | None
) -> None:
    changes = {"ownerReferences": owners, "finalizers": finalizers}
    wanted = {key: value for key, value in changes.items() if value is not None}
    patch = ownership.bound(present, of)
    assert patch == ({"metadata": wanted | {"resourceVersion": "7"}} if wanted else {})


def test_a_namespace_goes_with_its_workspace_though_that_is_on_its_way_out() -> None:
    ending = workspace("w", deletionTimestamp="x")
    assert ownership.taken(namespace("w"), ending)["metadata"]["ownerReferences"] == [owner("w")]
    assert ownership.taken(namespace("w", [owner("w")]), ending) == {}


@pytest.mark.parametrize(
    ("age", "of", "seconds"),
    [
        (0, None, ownership.WORKSPACE_WAIT),
        (2, None, ownership.WORKSPACE_WAIT - 2),
        (9, None, 0),
        (-60, None, ownership.WORKSPACE_WAIT),
        (0, workspace("w"), 0),
    ],
)
def test_a_new_namespace_gives_its_workspace_a_moment_to_be_there(
    age: int, of: dict | None, seconds: float
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    present = namespace("w")
    present["metadata"]["creationTimestamp"] = (now - timedelta(seconds=age)).isoformat()
    assert ownership.awaits_workspace(present, of, now) == seconds


def test_a_namespace_that_left_keeps_nothing_of_the_platform() -> None:
    left = namespace("", [owner("w"), OTHER], ["x/y", FINALIZER])
    assert ownership.unbound(left)["metadata"]["ownerReferences"] == [OTHER]
    assert ownership.unbound(left)["metadata"]["finalizers"] == ["x/y"]


def test_a_namespace_that_was_never_in_a_workspace_is_not_touched() -> None:
    assert ownership.unbound(namespace("", [OTHER], ["x/y"])) == {}


def test_a_workspace_of_somebody_else_is_no_owner_of_ours() -> None:
    foreign = owner("w") | {"apiVersion": "example.com/v1"}
    assert ownership.unbound(namespace("", [foreign])) == {}


owners = st.lists(
    st.sampled_from([owner("a"), owner("b"), owner("a", "old"), OTHER]), unique_by=lambda o: o["uid"]
)
finalizers = st.lists(st.sampled_from([FINALIZER, "x/y", "z"]), unique=True)


@given(st.sampled_from(["", "a", "b", "system-workspace"]), owners, finalizers)
def test_binding_settles_at_once(label: str, present_owners: list, present_finalizers: list) -> None:
    present = namespace(label, present_owners, present_finalizers)
    change = (lambda n: ownership.bound(n, workspace(label))) if label else ownership.unbound
    settled = patched(present, change(present))
    assert change(settled) == {}
    kept = [o for o in present_owners if o["kind"] != "Workspace"]
    assert [o for o in settled["metadata"].get("ownerReferences", []) if o["kind"] != "Workspace"] == kept


@pytest.mark.parametrize(
    ("creator", "name"),
    [("alice", "admin-alice"), ("", None), ("a/b", None), ("50%", None), ("a@b.c", "admin-a@b.c")],
)
def test_the_creator_becomes_an_admin(creator: str, name: str | None) -> None:
    created = {"metadata": {"name": "n", "annotations": {"kubesphere.io/creator": creator}}}
    binding = roles.creator_binding(created)
    assert (binding and binding["metadata"]["name"]) == name
    if binding:
        assert binding["subjects"] == [user(creator)]
        assert binding["roleRef"] == role_ref("Role", "admin")


def allows(role: str, verb: str, group: str, resource: str) -> bool:
    rules = next(found["rules"] for found in roles.roles("n") if found["metadata"]["name"] == role)
    return any(
        {verb, "*"} & set(rule["verbs"])
        and {group, "*"} & set(rule["apiGroups"])
        and {resource, "*"} & set(rule["resources"])
        for rule in rules
    )


@pytest.mark.parametrize(
    ("role", "verb", "group", "resource", "allowed"),
    [
        ("admin", "delete", "rbac.authorization.k8s.io", "roles", True),
        ("operator", "create", "apps", "deployments", True),
        ("operator", "delete", "", "secrets", True),
        ("operator", "create", "", "pods/exec", True),
        ("operator", "create", "rbac.authorization.k8s.io", "rolebindings", False),
        ("operator", "update", "", "namespaces", False),
        ("viewer", "list", "", "pods", True),
        ("viewer", "get", "", "pods/log", True),
        ("viewer", "list", "apps", "deployments", True),
        ("viewer", "list", "resources.kubesphere.io", "deployments", True),
        ("viewer", "get", "resources.kubesphere.io", "daemonsets/revisions", True),
        ("viewer", "get", "iam.kubesphere.io", "roles", True),
        ("viewer", "get", "monitoring.kubesphere.io", "pods", True),
        ("viewer", "create", "", "pods", False),
        ("viewer", "get", "", "secrets", False),
        ("viewer", "list", "resources.kubesphere.io", "secrets", False),
        ("viewer", "get", "", "pods/exec", False),
        ("viewer", "get", "", "pods/proxy", False),
        ("viewer", "get", "", "services/proxy", False),
        ("viewer", "get", "terminal.kubesphere.io", "pods", False),
    ],
)
def test_who_may_do_what_in_a_namespace(
    role: str, verb: str, group: str, resource: str, allowed: bool
) -> None:
    assert allows(role, verb, group, resource) is allowed


def test_nobody_below_the_operator_runs_commands_in_pods() -> None:
    """operator-exec"""
    assert allows("operator", "create", "", "pods/exec")
    assert not any(allows("viewer", verb, "", "pods/exec") for verb in ("get", "create"))


def test_a_member_binding_lists_exactly_the_members_of_the_workspace() -> None:
    source = {"subjects": [user("a"), user("b")]}
    binding = members.member_binding("n", "viewer", source)
    assert binding["metadata"] == {"name": "viewer", "namespace": "n"}
    assert binding["subjects"] == source["subjects"]
    assert members.member_binding("n", "viewer", {})["subjects"] == []


def crb(name: str, label: str, *owners: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {LABEL: label}, "ownerReferences": list(owners)}}


@pytest.mark.parametrize(
    ("binding", "workspace"),
    [
        (crb("workspace:w:admin", "w", owner("w")), "w"),
        (crb("workspace:w:viewer", "w", owner("w")), "w"),
        (crb("workspace:w:regular", "w", owner("w")), None),
        (crb("workspace:w:admin", "w"), None),
        (crb("workspace:w:admin", "w", owner("other")), None),
        (crb("mine", "w", owner("w")), None),
    ],
)
def test_only_a_binding_that_its_workspace_controls_names_members(
    binding: dict, workspace: str | None
) -> None:
    assert members.workspace_of_binding(binding) == workspace


def test_a_users_own_binding_is_not_taken_for_one_of_the_platform() -> None:
    ours = members.member_binding("n", "admin", {})
    role = next(found for found in roles.roles("n") if found["metadata"]["name"] == "admin")
    assert members.made_by_platform(ours, role)
    assert not members.made_by_platform(ours, {"metadata": {"name": "admin"}})
    assert not members.made_by_platform(ours | {"roleRef": role_ref("ClusterRole", "admin")}, role)


@pytest.mark.parametrize(("managers", "ours"), [(["kubectl", "c"], True), (["kubectl"], False), ([], False)])
def test_the_cluster_knows_who_wrote_a_binding(managers: list[str], ours: bool) -> None:
    binding = {"metadata": {"managedFields": [{"manager": name, "operation": "Update"} for name in managers]}}
    assert members.written_by(binding, "c") is ours
