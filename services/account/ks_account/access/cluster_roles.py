"""The cluster role of a user: that of the ClusterRoleBinding which has the user's name, as in v2.1.1.

Granting one is done as the caller, by impersonation, so that the cluster refuses what the caller does not
hold
(https://kubernetes.io/docs/reference/access-authn-authz/rbac/#restrictions-on-role-binding-creation-or-update).
"""

from collections.abc import Iterable
from typing import Any

from ks_account.access.bindings import RBAC_GROUP, role_of, user_subject, users_in
from ks_account.clients.kubernetes import translated
from kubekit.cluster import Cluster
from kubekit.errors import AlreadyExists, KubernetesError, NotFound
from kubekit.rbac import RequestInfo, Rule, effective_groups
from kubekit.rbac.demands import missing
from kubekit.rbac.index import RbacIndex
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, Object
from kubekit.transport import Impersonation
from servicekit.errors import Conflict, Forbidden
from servicekit.identity import Identity

CLUSTER_ADMIN = "cluster-admin"


class ClusterRoles:
    """Reads and grants the cluster roles of users."""

    def __init__(self, cluster: Cluster, rbac: RbacIndex) -> None:
        self._cluster = cluster
        self._rbac = rbac
        self._bindings = cluster.cache(CLUSTER_ROLE_BINDINGS, index={"role": role_of})

    def of(self, username: str) -> str:
        """The user's cluster role, "" when there is none."""
        binding = self._bindings.get(username)
        return binding["roleRef"]["name"] if binding and username in users_in(binding) else ""

    def rules_of(self, username: str, namespace: str | None = None) -> list[Rule]:
        """The rules that bindings of the user itself give in the cluster and, when given, in `namespace`."""
        with translated():
            return self._rbac.rules(username, (), namespace)

    def require_power_over(self, caller: Identity, username: str) -> None:
        """Raise Forbidden when the user may do something that the caller may not.

        Who sets another's password can act as them, so must hold all that they hold, or be allowed what
        Kubernetes calls `impersonate` on that user.
        """
        groups = effective_groups(caller.user, caller.groups)
        with translated():
            if self._rbac.allows(caller.user, groups, _impersonation_of(username)).allowed:
                return
            for namespace in (None, *self._rbac.bound_namespaces(username, ())):
                held = self._rbac.rules(caller.user, groups, namespace)
                lacking = missing(held, self._rbac.rules(username, (), namespace))
                if lacking is not None:
                    raise Forbidden(f"{username} may do what {caller.user} may not: {lacking}")

    def is_bound(self, username: str) -> bool:
        """Whether any role is bound to that name, whoever has it. Raises Unavailable as `administrators`."""
        with translated():
            return bool(self._rbac.bindings_of(username, ()))

    def administrators(self) -> set[str]:
        """The users with the role cluster-admin. Raises Unavailable while the bindings are not known."""
        with translated():
            self._rbac.bindings_of(CLUSTER_ADMIN, ())
        return {name for binding in self._bindings.by("role", CLUSTER_ADMIN) for name in users_in(binding)}

    async def check_grant(self, username: str, role: str, caller: Identity) -> None:
        """Raise what `grant` would, before anything is changed: NotFound, Forbidden or Conflict."""
        with translated():
            await self._cluster.get(CLUSTER_ROLES, role)
            probe = _binding(f"{username}:{role}", username, role)
            await self._cluster.create(CLUSTER_ROLE_BINDINGS, probe, dry_run=True, as_user=_as(caller))
            await self._own_binding(username)

    async def grant(self, username: str, role: str, caller: Identity | None) -> None:
        """Make `role` the cluster role of a user, as `caller`, or as the service itself where that is None.

        Raises NotFound for an unknown role, Forbidden when the caller may not grant it, and Conflict when a
        binding of that name is not the user's.
        """
        who = _as(caller) if caller else None
        wanted = _binding(username, username, role)
        with translated():
            found = await self._own_binding(username)
            if found is None:
                await self._create(wanted, who)
                return
            if found["roleRef"]["name"] != role:
                await self._replace(found, wanted, who)
            elif username not in users_in(found):
                await self._cluster.update(
                    CLUSTER_ROLE_BINDINGS, {**found, "subjects": wanted["subjects"]}, as_user=who
                )

    async def _own_binding(self, username: str) -> Object | None:
        try:
            found = await self._cluster.get(CLUSTER_ROLE_BINDINGS, username)
        except NotFound:
            return None
        subjects: Iterable[dict[str, Any]] = found.get("subjects") or []
        if any(s["kind"] != "User" or s["name"] != username for s in subjects):
            raise Conflict(
                f"the ClusterRoleBinding {username} binds others than the user; choose another user name"
            )
        return found

    async def _create(self, wanted: Object, who: Impersonation | None) -> None:
        try:
            await self._cluster.create(CLUSTER_ROLE_BINDINGS, wanted, as_user=who)
        except AlreadyExists:
            found = await self._own_binding(wanted["metadata"]["name"])
            if found is None or found["roleRef"]["name"] != wanted["roleRef"]["name"]:
                raise

    async def _replace(self, found: Object, wanted: Object, who: Impersonation | None) -> None:
        """A binding's role cannot be changed: delete and create it, or put back what was there."""
        metadata = found["metadata"]
        await self._cluster.delete(CLUSTER_ROLE_BINDINGS, metadata["name"], uid=metadata["uid"], as_user=who)
        try:
            await self._cluster.create(CLUSTER_ROLE_BINDINGS, wanted, as_user=who)
        except KubernetesError:
            kept = {name: metadata[name] for name in ("name", "labels", "annotations") if name in metadata}
            await self._cluster.create(CLUSTER_ROLE_BINDINGS, {**found, "metadata": kept})
            raise


def _impersonation_of(username: str) -> RequestInfo:
    return RequestInfo(
        True, "impersonate", "", api_prefix="api", api_version="v1", resource="users", name=username
    )


def _as(caller: Identity) -> Impersonation:
    return Impersonation(caller.user, caller.groups)


def _binding(name: str, username: str, role: str) -> Object:
    return {
        "apiVersion": CLUSTER_ROLE_BINDINGS.api_version,
        "kind": CLUSTER_ROLE_BINDINGS.kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [user_subject(username)],
    }
