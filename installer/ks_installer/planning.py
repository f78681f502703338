"""What `apply` would do, found by asking the API server for a dry run of each change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ks_installer.catalogue import Component
from ks_installer.discovery import Discovery
from ks_installer.objects import FIELD_MANAGER, Change, Ref, changes
from ks_installer.secrets import completed
from ks_installer.state import State
from kubekit.cluster import Cluster
from kubekit.errors import Invalid, NotFound
from kubekit.resource import Object

CREATE = "create"
CHANGE = "change"
KEEP = "keep"
DELETE = "delete"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One object and what would happen to it: the fields that would change, or why the cluster refuses."""

    component: str
    action: str
    ref: Ref
    changes: tuple[Change, ...] = ()
    reason: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(change.path for change in self.changes)

    @property
    def restarts_pods(self) -> bool:
        return any(path.startswith("spec.template.") for path in self.paths)


async def plan(cluster: Cluster, state: State, components: Sequence[Component]) -> list[Step]:
    """What `apply` would do to each object of `components`, and to those installed and no longer wanted."""
    discovery = Discovery(cluster)
    steps: list[Step] = []
    for component in components:
        for obj in component.manifests:
            steps.append(await _step(cluster, discovery, component.name, obj, create=True))
        for obj in component.patches:
            steps.append(await _step(cluster, discovery, component.name, obj, create=False))
    wanted = {str(step.ref) for step in steps}
    for name, record in state.records.items():
        steps += [Step(name, DELETE, ref) for ref in record.refs() if str(ref) not in wanted]
    return steps


async def _step(cluster: Cluster, discovery: Discovery, component: str, obj: Object, *, create: bool) -> Step:
    ref = Ref.of(obj)
    absent = Step(component, CREATE if create else KEEP, ref)
    resource = await discovery.resource_of(obj)
    if resource is None:
        return absent
    try:
        live = await cluster.get(resource, ref.name, ref.namespace or None)
        filled = await completed(cluster, obj)
        wanted = await cluster.apply(resource, filled, field_manager=FIELD_MANAGER, dry_run=True)
    except NotFound:
        return absent
    except Invalid as error:
        return Step(component, REFUSED, ref, reason=error.message)
    found = tuple(changes(live, wanted))
    return Step(component, CHANGE if found else KEEP, ref, found)
