"""The custom resources: what is stored, what is kept as it is, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from ks_installer.discovery import Discovery
from kubekit.cluster import Cluster
from kubekit.errors import Invalid
from kubekit.resource import CRDS, Object

pytestmark = pytest.mark.kubernetes

# As clients of v2.1.1 write them; `later` is a field that no schema here knows.
ACCEPTED = [
    ("tenant.kubesphere.io/v1alpha1", "Workspace", {"manager": "admin"}),
    ("app.k8s.io/v1beta1", "Application", {"descriptor": {"version": "v1", "later": 1}, "addOwnerRef": True}),
    ("devops.kubesphere.io/v1alpha1", "S2iBinary", {"fileName": "a.jar", "size": "1KB", "later": 1}),
    (
        "devops.kubesphere.io/v1alpha1",
        "S2iBuilder",
        {"config": {"imageName": "i", "sourceUrl": "u", "isBinaryURL": True, "later": 1}},
    ),
    (
        "devops.kubesphere.io/v1alpha1",
        "S2iBuilderTemplate",
        {"containerInfo": [{"builderImage": "b"}], "later": 1},
    ),
    ("devops.kubesphere.io/v1alpha1", "S2iRun", {"builderName": "b", "later": 1}),
    (
        "servicemesh.kubesphere.io/v1alpha2",
        "Strategy",
        {"type": "Canary", "template": {"spec": {"hosts": ["reviews"], "http": [{"route": []}]}}},
    ),
    (
        "servicemesh.kubesphere.io/v1alpha2",
        "ServicePolicy",
        {"template": {"spec": {"host": "reviews", "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}}},
    ),
    (
        "network.kubesphere.io/v1alpha1",
        "WorkspaceNetworkPolicy",
        {
            "workspace": "w",
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": 80}, {"port": "http"}]}],
        },
    ),
    ("network.kubesphere.io/v1alpha1", "NamespaceNetworkPolicy", {"order": 1, "selector": "all()"}),
    ("logging.kubesphere.io/v1alpha1", "FluentBit", {"input": [{"type": "fluentbit_input"}]}),
]
REFUSED = [
    ("tenant.kubesphere.io/v1alpha1", "Workspace", {"manager": 1}, "spec.manager"),
    ("devops.kubesphere.io/v1alpha1", "S2iBuilder", {"config": {"imageName": "i"}}, "spec.config.sourceUrl"),
    ("devops.kubesphere.io/v1alpha1", "S2iRun", {}, "spec.builderName"),
    ("servicemesh.kubesphere.io/v1alpha2", "Strategy", {"type": "Big"}, "spec.type"),
    ("network.kubesphere.io/v1alpha1", "WorkspaceNetworkPolicy", {"policyTypes": ["Up"]}, "spec.policyTypes"),
]


@pytest.fixture(scope="module", autouse=True)
async def installed(installer: Callable[..., Any]) -> None:
    outcome = await installer("apply", "--profile", "dev")
    assert outcome.code == 0, outcome.err


async def dry_run(cluster: Cluster, api_version: str, kind: str, spec: Object) -> Object:
    resource = await Discovery(cluster).resource(api_version, kind)
    assert resource is not None
    meta = {"name": "definitions"} | ({"namespace": "default"} if resource.namespaced else {})
    body = {"apiVersion": api_version, "kind": kind, "metadata": meta, "spec": spec}
    return await cluster.create(resource, body, dry_run=True)


@pytest.mark.parametrize(("api_version", "kind", "spec"), ACCEPTED, ids=[row[1] for row in ACCEPTED])
async def test_an_object_of_v211_is_kept_as_it_is(
    cluster: Cluster, api_version: str, kind: str, spec: Object
) -> None:
    assert (await dry_run(cluster, api_version, kind, spec))["spec"] == spec


@pytest.mark.parametrize(("api_version", "kind", "spec", "field"), REFUSED, ids=[row[1] for row in REFUSED])
async def test_what_no_controller_could_use_is_refused(
    cluster: Cluster, api_version: str, kind: str, spec: Object, field: str
) -> None:
    with pytest.raises(Invalid, match=field.replace(".", r"\.")):
        await dry_run(cluster, api_version, kind, spec)


async def test_every_definition_has_a_structural_schema(cluster: Cluster) -> None:
    for definition in (await cluster.list(CRDS)).items:
        conditions = {c["type"]: c["status"] for c in definition["status"]["conditions"]}
        assert conditions["Established"] == conditions["NamesAccepted"] == "True"
        assert "NonStructuralSchema" not in conditions
