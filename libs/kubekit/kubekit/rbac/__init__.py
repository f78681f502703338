"""Who may do what: what a URL asks for, and whether the cluster's roles and bindings allow it."""

from kubekit.rbac.index import RbacIndex, RbacNotReady
from kubekit.rbac.policy import ALL, Binding, Decision, Grant, Names, Namespaces, Policy, effective_groups
from kubekit.rbac.request import AmbiguousPath, RequestInfo
from kubekit.rbac.rule import Rule

__all__ = [
    "ALL",
    "AmbiguousPath",
    "Binding",
    "Decision",
    "Grant",
    "Names",
    "Namespaces",
    "Policy",
    "RbacIndex",
    "RbacNotReady",
    "RequestInfo",
    "Rule",
    "effective_groups",
]
