"""One rule of a Role or ClusterRole, and which requests it covers.

Matching is that of Kubernetes' RBAC authorizer (pkg/apis/rbac/v1/evaluation_helpers.go). For `/kapis`
requests a resource of the form `workspaces/*` also stands for every sub-resource, as KubeSphere's own roles
are written; Kubernetes itself gives that form no meaning, so it has none for `/api` and `/apis`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubekit.rbac.request import RequestInfo


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule: what may be done (`verbs`) to which resources or paths. `"*"` stands for all."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    """The only objects the rule covers; empty: every object."""
    non_resource_urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy_rule: Mapping[str, Any]) -> "Rule":
        """The rule that an entry of a role's `rules` states."""
        return cls(
            tuple(policy_rule.get("verbs") or ()),
            tuple(policy_rule.get("apiGroups") or ()),
            tuple(policy_rule.get("resources") or ()),
            tuple(policy_rule.get("resourceNames") or ()),
            tuple(policy_rule.get("nonResourceURLs") or ()),
        )

    def covers(self, request: RequestInfo) -> bool:
        """Whether the rule permits `request`, wherever the rule applies."""
        if request.verb not in self.verbs and "*" not in self.verbs:
            return False
        if not request.is_resource:
            return self._covers_path(request.path)
        return self._covers_kind(request) and (not self.resource_names or request.name in self.resource_names)

    def covers_some(self, request: RequestInfo) -> bool:
        """Whether the rule permits `request` for at least one object, be its name what it may."""
        return (request.verb in self.verbs or "*" in self.verbs) and self._covers_kind(request)

    def _covers_kind(self, request: RequestInfo) -> bool:
        if request.api_group not in self.api_groups and "*" not in self.api_groups:
            return False
        resources = self.resources
        if "*" in resources:
            return True
        if not request.subresource:
            return request.resource in resources
        return (
            f"{request.resource}/{request.subresource}" in resources
            or f"*/{request.subresource}" in resources
            or (request.api_prefix == "kapis" and f"{request.resource}/*" in resources)
        )

    def _covers_path(self, path: str) -> bool:
        return any(
            url == path or (url.endswith("*") and path.startswith(url.rstrip("*")))
            for url in self.non_resource_urls
        )
