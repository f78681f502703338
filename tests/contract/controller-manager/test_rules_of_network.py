"""The NetworkPolicies that a WorkspaceNetworkPolicy implies: tables, without a cluster."""

from typing import Any

import pytest

from ks_controller_manager.network import policies
from ks_controller_manager.selectors import UnknownOperator, matches

LABEL = "kubesphere.io/workspace"
WORKSPACES = {"one": {"team": "a"}, "two": {"team": "b"}, "three": {"team": "b"}}
TEAM_A = {"matchLabels": {"team": "a"}}
TEAM_B = {"matchLabels": {"team": "b"}}
NOBODY = {"matchLabels": {"team": "c"}}


def policy(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "uid": "u"}, "spec": {"workspace": "one", **spec}}


def spec(**asked: Any) -> dict[str, Any]:
    return policies.spec(
        policy(**asked), lambda selector: [n for n, labels in WORKSPACES.items() if matches(selector, labels)]
    )


def peers(*asked: dict[str, Any]) -> list[dict[str, Any]]:
    rules = spec(ingress=[{"from": list(asked)}]).get("ingress")
    return rules[0]["from"] if rules else []


def test_without_rules_nothing_comes_in() -> None:
    assert spec() == {"podSelector": {}, "policyTypes": ["Ingress"]}


@pytest.mark.parametrize(
    ("asked", "types"),
    [
        ({"egress": [{}]}, ["Ingress", "Egress"]),
        ({"policyTypes": ["Egress"], "egress": [{}]}, ["Egress"]),
        ({"policyTypes": ["Ingress", "Egress"]}, ["Ingress", "Egress"]),
    ],
)
def test_types_are_those_asked_for_or_those_of_the_api(asked: dict[str, Any], types: list[str]) -> None:
    assert spec(**asked)["policyTypes"] == types


def test_ports_get_the_protocol_that_the_api_defaults() -> None:
    found = spec(ingress=[{"ports": [{"port": 80}, {"protocol": "UDP", "port": "dns"}]}])
    assert found["ingress"] == [
        {"ports": [{"protocol": "TCP", "port": 80}, {"protocol": "UDP", "port": "dns"}]}
    ]


def test_an_empty_rule_admits_everybody() -> None:
    assert spec(ingress=[{}])["ingress"] == [{}]


def test_one_workspace_is_a_label_of_its_namespaces() -> None:
    assert peers({"workspaceSelector": TEAM_A}) == [{"namespaceSelector": {"matchLabels": {LABEL: "one"}}}]


def test_several_workspaces_are_sorted_values() -> None:
    among = {"key": LABEL, "operator": "In", "values": ["three", "two"]}
    assert peers({"workspaceSelector": TEAM_B}) == [{"namespaceSelector": {"matchExpressions": [among]}}]


def test_every_workspace_is_every_namespace() -> None:
    assert peers({"workspaceSelector": {}}) == [{"namespaceSelector": {}}]


def test_selectors_together_both_count() -> None:
    production = {"matchLabels": {"env": "production"}}
    assert peers({"workspaceSelector": {}, "namespaceSelector": production}) == [
        {"namespaceSelector": production}
    ]
    assert peers({"workspaceSelector": TEAM_A, "namespaceSelector": production, "podSelector": {}}) == [
        {"podSelector": {}, "namespaceSelector": {"matchLabels": {"env": "production", LABEL: "one"}}}
    ]


def test_a_workspace_selector_does_not_widen_a_namespace_selector() -> None:
    other = {"matchLabels": {LABEL: "two"}}
    among = {"key": LABEL, "operator": "In", "values": ["one"]}
    assert peers({"workspaceSelector": TEAM_A, "namespaceSelector": other}) == [
        {"namespaceSelector": {**other, "matchExpressions": [among]}}
    ]


def test_no_such_workspace_admits_nobody() -> None:
    assert spec(ingress=[{"from": [{"workspaceSelector": NOBODY, "podSelector": {}}]}]) == spec()
    cidr = {"ipBlock": {"cidr": "10.0.0.0/8"}}
    assert peers({"workspaceSelector": NOBODY}, cidr) == [cidr]


def test_workspace_egress_is_translated_as_ingress_is() -> None:
    found = spec(policyTypes=["Egress"], egress=[{"to": [{"workspaceSelector": TEAM_A}]}])
    assert found["egress"] == [{"to": [{"namespaceSelector": {"matchLabels": {LABEL: "one"}}}]}]


def test_it_is_named_and_labelled_after_its_policy() -> None:
    found = policies.network_policy(policy(), "n", spec())
    assert found["metadata"] == {
        "name": "p-np",
        "namespace": "n",
        "labels": {"networking.kubesphere.io/wsnp": "p"},
    }


@pytest.mark.parametrize(
    ("asked", "depends"),
    [
        ({}, False),
        ({"ingress": [{"from": [{"podSelector": {}}]}]}, False),
        ({"ingress": [{}, {"from": [{"workspaceSelector": {}}]}]}, True),
        ({"egress": [{"to": [{"workspaceSelector": NOBODY}]}]}, True),
    ],
)
def test_only_what_selects_workspaces_depends_on_them(asked: dict[str, Any], depends: bool) -> None:
    assert policies.selects_workspaces(policy(**asked)) is depends


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        ({"operator": "In", "values": ["a", "b"]}, True),
        ({"operator": "In", "values": ["b"]}, False),
        ({"operator": "NotIn", "values": ["b"]}, True),
        ({"operator": "NotIn", "values": ["a"]}, False),
        ({"operator": "Exists"}, True),
        ({"operator": "DoesNotExist"}, False),
    ],
)
def test_expressions_match_as_in_kubernetes(expression: dict[str, Any], selected: bool) -> None:
    assert matches({"matchExpressions": [{"key": "team", **expression}]}, {"team": "a"}) is selected


def test_an_unknown_operator_is_named() -> None:
    with pytest.raises(UnknownOperator, match="'Near' of team"):
        matches({"matchExpressions": [{"key": "team", "operator": "Near"}]}, {})
