"""The custom resources: what is stored, what is kept as it is, and what is refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ks_installer.catalogue import Catalogue
from ks_installer.discovery import Discovery
from kubekit.cluster import Cluster
from kubekit.errors import Invalid
from kubekit.resource import CRDS, WORKSPACES, Object

pytestmark = pytest.mark.kubernetes

RECORDED = Path(__file__).parents[1] / "controller-manager" / "data" / "cluster-v2.1.1.json"
"""Objects of a cluster of v2.1.1."""

# As clients of v2.1.1 write them; `later` is a field that no schema here knows.
ACCEPTED = [
    ("tenant.kubesphere.io/v1alpha1", "Workspace", {"manager": "admin"}),
    ("app.k8s.io/v1beta1", "Application", {"descriptor": {"version": "v1", "later": 1}, "addOwnerRef": True}),
    (
        "app.k8s.io/v1beta1",
        "Application",
        {
            "addOwnerRef": True,
            "componentKinds": [{"group": "", "kind": "Service"}, {"group": "apps/v1", "kind": "Deployment"}],
            "descriptor": {},
            "selector": {"matchLabels": {"app.kubernetes.io/name": "demoapp"}},
        },
    ),
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
        "servicemesh.kubesphere.io/v1alpha2",
        "Strategy",
        {
            "type": "Mirror",
            "principal": "v1",
            "selector": {"matchLabels": {"app": "reviews"}},
            "strategyPolicy": "WaitForWorkloadReady",
            "template": {
                "metadata": {"creationTimestamp": None, "later": 1},
                "spec": {
                    "hosts": ["reviews"],
                    "http": [
                        {
                            "match": [{"headers": {"end-user": {"exact": "jason"}}, "uri": {"prefix": "/a"}}],
                            "route": [
                                {
                                    "destination": {
                                        "host": "reviews",
                                        "subset": "v1",
                                        "port": {"number": 9080},
                                    },
                                    "weight": 100,
                                }
                            ],
                            "mirror": {"host": "reviews", "subset": "v2", "port": {"number": 9080}},
                            "timeout": "3s",
                            "retries": {"attempts": 3, "perTryTimeout": "2s"},
                            "fault": {"abort": {"percent": 10, "httpStatus": 500}},
                            "later": {"any": [1]},
                        }
                    ],
                    "tcp": [{"route": [{"destination": {"host": "reviews"}, "weight": 1}]}],
                },
            },
        },
    ),
    (
        "servicemesh.kubesphere.io/v1alpha2",
        "ServicePolicy",
        {
            "selector": {"matchLabels": {"app": "reviews"}},
            "template": {
                "spec": {
                    "host": "reviews",
                    "trafficPolicy": {
                        "connectionPool": {"tcp": {"maxConnections": 10}, "http": {"maxRetries": 3}},
                        "loadBalancer": {"consistentHash": {"httpCookie": {"name": "c", "ttl": "0s"}}},
                        "outlierDetection": {"consecutiveErrors": 5, "interval": "1s"},
                        "later": 1,
                    },
                    "subsets": [{"name": "v1", "labels": {"version": "v1"}}],
                }
            },
        },
    ),
    (
        "devops.kubesphere.io/v1alpha1",
        "S2iBuilder",
        {
            "config": {
                "imageName": "i",
                "sourceUrl": "u",
                "builderPullPolicy": "if-not-present",
                "environment": [{"name": "A", "value": "b"}],
                "runtimeArtifacts": [{"source": "/target", "keep": True}],
                "cgroupLimits": {"MemoryLimitBytes": 1, "CPUShares": 2},
                "labels": {"a": "b"},
                "nodeAffinityValues": ["n"],
                "pushAuthentication": {"secretRef": {"name": "s"}},
            },
            "fromTemplate": {"name": "java", "parameters": [{"key": "A", "required": True, "later": 1}]},
        },
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
    (
        "network.kubesphere.io/v1alpha1",
        "NamespaceNetworkPolicy",
        {
            "selector": "color == 'red'",
            "ingress": [
                {
                    "action": "Allow",
                    "protocol": "TCP",
                    "source": {"selector": "color == 'blue'", "later": 1},
                    "destination": {"ports": [6379, "http", "80:90"]},
                },
                {"action": "Deny", "protocol": 17, "icmp": {"type": 8}},
            ],
        },
    ),
    (
        "logging.kubesphere.io/v1alpha1",
        "FluentBit",
        {
            "input": [{"type": "fluentbit_input"}],
            "output": [
                {
                    "type": "fluentbit_output_es",
                    "name": "es",
                    "parameters": [
                        {"name": "Port", "value": "9200"},
                        {
                            "name": "Password",
                            "value": "",
                            "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "namespace": "n"}},
                        },
                    ],
                    "enable": True,
                }
            ],
        },
    ),
]
REFUSED = [
    ("tenant.kubesphere.io/v1alpha1", "Workspace", {"manager": 1}, "spec.manager"),
    ("devops.kubesphere.io/v1alpha1", "S2iBuilder", {"config": {"imageName": "i"}}, "spec.config.sourceUrl"),
    ("devops.kubesphere.io/v1alpha1", "S2iRun", {}, "spec.builderName"),
    ("servicemesh.kubesphere.io/v1alpha2", "Strategy", {"type": "Big"}, "spec.type"),
    (
        "servicemesh.kubesphere.io/v1alpha2",
        "Strategy",
        {"template": {"spec": {"http": ["nonsense"]}}},
        "spec.template.spec.http[0]",
    ),
    (
        "servicemesh.kubesphere.io/v1alpha2",
        "ServicePolicy",
        {"template": {"spec": {"trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": "ten"}}}}}},
        "maxConnections",
    ),
    (
        "devops.kubesphere.io/v1alpha1",
        "S2iBuilder",
        {"config": {"imageName": "i", "sourceUrl": "u", "labels": {"a": 1}}},
        "spec.config.labels.a",
    ),
    ("network.kubesphere.io/v1alpha1", "WorkspaceNetworkPolicy", {"policyTypes": ["Up"]}, "spec.policyTypes"),
    (
        "network.kubesphere.io/v1alpha1",
        "NamespaceNetworkPolicy",
        {"selector": "", "ingress": [{"action": "Forbid"}]},
        "spec.ingress[0].action",
    ),
    (
        "app.k8s.io/v1beta1",
        "Application",
        {"componentKinds": [{"group": "apps"}]},
        "spec.componentKinds[0].kind",
    ),
]
SHORT_NAMES = {
    "applications.app.k8s.io": ["app"],
    "namespacenetworkpolicies.network.kubesphere.io": ["nsnp"],
    "s2ibuilders.devops.kubesphere.io": ["s2ib"],
    "s2ibuildertemplates.devops.kubesphere.io": ["s2ibt"],
    "s2iruns.devops.kubesphere.io": ["s2ir"],
    "workspacenetworkpolicies.network.kubesphere.io": ["wsnp"],
    "workspaces.tenant.kubesphere.io": ["ws"],
}
WITH_STATUS = {
    "applications.app.k8s.io",
    "namespacenetworkpolicies.network.kubesphere.io",
    "s2ibuilders.devops.kubesphere.io",
    "s2iruns.devops.kubesphere.io",
    "workspacenetworkpolicies.network.kubesphere.io",
    "workspaces.tenant.kubesphere.io",
}
OPTIONAL = {
    "crds-istio": ["destinationrules", "gateways", "virtualservices"],
    "crds-monitoring": [
        "alertmanagers",
        "podmonitors",
        "prometheuses",
        "prometheusrules",
        "servicemonitors",
    ],
}


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
    with pytest.raises(Invalid, match=re.escape(field)):
        await dry_run(cluster, api_version, kind, spec)


async def test_workspaces_of_a_cluster_of_v211_are_taken_as_they_are(cluster: Cluster) -> None:
    for recorded in json.loads(RECORDED.read_text())["workspaces"]:
        metadata = {**recorded["metadata"], "name": "definitions"}
        for given in ("uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp"):
            metadata.pop(given, None)
        stored = await cluster.create(WORKSPACES, {**recorded, "metadata": metadata}, dry_run=True)
        assert stored["spec"] == recorded["spec"]
        assert {name: stored["metadata"][name] for name in metadata} == metadata


async def test_every_definition_has_a_structural_schema(cluster: Cluster) -> None:
    for definition in (await cluster.list(CRDS)).items:
        conditions = {c["type"]: c["status"] for c in definition["status"]["conditions"]}
        assert conditions["Established"] == conditions["NamesAccepted"] == "True"
        assert "NonStructuralSchema" not in conditions


async def test_definitions_have_the_short_names_and_the_status_that_clients_use(cluster: Cluster) -> None:
    own = {one["metadata"]["name"] for one in Catalogue.installed().component("crds").manifests}
    found = {one["metadata"]["name"]: one["spec"] for one in (await cluster.list(CRDS)).items}
    specs = {name: found[name] for name in own}
    short = {name: spec["names"].get("shortNames") for name, spec in specs.items()}
    assert {name: names for name, names in short.items() if names} == SHORT_NAMES
    assert {n for n, spec in specs.items() if spec["versions"][0].get("subresources")} == WITH_STATUS
    assert [n for n, spec in specs.items() if not spec["versions"][0].get("additionalPrinterColumns")] == []


@pytest.mark.parametrize("component", OPTIONAL)
async def test_definitions_of_others_are_accepted_by_the_cluster(cluster: Cluster, component: str) -> None:
    definitions = Catalogue.installed().component(component).manifests
    assert [one["spec"]["names"]["plural"] for one in definitions] == OPTIONAL[component]
    for definition in definitions:
        stored = await cluster.apply(CRDS, definition, field_manager="tests", dry_run=True)
        conditions = (stored.get("status") or {}).get("conditions") or []
        assert [one for one in conditions if one["type"] == "NonStructuralSchema"] == []
