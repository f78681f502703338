"""The named permissions that a console shows, and the policy rules that each stands for.

`data/clusterroles.json` and `data/roles.json` are what v2.1.1 answers at `rulesmapping/clusterroles` and
`rulesmapping/roles`. Somebody has a permission when each rule that it stands for is held as a whole by one
rule of theirs, as v2.1.1 decides it. Roles of workspaces and DevOps projects have fixed permissions there.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from typing_extensions import TypedDict

from kubekit.rbac.demands import demands, holds
from kubekit.rbac.rule import Rule


class SimpleRule(TypedDict):
    """A permission, and what of it is given."""

    name: str
    actions: list[str]


class ActionRules(TypedDict):
    """An action of a permission, with the policy rules that it stands for."""

    name: str
    rules: list[dict[str, Any]]


class PermissionRules(TypedDict):
    """A permission as `rulesmapping` shows it."""

    name: str
    actions: list[ActionRules]


@dataclass(frozen=True, slots=True, eq=False)
class Permissions:
    """One table of permissions. `document` is the answer of `rulesmapping`."""

    document: list[PermissionRules]
    needed: Mapping[tuple[str, str], tuple[Rule, ...]]

    @classmethod
    def read(cls, name: str) -> "Permissions":
        """The table in `data/{name}.json`."""
        document: list[PermissionRules] = json.loads(
            resources.files("kubekit.rbac").joinpath("data", f"{name}.json").read_text("utf-8")
        )
        return cls(
            document,
            {
                (permission["name"], action["name"]): tuple(Rule.of(rule) for rule in action["rules"])
                for permission in document
                for action in permission["actions"]
            },
        )

    def of(self, rules: Iterable[Rule]) -> list[SimpleRule]:
        """The permissions that `rules` give, in the order of the table."""
        return [{"name": name, "actions": list(actions)} for name, actions in _given(self, tuple(rules))]


@lru_cache(maxsize=1024)
def _given(table: Permissions, held: tuple[Rule, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What those rules give; many users hold the same ones."""
    actions: dict[str, list[str]] = {}
    for (permission, action), needed in table.needed.items():
        if all(_is_held(held, rule) for rule in needed):
            actions.setdefault(permission, []).append(action)
    return tuple((name, tuple(names)) for name, names in actions.items())


def _is_held(held: Sequence[Rule], needed: Rule) -> bool:
    wanted = list(demands(needed))
    return any(all(holds(rule, demand) for demand in wanted) for rule in held)


CLUSTER = Permissions.read("clusterroles")
"""Permissions in the cluster."""
NAMESPACE = Permissions.read("roles")
"""Permissions in a namespace."""


def _fixed(table: Mapping[str, str]) -> list[SimpleRule]:
    return [{"name": name, "actions": actions.split()} for name, actions in table.items()]


WORKSPACE: dict[str, list[SimpleRule]] = {
    "workspace-admin": _fixed(
        {
            "workspaces": "edit delete view",
            "members": "edit delete create view",
            "devops": "edit delete create view",
            "projects": "edit delete create view",
            "roles": "view",
            "apps": "view create manage",
            "repos": "view manage",
        }
    ),
    "workspace-regular": _fixed(
        {
            "members": "view",
            "devops": "view create",
            "projects": "view create",
            "apps": "view create",
            "repos": "view",
        }
    ),
    "workspace-viewer": _fixed(
        dict.fromkeys(("workspaces", "members", "devops", "projects", "roles", "apps", "repos"), "view")
    ),
    "workspaces-manager": _fixed(
        {"workspaces": "edit delete view", "members": "edit delete create view", "roles": "view"}
    ),
}
"""By the role in a workspace."""

DEVOPS: dict[str, list[SimpleRule]] = {
    "owner": _fixed(
        {
            "pipelines": "create edit view delete trigger",
            "roles": "view",
            "members": "create edit view delete",
            "credentials": "create edit view delete",
            "devops": "edit view delete",
        }
    ),
    "maintainer": _fixed(
        {
            "pipelines": "create edit view delete trigger",
            "roles": "view",
            "members": "view",
            "credentials": "create edit view delete",
            "devops": "view",
        }
    ),
    "developer": _fixed({"pipelines": "view trigger", "roles": "view", "members": "view", "devops": "view"}),
    "reporter": _fixed(dict.fromkeys(("pipelines", "roles", "members", "devops"), "view")),
}
"""By the role in a DevOps project; a role that is not here has those of a reporter, as in v2.1.1."""
