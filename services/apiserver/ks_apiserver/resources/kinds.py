"""One table: each kind that can be searched, where it is served, and what it is searched and sorted by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ks_apiserver.resources import fields, status
from kubekit.ordering import OrderFn
from kubekit.resource import (
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    INGRESSES,
    JOBS,
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    ROLES,
    SECRETS,
    SERVICES,
    STATEFUL_SETS,
    STORAGE_CLASSES,
    WORKSPACES,
    Resource,
)
from kubekit.store import IndexFn, Row

STATUS = "status"
ABNORMAL = "abnormal"
OWNER = "owner"
TARGET = "target"
NODE = "node"
CLAIM = "claim"
TYPE = "type"
USER_FACING = "user facing"
CLASS = "storage class"
COUNTED_CLASS = "counted class"
"""Names of indexes."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """A sort key of a kind's own: a time that is indexed under its name."""

    time: IndexFn
    by: OrderFn


def by_time(name: str, time: IndexFn, missing: str = "") -> Mapping[str, Order]:
    """An order of this name. `missing` stands for a time that there is not yet: it sorts first, `~` last."""

    def sort_key(row: Row) -> tuple[str, ...]:
        return next(iter(row.values(name)), missing), row.name, row.namespace or ""

    return {name: Order(time, sort_key)}


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind is searched. Keys are those of `conditions=key=value`; any other is a label."""

    served: tuple[Resource, ...]
    """The resource in each API version that has been served, newest first."""
    indexes: Mapping[str, IndexFn] = field(default_factory=dict[str, IndexFn])
    equal: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keys that an index answers, by its name."""
    either: Mapping[str, str] = field(default_factory=dict[str, str])
    """The same, for values `a|b`."""
    paired: Mapping[Pair, str] = field(default_factory=dict[Pair, str])
    """Two keys that together make a value `Kind/name` of an index; what is not given is empty."""
    orders: Mapping[str, Order] = field(default_factory=dict[str, Order])
    as_caller: bool = False
    """Not cached, but read as the caller: too sensitive to rest here."""

    @property
    def name(self) -> str:
        """What the path calls it."""
        return self.served[0].plural

    @property
    def namespaced(self) -> bool:
        """Whether its objects live in namespaces."""
        return self.served[0].namespaced


APPLICATIONS = Resource("app.k8s.io", "v1beta1", "applications", "Application", True)
S2I_BUILDERS = Resource("devops.kubesphere.io", "v1alpha1", "s2ibuilders", "S2iBuilder", True)
S2I_RUNS = Resource("devops.kubesphere.io", "v1alpha1", "s2iruns", "S2iRun", True)
S2I_BUILDER_TEMPLATES = Resource(
    "devops.kubesphere.io", "v1alpha1", "s2ibuildertemplates", "S2iBuilderTemplate", False
)
_CRON_JOBS_BETA = Resource("batch", "v1beta1", "cronjobs", "CronJob", True)
_AUTOSCALERS_BETA = Resource(
    "autoscaling", "v2beta2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True
)
_INGRESSES_BETA = Resource("networking.k8s.io", "v1beta1", "ingresses", "Ingress", True)
_INGRESSES_FIRST = Resource("extensions", "v1beta1", "ingresses", "Ingress", True)

_BY_STATUS = {"status": STATUS}
_BY_OWNER: dict[Pair, str] = {("ownerKind", "ownerName"): OWNER}

_KINDS = (
    Kind(
        (PODS,),
        {
            OWNER: fields.owners,
            NODE: fields.node,
            CLAIM: fields.claims,
            ABNORMAL: status.abnormal_pod,
        },
        equal={"nodeName": NODE, "pvcName": CLAIM},
        paired=_BY_OWNER,
        orders=by_time("startTime", fields.status_time("startTime"), missing="~"),
    ),
    Kind(
        (DEPLOYMENTS,),
        {STATUS: status.of_replicated},
        equal=_BY_STATUS,
        orders=by_time("updateTime", fields.latest("lastUpdateTime")),
    ),
    Kind((STATEFUL_SETS,), {STATUS: status.of_replicated}, equal=_BY_STATUS),
    Kind((DAEMON_SETS,), {STATUS: status.of_daemon_set}, equal=_BY_STATUS),
    Kind(
        (JOBS,),
        {STATUS: status.of_job, OWNER: fields.owners},
        equal=_BY_STATUS,
        orders=by_time("updateTime", fields.latest("lastProbeTime", "lastTransitionTime")),
    ),
    Kind(
        (CRON_JOBS, _CRON_JOBS_BETA),
        {STATUS: status.of_cron_job},
        equal=_BY_STATUS,
        orders=by_time("lastScheduleTime", fields.status_time("lastScheduleTime")),
    ),
    Kind((SERVICES,)),
    Kind((INGRESSES, _INGRESSES_BETA, _INGRESSES_FIRST)),
    Kind(
        (PERSISTENT_VOLUME_CLAIMS,),
        {STATUS: status.of_claim, CLASS: fields.storage_class, COUNTED_CLASS: fields.counted_class},
        equal={"storageClassName": CLASS},
        either=_BY_STATUS,
    ),
    Kind((CONFIG_MAPS,)),
    Kind((SECRETS,), {TYPE: fields.secret_type}, equal={"type": TYPE}, as_caller=True),
    Kind((ROLES,), {USER_FACING: fields.user_facing_role}),
    Kind(
        (HORIZONTAL_POD_AUTOSCALERS, _AUTOSCALERS_BETA),
        {TARGET: fields.scale_target},
        paired={("targetKind", "targetName"): TARGET},
    ),
    Kind((APPLICATIONS,)),
    Kind((S2I_BUILDERS,)),
    Kind((S2I_RUNS,), {STATUS: status.of_s2i_run}, equal=_BY_STATUS),
    Kind((NODES,), {STATUS: status.of_node}, equal=_BY_STATUS),
    Kind((NAMESPACES,)),
    Kind(
        (CLUSTER_ROLES,),
        {OWNER: fields.owners_and_kinds, USER_FACING: fields.user_facing_cluster_role},
        paired=_BY_OWNER,
    ),
    Kind((STORAGE_CLASSES,)),
    Kind((S2I_BUILDER_TEMPLATES,)),
    Kind((WORKSPACES,)),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
"""By the name in the path."""
