"""Roles and bindings as one structure that answers what a user may do. Pure: no I/O, no clock.

Two facts shape it. Most roles of a cluster repeat a handful of rule lists (every namespace has the same
admin, operator and viewer), so rule lists are shared. And a question concerns one user, so bindings are
kept by subject: an answer walks the rules that this user and these groups are bound to, and no others.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from kubekit.rbac.request import RequestInfo
from kubekit.rbac.rule import Rule

_SERVICE_ACCOUNT = "system:serviceaccount:"
_NONE: Final[Mapping[Any, Any]] = {}


class RoleKey(NamedTuple):
    """Which role: a Role of `namespace`, or with an empty one a ClusterRole."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"Role {self.namespace}/{self.name}" if self.namespace else f"ClusterRole {self.name}"


class BindingKey(NamedTuple):
    """Which binding: a RoleBinding of `namespace`, or with an empty one a ClusterRoleBinding."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return (
            f"RoleBinding {self.namespace}/{self.name}"
            if self.namespace
            else f"ClusterRoleBinding {self.name}"
        )


class Subject(NamedTuple):
    """Who is bound: a user (service accounts are users of a fixed form) or a group."""

    is_group: bool
    name: str

    def __str__(self) -> str:
        return f'group "{self.name}"' if self.is_group else f'user "{self.name}"'


@dataclass(frozen=True, slots=True)
class Binding:
    """Gives the rules of `role` to `subjects`, in its namespace or (ClusterRoleBinding) everywhere."""

    key: BindingKey
    role: RoleKey
    subjects: frozenset[Subject]


@dataclass(frozen=True, slots=True)
class Grant:
    """What allows a request: the rule of `role` that covers it, which the binding gives to `subject`."""

    binding: BindingKey
    role: RoleKey
    subject: Subject
    rule: Rule

    def __str__(self) -> str:
        return f"{self.binding} gives {self.role} to {self.subject}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request is allowed, and because of what: the binding that grants it, or what is missing."""

    allowed: bool
    because: str
    grant: Grant | None = None


class Everything(Enum):
    """The answer "all of them", where the alternative is a set."""

    ALL = "all"


ALL: Final = Everything.ALL
Namespaces = Everything | frozenset[str]
"""ALL, or the names of namespaces."""
Names = Everything | frozenset[str]
"""ALL, or the names of objects."""


class _RuleList:
    """Rules that any number of roles share (weakly referenced, which a tuple cannot be)."""

    __slots__ = ("__weakref__", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules


class _Bound:
    """The bindings of one subject."""

    __slots__ = ("cluster", "namespaced")

    def __init__(self) -> None:
        self.cluster: dict[BindingKey, Binding] = {}
        self.namespaced: dict[str, dict[BindingKey, Binding]] = {}

    def add(self, binding: Binding) -> None:
        namespace = binding.key.namespace
        (self.namespaced.setdefault(namespace, {}) if namespace else self.cluster)[binding.key] = binding

    def remove(self, key: BindingKey) -> None:
        if not key.namespace:
            del self.cluster[key]
            return
        in_namespace = self.namespaced[key.namespace]
        del in_namespace[key]
        if not in_namespace:
            del self.namespaced[key.namespace]

    def __bool__(self) -> bool:
        return bool(self.cluster or self.namespaced)


class Policy:
    """What the roles and bindings that were put in, and not deleted since, permit."""

    def __init__(self) -> None:
        self._roles: dict[RoleKey, _RuleList] = {}
        self._rule_lists: WeakValueDictionary[tuple[Rule, ...], _RuleList] = WeakValueDictionary()
        self._bindings: dict[BindingKey, Binding] = {}
        self._bound: dict[Subject, _Bound] = {}
        self.generation = 0
        """Another number after every change: an answer is good for as long as this stays the same."""

    def put_role(self, role: Mapping[str, Any]) -> None:
        """Adds or replaces a Role or ClusterRole (an object of the Kubernetes API)."""
        self.generation += 1
        rules = tuple(Rule.of(rule) for rule in role.get("rules") or ())
        shared = self._rule_lists.get(rules)
        if shared is None:
            shared = self._rule_lists[rules] = _RuleList(rules)
        self._roles[RoleKey(*_key(role))] = shared

    def delete_role(self, namespace: str, name: str) -> None:
        """Forgets a Role, or with an empty `namespace` a ClusterRole; bindings to it grant nothing then."""
        self.generation += 1
        self._roles.pop(RoleKey(namespace, name), None)

    def put_binding(self, binding: Mapping[str, Any]) -> None:
        """Adds or replaces a RoleBinding or ClusterRoleBinding (an object of the Kubernetes API)."""
        key = BindingKey(*_key(binding))
        self.delete_binding(*key)
        subjects = frozenset(_subjects(binding.get("subjects") or (), key.namespace))
        role = _role_of(binding["roleRef"], key.namespace)
        if role is None:
            return
        bound = self._bindings[key] = Binding(key, role, subjects)
        for subject in subjects:
            self._bound.setdefault(subject, _Bound()).add(bound)

    def delete_binding(self, namespace: str, name: str) -> None:
        """Forgets a RoleBinding, or with an empty `namespace` a ClusterRoleBinding."""
        self.generation += 1
        binding = self._bindings.pop(BindingKey(namespace, name), None)
        if binding is None:
            return
        for subject in binding.subjects:
            bound = self._bound[subject]
            bound.remove(binding.key)
            if not bound:
                del self._bound[subject]

    def allows(self, user: str, groups: Iterable[str], request: RequestInfo) -> Decision:
        """Whether `user`, who is in exactly `groups`, may do `request`."""
        groups = tuple(groups)
        for subject, binding in self._applying(user, groups, request.namespace):
            role = self._roles.get(binding.role)
            if role is None:
                continue
            for rule in role.rules:
                if rule.covers(request):
                    grant = Grant(binding.key, binding.role, subject, rule)
                    return Decision(True, str(grant), grant)
        return Decision(False, self._missing(user, groups, request))

    def namespaces(self, user: str, groups: Iterable[str], request: RequestInfo) -> Namespaces:
        """The namespaces where `request` is allowed, whatever its own namespace says."""
        groups = tuple(groups)
        if self.allows(user, groups, request._replace(namespace="")).allowed:
            return ALL
        return frozenset(
            namespace
            for _, bound in self._bound_to(user, groups)
            for namespace, bindings in bound.namespaced.items()
            if self._grants(bindings.values(), _inside(namespace, request))
        )

    def names(self, user: str, groups: Iterable[str], request: RequestInfo) -> Names:
        """The names of the objects for which `request` is allowed, whatever its own name says."""
        names: set[str] = set()
        for _, binding in self._applying(user, groups, request.namespace):
            for rule in self._rules_of(binding):
                if rule.covers_some(request):
                    if not rule.resource_names:
                        return ALL
                    names.update(rule.resource_names)
        return frozenset(names)

    def bound_namespaces(self, user: str, groups: Iterable[str]) -> frozenset[str]:
        """The namespaces where a RoleBinding of `user` or of one of `groups` grants anything."""
        return frozenset(
            namespace
            for _, bound in self._bound_to(user, groups)
            for namespace, bindings in bound.namespaced.items()
            if any(self._rules_of(binding) for binding in bindings.values())
        )

    def rules(self, user: str, groups: Iterable[str], namespace: str = "") -> list[Rule]:
        """Every rule that applies to the user cluster-wide and, when one is given, in `namespace`."""
        applying = self._applying(user, groups, namespace)
        return list(dict.fromkeys(rule for _, binding in applying for rule in self._rules_of(binding)))

    def bindings_of(self, user: str, groups: Iterable[str]) -> list[Binding]:
        """Every binding, in any namespace, of the user or of one of the groups."""
        found: dict[BindingKey, Binding] = {}
        for _, bound in self._bound_to(user, groups):
            found.update(bound.cluster)
            for bindings in bound.namespaced.values():
                found.update(bindings)
        return list(found.values())

    def _grants(self, bindings: Iterable[Binding], request: RequestInfo) -> bool:
        return any(rule.covers(request) for binding in bindings for rule in self._rules_of(binding))

    def _rules_of(self, binding: Binding) -> tuple[Rule, ...]:
        role = self._roles.get(binding.role)
        return role.rules if role else ()

    def _bound_to(self, user: str, groups: Iterable[str]) -> Iterator[tuple[Subject, _Bound]]:
        for subject in (Subject(False, user), *(Subject(True, group) for group in groups)):
            bound = self._bound.get(subject)
            if bound is not None:
                yield subject, bound

    def _applying(
        self, user: str, groups: Iterable[str], namespace: str
    ) -> Iterator[tuple[Subject, Binding]]:
        for subject, bound in self._bound_to(user, groups):
            for binding in bound.cluster.values():
                yield subject, binding
            for binding in bound.namespaced.get(namespace, _NONE).values():
                yield subject, binding

    def _missing(self, user: str, groups: tuple[str, ...], request: RequestInfo) -> str:
        reason = f'User "{user}" cannot {request}'
        dangling = [
            f"{binding.key} refers to {binding.role}, which does not exist"
            for _, binding in self._applying(user, groups, request.namespace)
            if binding.role not in self._roles
        ]
        return "; ".join((reason, *dangling))


def effective_groups(user: str, groups: Iterable[str] = ()) -> tuple[str, ...]:
    """`groups` and those that a cluster adds itself to whoever it authenticates.

    These are `system:authenticated` (`system:unauthenticated` for `system:anonymous`) and, for a service
    account, the groups of all service accounts and of those of its namespace. The index takes groups as
    given: whoever asks it about a person, rather than about a SubjectAccessReview, passes them through here
    first.
    """
    given = dict.fromkeys(groups)
    if user.startswith(_SERVICE_ACCOUNT):
        namespace = user.removeprefix(_SERVICE_ACCOUNT).partition(":")[0]
        given |= dict.fromkeys(("system:serviceaccounts", f"system:serviceaccounts:{namespace}"))
    if user == "system:anonymous":
        given["system:unauthenticated"] = None
    elif "system:unauthenticated" not in given:
        given["system:authenticated"] = None
    return tuple(given)


def _inside(namespace: str, request: RequestInfo) -> RequestInfo:
    """`request` asked in `namespace`: a request about namespaces is one about that namespace."""
    return request._replace(name=namespace) if request.resource == "namespaces" else request


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _role_of(reference: Mapping[str, Any], namespace: str) -> RoleKey | None:
    """The role that a binding names; None for a kind that no binding can grant."""
    if reference["kind"] == "ClusterRole":
        return RoleKey("", reference["name"])
    return RoleKey(namespace, reference["name"]) if reference["kind"] == "Role" and namespace else None


def _subjects(subjects: Iterable[Mapping[str, Any]], binding_namespace: str) -> Iterator[Subject]:
    for subject in subjects:
        kind = subject["kind"]
        if kind == "ServiceAccount":
            namespace = subject.get("namespace") or binding_namespace
            if namespace:
                yield Subject(False, f"{_SERVICE_ACCOUNT}{namespace}:{subject['name']}")
        elif kind in ("User", "Group"):
            yield Subject(kind == "Group", subject["name"])
