"""The answer: who decides, what the cluster's roles say, which binding grants it or which rule is missing."""

from collections.abc import Callable
from typing import Any

from ks_apigateway.authz.access import OWN_ACCOUNT, Access, is_own
from ks_apigateway.authz.refusal import NotAllowed
from ks_apigateway.explain.question import Question
from ks_apigateway.routes import Authentication, Authorization, Route
from kubekit.rbac import Decision, Grant, RequestInfo, effective_groups

FindRoute = Callable[[str, str], Route | None]
"""The route of a method and a decoded path."""
GATEWAY = "ks-apigateway"
_REVIEWS = RequestInfo(
    is_resource=True,
    verb="create",
    path="",
    api_prefix="apis",
    api_group="authorization.k8s.io",
    api_version="v1",
    resource="subjectaccessreviews",
)


class Explanations:
    """Explains decisions from the roles and bindings that decisions are made from."""

    def __init__(self, access: Access, find: FindRoute) -> None:
        self._access = access
        self._find = find

    def explain(self, caller: str, groups: tuple[str, ...], question: Question) -> dict[str, Any]:
        """The explanation that `caller`, who is in `groups`, asks for.

        Raises NotAllowed when it is about somebody else and the caller may not create SubjectAccessReviews
        (of the namespace asked about, LocalSubjectAccessReviews will do), Unavailable while the cluster's
        roles are not known, BadRequest for a path that is ambiguous.
        """
        request = question.request()
        user = question.user or caller
        if user != caller or question.groups:
            self._require_reviewer(caller, groups, request)
            groups = tuple(question.groups)
        decision = self._access.decide(user, groups, request)
        if is_own(user, request):
            decision = Decision(True, OWN_ACCOUNT)
        route = self._route(question, request)
        decider = decider_of(route)
        return {
            "user": user,
            "groups": list(effective_groups(user, groups)),
            "request": describe(request),
            "decidedBy": decider,
            "allowed": _verdict(route, decision),
            "because": _because(route, decider, decision),
            "grant": None if decision.grant is None else describe_grant(decision.grant),
            "missing": None if decision.allowed else missing_rule(request),
        }

    def _require_reviewer(self, caller: str, groups: tuple[str, ...], request: RequestInfo) -> None:
        decision = self._access.decide(caller, groups, _REVIEWS)
        if not decision.allowed and request.namespace:
            local = _REVIEWS._replace(resource="localsubjectaccessreviews", namespace=request.namespace)
            decision = self._access.decide(caller, groups, local)
        if not decision.allowed:
            raise NotAllowed(_REVIEWS, decision.because)

    def _route(self, question: Question, request: RequestInfo) -> Route | None:
        """The route of a path; of bare attributes none is known."""
        return self._find(question.method, request.path) if question.path is not None else None


def decider_of(route: Route | None) -> str:
    """Who decides about requests on `route`: the gateway, or whoever is behind it."""
    if route is None or route.authorize is Authorization.RBAC or _is_public(route):
        return GATEWAY
    return route.upstream


def describe(request: RequestInfo) -> dict[str, str]:
    """`request` as JSON, without what is empty."""
    if not request.is_resource:
        return {"verb": request.verb, "path": request.path}
    told = {
        "verb": request.verb,
        "group": request.api_group,
        "version": request.api_version,
        "resource": request.resource,
        "subresource": request.subresource,
        "namespace": request.namespace,
        "name": request.name,
    }
    return {key: value for key, value in told.items() if value}


def describe_grant(grant: Grant) -> dict[str, Any]:
    """The binding, the role, the subject and the rule that allow a request."""
    binding, role, rule = grant.binding, grant.role, grant.rule
    lists = {
        "verbs": rule.verbs,
        "apiGroups": rule.api_groups,
        "resources": rule.resources,
        "resourceNames": rule.resource_names,
        "nonResourceURLs": rule.non_resource_urls,
    }
    return {
        "binding": _named("RoleBinding" if binding.namespace else "ClusterRoleBinding", *binding),
        "role": _named("Role" if role.namespace else "ClusterRole", *role),
        "subject": {"kind": "Group" if grant.subject.is_group else "User", "name": grant.subject.name},
        "rule": {key: list(values) for key, values in lists.items() if values},
    }


def missing_rule(request: RequestInfo) -> dict[str, Any]:
    """The smallest rule that would allow `request`, and where it would have to be bound."""
    if not request.is_resource:
        return {"verbs": [request.verb], "nonResourceURLs": [request.path]}
    resource = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
    rule: dict[str, Any] = {
        "verbs": [request.verb],
        "apiGroups": [request.api_group],
        "resources": [resource],
    }
    if request.name:
        rule["resourceNames"] = [request.name]
    if request.namespace:
        rule["namespace"] = request.namespace
    return rule


def _verdict(route: Route | None, decision: Decision) -> bool | None:
    """None where a service decides for each object: the cluster's roles alone do not tell."""
    if route is not None and _is_public(route):
        return True
    decider = decider_of(route)
    return decision.allowed if decider in (GATEWAY, "kubernetes") else None


def _because(route: Route | None, decider: str, decision: Decision) -> str:
    if route is not None and _is_public(route):
        return "this path needs no token"
    if decider in (GATEWAY, "kubernetes"):
        return decision.because
    return f"{decider} decides for each object; of the cluster's roles: {decision.because}"


def _is_public(route: Route) -> bool:
    return route.authenticate is Authentication.NONE


def _named(kind: str, namespace: str, name: str) -> dict[str, str]:
    return {"kind": kind, "name": name, **({"namespace": namespace} if namespace else {})}
