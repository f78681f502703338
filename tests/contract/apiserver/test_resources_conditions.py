"""What each condition and order keeps, on objects that a test writes down: no cluster."""

import json
from typing import Any, cast

import pytest

from harness.recorded_cluster import RecordedCluster
from ks_apiserver.resources.access import Access
from ks_apiserver.resources.discovery import Discovery
from ks_apiserver.resources.objects import Objects
from ks_apiserver.resources.search import Search
from kubekit.cluster import Cluster, Impersonation
from kubekit.rbac import RbacIndex
from servicekit.errors import Forbidden, NotFound
from servicekit.identity import Identity
from servicekit.paging import parse_page_query

ANN = Identity("ann", ("devs",), "192.0.2.1")
RBAC = "rbac.authorization.k8s.io"


def an(
    name: str, namespace: str | None = "n1", *, created: str = "2026-01-01T00:00:00Z", **parts: Any
) -> Any:
    """An object; `labels`, `annotations` and `owner` (`Kind/name`) are of its metadata."""
    metadata: dict[str, Any] = {"name": name, "creationTimestamp": created, "uid": name}
    metadata |= {key: parts.pop(key) for key in ("labels", "annotations") if key in parts}
    if namespace:
        metadata["namespace"] = namespace
    if owner := parts.pop("owner", None):
        kind, _, of = owner.partition("/")
        metadata["ownerReferences"] = [{"kind": kind, "name": of}]
    return {"metadata": metadata, **parts}


def mounting(claim: str) -> Any:
    return {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}, {"name": "other"}]}


ROLE = an(
    "reader", None, rules=[{"apiGroups": ["resources.kubesphere.io"], "resources": ["*"], "verbs": ["*"]}]
)
BINDING = an(
    "ann",
    None,
    roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": "reader"},
    subjects=[{"apiGroup": RBAC, "kind": "User", "name": "ann"}],
)
MADE_BY_ANN = {"kubesphere.io/creator": "ann"}

OBJECTS = {
    "clusterroles": [
        ROLE,
        an(
            "of-ws",
            None,
            owner="Workspace/w1",
            annotations=MADE_BY_ANN,
            labels={"kubesphere.io/workspace": "w1"},
        ),
        an("by-ann", None, annotations=MADE_BY_ANN),
    ],
    "clusterrolebindings": [BINDING],
    "roles": [an("made", annotations=MADE_BY_ANN), an("given")],
    "pods": [
        an(
            "web-1",
            owner="ReplicaSet/web-a",
            labels={"app": "web", "tier": "front"},
            spec={"nodeName": "k1", **mounting("data")},
            status={"startTime": "2026-01-02T00:00:00Z"},
        ),
        an("web-2", "n2", owner="ReplicaSet/web-a", labels={"app": "web"}, spec={"nodeName": "k2"}),
        an(
            "agent",
            owner="DaemonSet/agent",
            spec={"nodeName": "k1"},
            status={"startTime": "2026-01-01T00:00:00Z"},
        ),
        an("lone", spec={}, labels={"chart": "redis-1", "app": ""}),
    ],
    "replicasets": [an("web-a", owner="Deployment/web"), an("web-a", "n2", owner="Deployment/other")],
    "services": [
        an("web", spec={"selector": {"app": "web", "tier": "front"}}),
        an("web", "n2", spec={"selector": {"app": "web"}}),
        an("bare", spec={}),
    ],
    "persistentvolumeclaims": [
        an("data", spec={"storageClassName": "fast"}, status={"phase": "Bound"}),
        an("data", "n2", spec={"storageClassName": "slow"}, status={"phase": "Lost"}),
        an("old", spec={}, annotations={"volume.beta.kubernetes.io/storage-class": "fast"}),
    ],
    "storageclasses": [an("fast", None), an("slow", None), an("unused", None)],
    "jobs": [
        an("nightly-1", owner="CronJob/nightly", status={"succeeded": 1}),
        an("build-1", owner="S2iRun/build", status={"failed": 1}),
        an("once", status={"conditions": [{"lastTransitionTime": "2026-03-01T00:00:00Z"}]}),
    ],
    "deployments": [
        an(
            "new",
            status={"conditions": [{"lastUpdateTime": "2026-02-01T00:00:00Z"}]},
            created="2026-01-03T00:00:00Z",
        ),
        an("newest", status={"conditions": [{"lastUpdateTime": "2026-02-03T00:00:00Z"}]}),
        an(
            "quiet", created="2026-02-02T00:00:00Z", annotations={"kubesphere.io/alias-name": "The quiet one"}
        ),
    ],
    "cronjobs": [
        an("never"),
        an("late", status={"lastScheduleTime": "2026-01-05T00:00:00Z"}),
        an("early", status={"lastScheduleTime": "2026-01-04T00:00:00Z"}),
    ],
    "secrets": [an("token", type="Opaque"), an("pull", type="kubernetes.io/dockerconfigjson")],
    "nodes": [
        an("k1", None, labels={"node-role.kubernetes.io/master": ""}, spec={"unschedulable": True}),
        an("k2", None),
    ],
    "horizontalpodautoscalers": [
        an("web", spec={"scaleTargetRef": {"kind": "Deployment", "name": "web"}}),
        an("db", spec={"scaleTargetRef": {"kind": "StatefulSet", "name": "db"}}),
    ],
}


@pytest.fixture
def cluster() -> RecordedCluster:
    return RecordedCluster(OBJECTS)


@pytest.fixture
async def search(cluster: RecordedCluster) -> Search:
    rbac = RbacIndex(cast("Cluster", cluster))
    await rbac.open()
    return Search(Objects(cast("Cluster", cluster)), Access(rbac), Discovery(cast("Cluster", cluster)))


async def found(search: Search, path: str, **query: str) -> list[Any]:
    namespace, _, resource = path.rpartition("/")
    page = (await search.page(ANN, resource, parse_page_query(query), namespace or None)).value
    return [json.loads(item) for item in page.items]


def names(items: list[Any]) -> str:
    return " ".join(item["metadata"]["name"] for item in items)


@pytest.mark.parametrize(
    ("path", "conditions", "expected"),
    [
        ("pods", "nodeName=k1", "agent web-1"),
        ("pods", "nodeName=", "lone"),
        ("n1/pods", "nodeName=k2", ""),
        ("pods", "pvcName=data", "web-1"),
        ("pods", "ownerKind=DaemonSet,ownerName=agent", "agent"),
        ("pods", "ownerKind=ReplicaSet,ownerName=web-a", "web-1 web-2"),
        ("pods", "ownerKind=Deployment,ownerName=web", "web-1"),
        ("n2/pods", "ownerKind=Deployment,ownerName=web", ""),
        ("pods", "ownerKind=Deployment,ownerName=other,app=web", "web-2"),
        ("pods", "ownerKind=DaemonSet", ""),
        ("pods", "ownerName=agent", ""),
        ("pods", "serviceName=web", "web-1 web-2"),
        ("pods", "serviceName=bare", ""),
        ("pods", "serviceName=nosuch", ""),
        ("pods", "app=web,tier=front", "web-1"),
        ("pods", "app=", "lone"),
        ("pods", "tier~ro", "web-1"),
        ("pods", "tier~", "agent lone web-2"),
        ("pods", "label~fron", "web-1"),
        ("pods", "app~redis", "lone"),
        ("pods", "keyword=tier", "web-1"),
        ("pods", "name=lone|agent", "agent lone"),
        ("pods", "name~web,nodeName=k2", "web-2"),
        ("jobs", "includeCronJob=false", "build-1 once"),
        ("jobs", "includeCronJob=true", "build-1 nightly-1 once"),
        ("jobs", "includeS2iRun=false,includeCronJob=false", "once"),
        ("jobs", "status=complete", "nightly-1"),
        ("persistentvolumeclaims", "status=bound|lost", "data data"),
        ("persistentvolumeclaims", "storageClassName=fast", "data"),
        ("secrets", "type=Opaque", "token"),
        ("roles", "userfacing=true", "made"),
        ("roles", "userfacing=false", "given made"),
        ("clusterroles", "userfacing=true", "by-ann"),
        ("clusterroles", "ownerKind=Workspace,ownerName=w1", "of-ws"),
        ("clusterroles", "ownerKind=Workspace", "of-ws"),
        ("clusterroles", "ownerName=w1", ""),
        ("nodes", "role=master", "k1"),
        ("nodes", "status=unschedulable", "k1"),
        ("horizontalpodautoscalers", "targetKind=Deployment,targetName=web", "web"),
        ("horizontalpodautoscalers", "targetKind=Deployment", ""),
        ("deployments", "name~quiet one", "quiet"),
        ("deployments", "annotation~quiet", "quiet"),
    ],
)
async def test_conditions(search: Search, path: str, conditions: str, expected: str) -> None:
    assert names(await found(search, path, conditions=conditions, orderBy="name")) == expected


@pytest.mark.parametrize(
    ("path", "order_by", "expected"),
    [
        ("deployments", "updateTime", "new quiet newest"),
        ("deployments", "createTime", "newest new quiet"),
        ("deployments", "startTime", "new newest quiet"),
        ("jobs", "updateTime", "build-1 nightly-1 once"),
        ("n1/pods", "startTime", "agent web-1 lone"),
        ("cronjobs", "lastScheduleTime", "never early late"),
    ],
)
async def test_orders(search: Search, path: str, order_by: str, expected: str) -> None:
    assert names(await found(search, path, orderBy=order_by)) == expected
    backwards = " ".join(reversed(expected.split()))
    assert names(await found(search, path, orderBy=order_by, reverse="true")) == backwards


async def test_a_page_in_an_order_of_its_own_says_how_many_there_are(search: Search) -> None:
    query = parse_page_query({"orderBy": "updateTime", "paging": "limit=1,page=2"})
    page = (await search.page(ANN, "deployments", query)).value
    assert (names([json.loads(item) for item in page.items]), page.total) == ("quiet", 3)


async def test_claims_say_whether_a_pod_of_their_namespace_mounts_them(search: Search) -> None:
    claims = await found(search, "persistentvolumeclaims", conditions="name=data", orderBy="name")
    used = [claim["metadata"]["annotations"]["kubesphere.io/in-use"] for claim in claims]
    assert used == ["true", "false"]


async def test_storage_classes_say_how_many_claims_want_them(search: Search) -> None:
    classes = await found(search, "storageclasses", orderBy="name")
    counts = [each["metadata"]["annotations"]["kubesphere.io/pvc-count"] for each in classes]
    assert counts == ["2", "1", "0"]


async def test_secrets_are_read_as_who_asks(search: Search, cluster: RecordedCluster) -> None:
    await found(search, "n1/secrets")
    assert cluster.read_as == [Impersonation("ann", ("devs",))]


@pytest.mark.parametrize(
    ("path", "refusal"), [("nosuch", NotFound), ("n1/nosuch", NotFound), ("n1/nodes", NotFound)]
)
async def test_what_is_no_kind_there_is_not_found(
    search: Search, path: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal, match="not found"):
        await found(search, path)


async def test_who_has_no_role_learns_nothing_of_kinds(search: Search) -> None:
    bob = Identity("bob", (), "192.0.2.1")
    for resource in ("pods", "nosuch", "secrets"):
        with pytest.raises(Forbidden, match='User "bob" cannot list'):
            await search.page(bob, resource, parse_page_query({}))
