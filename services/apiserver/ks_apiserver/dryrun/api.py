"""The route of resources.kubesphere.io/v1alpha2 that tries a manifest."""

from typing import Annotated, Any

from pydantic import StringConstraints

from ks_apiserver.dryrun.dryrun import DryRun
from ks_apiserver.resources.access import GROUP, VERSION
from servicekit.group import Group
from servicekit.identity import Identity

TYPES = ("application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/plain")
Namespace = Annotated[str, StringConstraints(max_length=63)]


def group(dry_run: DryRun) -> Group:
    """For anybody who signed in: Kubernetes decides about each document."""
    routes = Group(GROUP, VERSION, consumes=TYPES)

    @routes.post("/dryrun")
    async def try_manifest(caller: Identity, body: bytes, namespace: Namespace = "") -> dict[str, Any]:
        """What applying a manifest of one or several documents, in YAML or JSON, would change."""
        return await dry_run.of(caller, body, namespace)

    return routes
