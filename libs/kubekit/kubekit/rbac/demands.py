"""Policy rules of Kubernetes RBAC: what one rule demands, and whether others hold it.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kubekit.rbac.rule import Rule


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that a rule allows: at `url`, or to `resource` (to all of it where `name` is None)."""

    verb: str
    group: str = ""
    resource: str = ""
    name: str | None = None
    url: str | None = None

    def __str__(self) -> str:
        if self.url is not None:
            return f"{self.verb} {self.url}"
        return f"{self.verb} {self.resource}.{self.group} {self.name or ''}".strip()


def demands(rule: Rule) -> Iterator[Demand]:
    """All that a rule allows, one by one."""
    for verb in rule.verbs:
        for url in rule.non_resource_urls:
            yield Demand(verb, url=url)
        for group in rule.api_groups:
            for resource in rule.resources:
                for name in rule.resource_names or (None,):
                    yield Demand(verb, group, resource, name)


def holds(rule: Rule, demand: Demand) -> bool:
    """Whether `rule` allows what is demanded. A demand for "*" is only met by "*"."""
    if not _among(rule.verbs, demand.verb):
        return False
    if demand.url is not None:
        return any(_url_matches(demand.url, pattern) for pattern in rule.non_resource_urls)
    return (
        _among(rule.api_groups, demand.group)
        and any(_resource_matches(demand.resource, pattern) for pattern in rule.resources)
        and (not rule.resource_names or demand.name in rule.resource_names)
    )


def missing(held: Sequence[Rule], wanted: Iterable[Rule]) -> Demand | None:
    """The first thing that `wanted` allow and `held` do not; None when they hold all of it."""
    for rule in wanted:
        for demand in demands(rule):
            if not any(holds(own, demand) for own in held):
                return demand
    return None


def _among(values: Sequence[str], value: str) -> bool:
    return "*" in values or value in values


def _resource_matches(resource: str, pattern: str) -> bool:
    if pattern in ("*", resource):
        return True
    parent, slash, subresource = resource.partition("/")
    if pattern.startswith("*/"):
        return bool(slash) and subresource == pattern[2:]
    return pattern.endswith("/*") and parent == pattern[:-2]


def _url_matches(url: str, pattern: str) -> bool:
    return pattern in ("*", url) or (pattern.endswith("*") and url.startswith(pattern[:-1]))
