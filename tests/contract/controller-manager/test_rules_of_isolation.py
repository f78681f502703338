"""NamespaceNetworkPolicies as NetworkPolicies: tables, without a cluster."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ks_controller_manager.network import rules
from ks_controller_manager.network.expressions import MAX_ALTERNATIVES, NotExpressible, selectors
from ks_controller_manager.selectors import matches


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator} | ({"values": list(values)} if values else {})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", [{}]),
        ("all()", [{}]),
        ("!all()", []),
        ("color == 'red'", [{"matchLabels": {"color": "red"}}]),
        ('color == "red"', [{"matchLabels": {"color": "red"}}]),
        ("color != 'red'", [{"matchExpressions": [expression("color", "NotIn", "red")]}]),
        ("!(color == 'red')", [{"matchExpressions": [expression("color", "NotIn", "red")]}]),
        ("has(app.io/name)", [{"matchExpressions": [expression("app.io/name", "Exists")]}]),
        ("! has(app)", [{"matchExpressions": [expression("app", "DoesNotExist")]}]),
        ("tier in {'b', 'a'}", [{"matchExpressions": [expression("tier", "In", "a", "b")]}]),
        ("tier not in {'a'}", [{"matchExpressions": [expression("tier", "NotIn", "a")]}]),
        (
            "color == 'red' && has(app)",
            [{"matchLabels": {"color": "red"}, "matchExpressions": [expression("app", "Exists")]}],
        ),
        (
            "color == 'red' || color == 'blue'",
            [{"matchExpressions": [expression("color", "In", "blue", "red")]}],
        ),
        (
            "color == 'red' || has(app)",
            [{"matchLabels": {"color": "red"}}, {"matchExpressions": [expression("app", "Exists")]}],
        ),
        (
            "!(color == 'red' || has(app))",
            [{"matchExpressions": [expression("app", "DoesNotExist"), expression("color", "NotIn", "red")]}],
        ),
        (
            "a == 'b' && a == 'c'",
            [{"matchLabels": {"a": "b"}, "matchExpressions": [expression("a", "In", "c")]}],
        ),
    ],
)
def test_expressions_become_label_selectors(text: str, wanted: list[Any]) -> None:
    assert selectors(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "color = 'red'",
        "color == red",
        "color == 'red",
        "color == 'red' &&",
        "(color == 'red'",
        "color == 'red')",
        "color contains 'r'",
        "color starts with 'r'",
        "global()",
        "tier in {}",
        "tier not 'a'",
        "has()",
        "&&",
        "a == 'b' c",
        "(" * 50 + "has(a)" + ")" * 50,
        "has(a) || " * 1000 + "has(a)",
        " && ".join(f"(a{n} == '1' || b{n} == '1')" for n in range(12)),
    ],
)
def test_what_cannot_be_read_or_said_is_refused(text: str) -> None:
    with pytest.raises(NotExpressible):
        selectors(text)


LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"))
ATOMS = st.sampled_from(["a == 'x'", "a != 'x'", "has(b)", "b in {'x', 'y'}", "b not in {'x'}", "all()"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda one: f"!({one})"),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda all_: f"({' '.join(all_)})"),
    ),
    max_leaves=6,
)


def meaning(text: str, labels: dict[str, str]) -> bool:
    """What an expression says of labels, by Python's own operators."""
    for atom, value in (
        ("a == 'x'", labels.get("a") == "x"),
        ("a != 'x'", labels.get("a") != "x"),
        ("has(b)", "b" in labels),
        ("b in {'x', 'y'}", labels.get("b") in ("x", "y")),
        ("b not in {'x'}", labels.get("b") != "x"),
        ("all()", True),
    ):
        text = text.replace(atom, str(value))
    return bool(eval(text.replace("!", " not ").replace("&&", " and ").replace("||", " or ")))


@given(EXPRESSIONS, LABELS)
def test_label_selectors_select_what_the_expression_does(text: str, labels: dict[str, str]) -> None:
    found = selectors(text)
    assert len(found) <= MAX_ALTERNATIVES
    assert any(matches(one, labels) for one in found) is meaning(text, labels)


def spec(ingress: Any = None, egress: Any = None, **more: Any) -> dict[str, Any]:
    return rules.spec({"selector": "color == 'red'", "ingress": ingress, "egress": egress, **more})


RED = {"podSelector": {"matchLabels": {"color": "red"}}}
BLUE = {"podSelector": {"matchLabels": {"color": "blue"}}}
ALLOW = {"action": "Allow"}


def test_the_policy_of_the_originals_test_is_understood() -> None:
    rule = ALLOW | {
        "protocol": "TCP",
        "source": {"selector": "color == 'blue'"},
        "destination": {"ports": [6379]},
    }
    assert spec([rule]) == RED | {
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [BLUE], "ports": [{"protocol": "TCP", "port": 6379}]}],
    }


@pytest.mark.parametrize(
    ("ingress", "egress", "types", "wanted"),
    [
        (None, None, None, ["Ingress"]),
        ([ALLOW], None, None, ["Ingress"]),
        (None, [ALLOW], None, ["Egress"]),
        ([ALLOW], [ALLOW], None, ["Ingress", "Egress"]),
        (None, None, ["Egress"], ["Egress"]),
    ],
)
def test_directions_are_those_that_are_asked_for(ingress: Any, egress: Any, types: Any, wanted: Any) -> None:
    assert spec(ingress, egress, types=types)["policyTypes"] == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ({}, [{}]),
        ({"selector": "all()"}, [{"from": [{"podSelector": {}}]}]),
        ({"namespaceSelector": "all()"}, [{"from": [{"namespaceSelector": {}}]}]),
        (
            {"selector": "color == 'blue'", "namespaceSelector": "projectcalico.org/name == 'x'"},
            [{"from": [BLUE | {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "x"}}}]}],
        ),
        (
            {"selector": "color == 'blue' || has(app)"},
            [{"from": [BLUE, {"podSelector": {"matchExpressions": [expression("app", "Exists")]}}]}],
        ),
        ({"nets": ["10.0.0.0/8"]}, [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]),
        (
            {"nets": ["10.0.0.0/8", "192.168.0.0/16"], "notNets": ["10.1.0.0/16"]},
            [
                {
                    "from": [
                        {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
                        {"ipBlock": {"cidr": "192.168.0.0/16"}},
                    ]
                }
            ],
        ),
        (
            {"notNets": ["10.0.0.0/8"]},
            [
                {
                    "from": [
                        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}},
                        {"ipBlock": {"cidr": "::/0"}},
                    ]
                }
            ],
        ),
        # What selects nobody lets nobody in; without peers, the rule would let in everybody.
        ({"selector": "!all()"}, None),
    ],
)
def test_peers_are_those_that_are_asked_for(source: dict[str, Any], wanted: Any) -> None:
    assert spec([ALLOW | {"source": source}]).get("ingress") == wanted


@pytest.mark.parametrize(
    ("protocol", "ports", "wanted"),
    [
        ("UDP", [], [{"protocol": "UDP"}]),
        ("TCP", ["80"], [{"protocol": "TCP", "port": 80}]),
        ("TCP", ["http"], [{"protocol": "TCP", "port": "http"}]),
        ("TCP", ["80:90"], [{"protocol": "TCP", "port": 80, "endPort": 90}]),
    ],
)
def test_ports_are_those_that_are_asked_for(protocol: str, ports: list[Any], wanted: list[Any]) -> None:
    rule = ALLOW | {"protocol": protocol, "destination": {"ports": ports}}
    assert spec([rule])["ingress"] == [{"ports": wanted}]
    assert spec(egress=[rule])["egress"] == [{"ports": wanted}]


def test_a_denial_at_the_end_is_what_happens_anyway() -> None:
    assert spec([ALLOW, {"action": "Deny"}])["ingress"] == [{}]
    assert "ingress" not in spec([{"action": "Deny"}])


@pytest.mark.parametrize(
    "asked",
    [
        {"ingress": [{"action": "Deny"}, ALLOW]},
        {"ingress": [{"action": "Log"}]},
        {"ingress": [{"action": "Pass"}]},
        {"ingress": [{}]},
        {"ingress": [ALLOW | {"protocol": "ICMP"}]},
        {"ingress": [ALLOW | {"notProtocol": "TCP"}]},
        {"ingress": [ALLOW | {"icmp": {"type": 8}}]},
        {"ingress": [ALLOW | {"http": {"methods": ["GET"]}}]},
        {"ingress": [ALLOW | {"ipVersion": 4}]},
        {"ingress": [ALLOW | {"destination": {"ports": [80]}}]},
        {"ingress": [ALLOW | {"protocol": "TCP", "destination": {"ports": ["90:80"]}}]},
        {"ingress": [ALLOW | {"protocol": "TCP", "source": {"ports": [80]}}]},
        {"ingress": [ALLOW | {"source": {"notSelector": "has(a)"}}]},
        {"ingress": [ALLOW | {"source": {"serviceAccounts": {"names": ["a"]}}}]},
        {"ingress": [ALLOW | {"source": {"nets": ["10.0.0.0/8"], "selector": "has(a)"}}]},
        {"ingress": [ALLOW | {"source": {"nets": ["nonsense"]}}]},
        {"ingress": [ALLOW | {"source": {"nets": ["10.1.0.0/16"], "notNets": ["10.0.0.0/8"]}}]},
        {"ingress": [ALLOW | {"destination": {"selector": "has(a)"}}]},
        {"egress": [ALLOW | {"source": {"selector": "has(a)"}}]},
        {"selector": "has(a) || has(b)"},
        {"selector": "!all()"},
        {"selector": "a = 'b'"},
    ],
)
def test_what_a_network_policy_cannot_say_is_refused_as_a_whole(asked: dict[str, Any]) -> None:
    """namespace-policies"""
    with pytest.raises(NotExpressible):
        rules.spec({"selector": "color == 'red'"} | asked)
