"""The VirtualService and DestinationRule of a Service: tables, without a cluster."""

import copy
from typing import Any

import pytest

from ks_controller_manager.destinationrule import rules
from ks_controller_manager.servicemesh import components
from ks_controller_manager.servicemesh.controller import NotApplicable
from ks_controller_manager.virtualservice import routes
from ks_controller_manager.virtualservice.controller import VirtualServiceController
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig

LABELS = {"app.kubernetes.io/name": "bookinfo", "app.kubernetes.io/version": "1", "app": "reviews"}
NO_APPLICATION: dict[str, Any] = {"app.kubernetes.io/name": ""}
ENABLED = {"servicemesh.kubesphere.io/enabled": "true"}
HTTP = {"name": "http-web", "protocol": "TCP", "port": 9080}
TCP = {"name": "mysql", "protocol": "TCP", "port": 3306}


def service(*ports: dict[str, Any], **more: Any) -> dict[str, Any]:
    metadata = {"name": "reviews", "namespace": "n", "labels": LABELS, "annotations": ENABLED, "uid": "u"}
    spec = {"selector": {"app": "reviews"}, "ports": list(ports or (HTTP,))}
    return {"metadata": metadata | more, "spec": spec}


def deployment(version: str, ready: int = 1, created: int = 1, **labels: Any) -> dict[str, Any]:
    found = {key: value for key, value in {**LABELS, "version": version, **labels}.items() if value}
    return {
        "metadata": {
            "name": f"reviews-{version}-{created}",
            "labels": found,
            "annotations": ENABLED,
            "creationTimestamp": f"2026-01-02T03:04:0{created}Z",
        },
        "spec": {"selector": {"matchLabels": found}},
        "status": {"readyReplicas": ready} if ready else {},
    }


def subset(version: str, **more: Any) -> dict[str, Any]:
    return {"name": components.subset_name(version), "labels": {"version": version}, **more}


def policy(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


def rule(*versions: str) -> dict[str, Any]:
    return {"spec": {"subsets": [subset(version) for version in versions]}}


def to(subset: str, weight: int = 100, port: int | None = 9080) -> dict[str, Any]:
    destination: dict[str, Any] = {"host": "reviews", "subset": subset}
    return {"destination": destination | ({"port": {"number": port}} if port else {}), "weight": weight}


CANARY = {"hosts": ["reviews"], "http": [{"route": [to("v1", 80, None), to("v2", 20, None)]}]}
MIRROR = {
    "hosts": ["reviews"],
    "http": [{"route": [to("v1", 100, None)], "mirror": to("v2", 0, None)["destination"]}],
}


def strategy(template: dict[str, Any] = CANARY, **spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": template}, **spec}}


def routed(*ports: dict[str, Any], by: Any = None, present: Any = None, ready: Any = ("v1", "v2")) -> Any:
    before = {"spec": present} if present else None
    return routes.virtual_service(service(*ports), rule(*ready), by, before)["spec"]


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (service(), True),
        (service(annotations={}), False),
        (service(annotations={"servicemesh.kubesphere.io/enabled": ""}), False),
        (service(labels={"app": "reviews"}), False),
        (service() | {"spec": {"selector": {"app": "reviews"}, "ports": []}}, False),
        (service() | {"spec": {"ports": [HTTP]}}, False),
    ],
)
def test_what_is_in_the_mesh(given: dict[str, Any], counts: bool) -> None:
    assert components.in_mesh(given) is counts


@pytest.mark.parametrize(("version", "name"), [("v1", "v1"), ("v1.0-beta_2", "v10beta2"), ("", "")])
def test_a_subset_is_named_after_its_version(version: str, name: str) -> None:
    assert components.subset_name(version) == name


def test_ready_versions_are_subsets_the_oldest_first() -> None:
    deployments = [deployment("v2.0", created=2), deployment("v1", created=1), deployment("v3", ready=0)]
    found = rules.destination_rule(service(), deployments, None, None)
    assert found["metadata"] == {"name": "reviews", "namespace": "n", "labels": LABELS}
    assert found["spec"] == {"host": "reviews", "subsets": [subset("v1"), subset("v2.0")]}


@pytest.mark.parametrize(
    "left_out",
    [
        deployment("v1", ready=0),
        deployment(""),
        deployment("v1", app="ratings"),
        deployment("v1", **NO_APPLICATION),
        {**deployment("v1"), "metadata": {**deployment("v1")["metadata"], "annotations": {}}},
        {**deployment("v1"), "spec": {"selector": {"matchLabels": {"app": "reviews"}}}},
    ],
)
def test_what_is_no_version_is_no_subset(left_out: dict[str, Any]) -> None:
    assert rules.destination_rule(service(), [left_out], None, None)["spec"] == {"host": "reviews"}


def test_mesh_subsets_are_named_once() -> None:
    assert rules.subsets(service(), [deployment("v1"), deployment("v1", created=2)]) == [subset("v1")]


def test_default_version_stays_the_one_that_it_was() -> None:
    present = {
        "spec": {"host": "reviews", "exportTo": ["."], "trafficPolicy": {}, **rule("v2", "v0")["spec"]}
    }
    found = rules.destination_rule(service(), [deployment("v1"), deployment("v2", created=2)], None, present)
    assert found["spec"] == {"host": "reviews", "exportTo": ["."], **rule("v2", "v1")["spec"]}


def test_traffic_policies_are_those_of_the_service_policy() -> None:
    lb, tls = {"loadBalancer": {"simple": "RANDOM"}}, {"tls": {"mode": "DISABLE"}}
    asked = policy(trafficPolicy=lb, subsets=[{"name": "v2", "trafficPolicy": tls}, {"name": "v9"}])
    found = rules.destination_rule(service(), [deployment("v1"), deployment("v2", created=2)], asked, None)
    assert found["spec"] == {
        "host": "reviews",
        "trafficPolicy": lb,
        "subsets": [subset("v1"), subset("v2", trafficPolicy=tls)],
    }


@pytest.mark.parametrize(
    ("ports", "wanted"),
    [
        ([HTTP], {"http": [{"route": [to("v1")]}]}),
        ([{**HTTP, "name": "http"}], {"http": [{"route": [to("v1")]}]}),
        ([TCP], {"tcp": [{"route": [to("v1", port=3306)]}]}),
        ([{**HTTP, "name": "https"}], {"tcp": [{"route": [to("v1")]}]}),
        ([TCP, HTTP], {"tcp": [{"route": [to("v1", port=3306)]}], "http": [{"route": [to("v1")]}]}),
        ([HTTP, TCP], {"http": [{"route": [to("v1")]}]}),
        ([{**HTTP, "protocol": "UDP"}], {}),
    ],
)
def test_without_a_strategy_one_version_takes_all(ports: list[Any], wanted: dict[str, Any]) -> None:
    assert routed(*ports) == {"hosts": ["reviews"], **wanted}


def test_stale_routes_go_and_the_rest_stays() -> None:
    present = {"hosts": ["old"], "gateways": ["g"], "tcp": [{"route": []}], "http": []}
    assert routed(present=present) == {
        "hosts": ["reviews"],
        "gateways": ["g"],
        "http": [{"route": [to("v1")]}],
    }


def test_strategy_hosts_are_those_of_the_service() -> None:
    template = {**CANARY, "hosts": ["payments.other.svc.cluster.local"], "gateways": ["istio-system/public"]}
    wanted = {"hosts": ["reviews"], "http": [{"route": [to("v1", 80), to("v2", 20)]}]}
    assert routed(by=strategy(template)) == wanted
    assert routed(by=strategy(template), present={"gateways": ["mine"], "tls": [{}]}) == {
        "gateways": ["mine"],
        **wanted,
    }


def test_a_strategy_without_routes_routes_nothing() -> None:
    made = routes.virtual_service(service(), rule("v1"), strategy({"hosts": ["reviews"]}), None)
    assert not routes.has_routes(made)


def test_a_canary_has_its_weights_and_ports() -> None:
    assert routed(by=strategy()) == {"hosts": ["reviews"], "http": [{"route": [to("v1", 80), to("v2", 20)]}]}


def test_a_mirror_has_its_port() -> None:
    found = routed(by=strategy(MIRROR))
    assert found["http"] == [{"route": [to("v1")], "mirror": to("v2")["destination"]}]


def test_a_port_that_a_strategy_names_stays() -> None:
    template = {"hosts": ["reviews"], "tcp": [{"route": [to("v2", 100, 1234), to("v1", 0, None)]}]}
    assert routed(by=strategy(template))["tcp"] == [{"route": [to("v2", 100, 1234), to("v1", 0)]}]


@pytest.mark.parametrize("template", [CANARY, MIRROR])
@pytest.mark.parametrize("governor", ["v2", "v.2"])
def test_a_governor_takes_all(template: dict[str, Any], governor: str) -> None:
    assert routed(by=strategy(template, governor=governor)) == {
        "hosts": ["reviews"],
        "http": [{"route": [to("v2")]}],
    }


@pytest.mark.parametrize(
    ("when", "ready", "applied"),
    [
        ("", ("v1",), True),
        ("Immediately", ("v1",), True),
        ("WaitForWorkloadReady", ("v1",), False),
        ("WaitForWorkloadReady", ("v1", "v2"), True),
        ("Paused", ("v1", "v2"), False),
    ],
)
@pytest.mark.parametrize("template", [CANARY, MIRROR])
def test_when_a_strategy_applies(when: str, ready: Any, applied: bool, template: dict[str, Any]) -> None:
    found = routed(by=strategy(template, strategyPolicy=when), ready=ready)
    assert (found == routed(ready=ready)) is not applied


def test_default_version_is_the_principal_where_it_is_ready() -> None:
    for principal, takes in (("v2", "v2"), ("v9", "v1")):
        found = routed(by=strategy(strategyPolicy="Paused", principal=principal))
        assert found["http"] == [{"route": [to(takes)]}]


def test_a_strategy_is_not_changed_by_reading_it() -> None:
    asked = strategy(MIRROR)
    before = copy.deepcopy(asked)
    routed(by=asked)
    assert asked == before


@pytest.mark.parametrize("http", ["nonsense", ["nonsense"]])
async def test_a_strategy_that_was_stored_before_its_form_was_checked_is_named(http: Any) -> None:
    controller = VirtualServiceController(Cluster(ClusterConfig()))
    reviews = service()
    of = {"name": "reviews", "namespace": "n", "labels": LABELS}
    for resource, obj in (
        (components.DESTINATION_RULES, {**rule("v1"), "metadata": of}),
        (components.STRATEGIES, {**strategy({"http": http}), "metadata": of}),
    ):
        controller.cache[resource].put(obj)
    with pytest.raises(NotApplicable, match="the template of Strategy has not the form of a VirtualService"):
        controller._checked(reviews)
