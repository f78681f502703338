"""What v2.1.1 wrote to a cluster, against what this controller manager writes, object by object.

data/cluster-v2.1.1.json holds the objects of a cluster of v2.1.1. Each accepted difference stands in
docs/compatibility/controller-manager.md under the identifier that it has in ACCEPTED.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.objects import key_of
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    WORKSPACES,
    Object,
    Resource,
)
from kubekit.store import Key

pytestmark = pytest.mark.kubernetes

RECORDED = json.loads((Path(__file__).parent / "data" / "cluster-v2.1.1.json").read_text())
KINDS = {
    "workspaces": WORKSPACES,
    "clusterroles": CLUSTER_ROLES,
    "clusterrolebindings": CLUSTER_ROLE_BINDINGS,
    "namespaces": NAMESPACES,
    "roles": ROLES,
    "rolebindings": ROLE_BINDINGS,
}
OF_THE_SERVER = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"}
DEMO = ("demo-ws", "demo-ns1", "demo-ns2")

ACCEPTED: dict[str, Callable[[str, Object], Any]] = {
    "viewer-secrets": lambda kind, obj: (
        kind == "roles" and obj["metadata"]["name"] == "viewer" and obj.pop("rules")
    ),
    "operator-exec": lambda kind, obj: (
        kind == "roles" and obj["metadata"]["name"] == "operator" and obj.pop("rules")
    ),
    "workspace-watch": lambda kind, obj: (
        kind == "clusterroles"
        and obj.update(rules=[rule for rule in obj["rules"] if rule["resources"] != ["namespaces"]])
    ),
    "namespace-status": lambda kind, obj: kind == "namespaces" and obj.pop("status", None),
    "workspace-status": lambda kind, obj: kind == "workspaces" and obj.pop("status", None),
}


def comparable(kind: str, obj: Object) -> Object:
    """The object without what a server gives it and what is accepted to differ."""
    result = copy.deepcopy(obj)
    meta = {key: value for key, value in result["metadata"].items() if key not in OF_THE_SERVER and value}
    for owner in meta.get("ownerReferences", []):
        owner.pop("uid")
    if kind == "namespaces":
        meta.get("labels", {}).pop("kubernetes.io/metadata.name", None)
    result["metadata"] = meta
    for accept in ACCEPTED.values():
        accept(kind, result)
    return {key: value for key, value in result.items() if value not in (None, [], {})}


def demo(kind: str, names: dict[str, str]) -> list[Object]:
    """The recorded objects of the demo workspace, under the names of this test."""
    text = json.dumps([obj for obj in RECORDED[kind] if any(name in json.dumps(obj) for name in DEMO)])
    for old, new in names.items():
        text = text.replace(old, new)
    return json.loads(text)


def made_by_users(kind: str, obj: Object) -> bool:
    name = obj["metadata"]["name"]
    return kind in ("roles", "rolebindings") and name in ("cmreader", "alice-op", "alice-cr-view")


async def live(cluster: Cluster, kind: str, obj: Object) -> Object:
    meta = obj["metadata"]
    try:
        return await cluster.get(KINDS[kind], meta["name"], meta.get("namespace"))
    except Exception as error:
        raise AssertionError(f"{kind} {meta['name']}: {error}") from error


@pytest.fixture
def names(tenants: Any) -> dict[str, str]:
    return {name: tenants.name(name) for name in DEMO}


async def test_a_new_workspace_is_what_v211_made_of_it(
    cluster: Cluster, tenants: Any, names: dict[str, str], managers: Callable[..., Any]
) -> None:
    async with managers():
        await make_demo(cluster, tenants, names)
        for kind in KINDS:
            for recorded in demo(kind, names):
                if not made_by_users(kind, recorded):
                    await eventually(lambda kind=kind, recorded=recorded: same(cluster, kind, recorded), 20)


async def make_demo(cluster: Cluster, tenants: Any, names: dict[str, str]) -> None:
    """Makes the demo workspace anew, by the requests that the recording was made with."""
    await tenants.workspace(name=names["demo-ws"])
    annotations = {"kubesphere.io/alias-name": "Demo", "kubesphere.io/creator": "admin"}
    await cluster.patch(WORKSPACES, names["demo-ws"], {"metadata": {"annotations": annotations}})
    for number in ("1", "2"):
        name = names[f"demo-ns{number}"]
        await tenants.namespace(names["demo-ws"], creator="admin", name=name)
        extra = {"kubesphere.io/alias-name": f"DEMO-NS{number}", "kubesphere.io/description": "d"}
        await cluster.patch(NAMESPACES, name, {"metadata": {"annotations": extra}})
    for role, member in (("admin", "erin"), ("viewer", "dave")):
        binding = next(
            obj
            for obj in demo("clusterrolebindings", names)
            if obj["metadata"]["name"] == f"workspace:{names['demo-ws']}:{role}"
        )
        await eventually(lambda binding=binding: live(cluster, "clusterrolebindings", binding))
        assert member in [subject["name"] for subject in binding["subjects"]]
        await cluster.patch(
            CLUSTER_ROLE_BINDINGS, binding["metadata"]["name"], {"subjects": binding["subjects"]}
        )


async def same(cluster: Cluster, kind: str, recorded: Object) -> None:
    assert comparable(kind, await live(cluster, kind, recorded)) == comparable(kind, recorded)


async def made_by_v211(cluster: Cluster, tenants: Any, names: dict[str, str]) -> dict[str, Object]:
    """The objects of the recorded demo workspace, but for the workspace itself, as v2.1.1 left them."""
    workspace = await tenants.workspace(name=names["demo-ws"])
    finalizers = {"metadata": {"finalizers": ["finalizers.tenant.kubesphere.io"]}}
    await cluster.patch(WORKSPACES, names["demo-ws"], finalizers)
    before: dict[str, Object] = {}
    for kind in list(KINDS)[1:]:
        for recorded in demo(kind, names):
            made = await tenants.copy(KINDS[kind], recorded, owner_uid=workspace["metadata"]["uid"])
            before[f"{kind} {key_of(made)}"] = made
    return before


async def changed_since(cluster: Cluster, before: dict[str, Object]) -> dict[str, Object]:
    """The objects that were written since, as they are."""
    now = {what: await live(cluster, what.partition(" ")[0], old) for what, old in before.items()}
    return {
        what: new
        for what, new in now.items()
        if new["metadata"]["resourceVersion"] != before[what]["metadata"]["resourceVersion"]
    }


def planned(document: str, names: dict[str, str]) -> dict[str, Object]:
    """The entries of a plan that are about this test's objects."""
    plurals = {resource.kind: plural for plural, resource in KINDS.items()}
    entries = json.loads(document)["changes"]
    return {
        f"{plurals[entry['kind']]} {Key(entry['namespace'], entry['name'])}": entry
        for entry in entries
        if any(name in json.dumps(entry) for name in names.values())
    }


async def test_the_first_start_on_a_cluster_of_v211_changes_only_what_is_accepted_and_planned(
    cluster: Cluster,
    tenants: Any,
    names: dict[str, str],
    managers: Callable[..., Any],
    plan: Callable[..., Any],
    reader_kubeconfig: Path,
) -> None:
    before = await made_by_v211(cluster, tenants, names)
    code, told = await plan(reader_kubeconfig, "--json")
    assert code == 1, told
    plans = planned(told, names)
    assert await changed_since(cluster, before) == {}
    async with managers():
        await eventually(lambda: reconciled(cluster, WORKSPACES, names["demo-ws"]), 60)
        for namespace in (names["demo-ns1"], names["demo-ns2"]):
            await eventually(lambda namespace=namespace: reconciled(cluster, NAMESPACES, namespace), 60)

        async def settled() -> None:
            viewer = await cluster.get(ROLES, "viewer", names["demo-ns2"])
            assert {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]} not in viewer[
                "rules"
            ]

        await eventually(settled, 60)
    changed = await changed_since(cluster, before)
    for what, new in changed.items():
        kind = what.partition(" ")[0]
        assert comparable(kind, new) == comparable(kind, before[what])
        assert comparable(kind, plans[what]["after"]) == comparable(kind, new)
        assert plans[what]["after"].get("rules") == new.get("rules")
    ours = (names["demo-ns1"], names["demo-ns2"])
    assert changed.keys() == {
        *(f"namespaces {name}" for name in ours),
        *(f"roles {name}/{role}" for name in ours for role in ("viewer", "operator")),
        f"clusterroles workspace:{names['demo-ws']}:admin",
        f"clusterroles workspace:{names['demo-ws']}:viewer",
    }
    assert plans.keys() == changed.keys() | {f"workspaces {names['demo-ws']}"}
    code, told = await plan(reader_kubeconfig, "--json")
    assert planned(told, names) == {}


async def reconciled(cluster: Cluster, resource: Resource, name: str) -> None:
    found = await cluster.get(resource, name)
    assert found.get("status", {}).get("conditions", [{}])[0].get("status") == "True"


def test_every_accepted_difference_is_documented() -> None:
    document = (Path(__file__).parents[3] / "docs" / "compatibility" / "controller-manager.md").read_text()
    for identifier in ACCEPTED:
        assert f"`{identifier}`" in document
