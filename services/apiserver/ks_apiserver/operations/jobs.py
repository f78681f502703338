"""Running a job again: the same job is deleted and created anew, as the caller."""

import asyncio
import copy

from ks_apiserver.clients import permissions
from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.clients.permissions import acting_as
from kubekit.cluster import Cluster, Impersonation
from kubekit.errors import AlreadyExists
from kubekit.resource import JOBS, Object
from servicekit.errors import BadRequest, Conflict
from servicekit.identity import Identity

RERUN = "rerun"
_HISTORY = "revisions"
"""Annotation: every run of the job, as JSON."""
_GENERATED = (
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
)
"""Labels that Kubernetes derives from the job that was; the new one gets its own."""
_OF_THE_OLD = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink")
GONE_WITHIN = 20.0
"""Seconds that the old job has to be gone."""
_LOOK_EVERY = 0.2


async def act(
    cluster: Cluster, caller: Identity, namespace: str, name: str, action: str, version: str
) -> None:
    """Does `action`, which must be `rerun`, with a job whose resourceVersion is still `version`.

    Raises Forbidden where Kubernetes does not let the caller delete and create the job, NotFound, BadRequest
    for another action, and Conflict when the job has changed.
    """
    for verb in ("get", "delete", "create"):
        await permissions.require(cluster, caller, verb, JOBS, name=name, namespace=namespace)
    if action != RERUN:
        raise BadRequest(f"invalid operation {action[:64]}")
    as_user = acting_as(caller)
    with translated():
        old = await cluster.get(JOBS, name, namespace, as_user=as_user)
    if old["metadata"]["resourceVersion"] != version:
        raise Conflict(
            f'Operation cannot be fulfilled on job "{name}": please apply your changes to the latest version '
            "and try again"
        )
    if old["metadata"].get("finalizers"):
        raise Conflict(f'job "{name}" has finalizers, which would keep the old one: delete it yourself')
    new = anew(old)
    with translated():
        await _try(cluster, new, as_user)
        await cluster.delete(JOBS, name, namespace, uid=old["metadata"]["uid"], as_user=as_user)
        await _create(cluster, new, as_user)


def anew(job: Object) -> Object:
    """The job as somebody would write it to have it run once more."""
    new = copy.deepcopy(job)
    new.pop("status", None)
    metadata, spec = new["metadata"], new["spec"]
    for name in _OF_THE_OLD:
        metadata.pop(name, None)
    _drop_generated(metadata.get("labels"))
    _drop_generated(spec["template"]["metadata"].get("labels"))
    if not spec.get("manualSelector"):
        spec.pop("selector", None)
    history = (metadata.get("annotations") or {}).get(_HISTORY)
    if history is not None:
        metadata["annotations"][_HISTORY] = history.replace("running", "unfinished")
    return new


def _drop_generated(labels: dict[str, str] | None) -> None:
    for label in _GENERATED:
        (labels or {}).pop(label, None)


async def _try(cluster: Cluster, job: Object, as_user: Impersonation) -> None:
    """A job that could not be created again must not be deleted: it is created, by another name, for show."""
    metadata = {key: value for key, value in job["metadata"].items() if key != "name"}
    shown = {**job, "metadata": {**metadata, "generateName": "rerun-"}}
    await cluster.create(JOBS, shown, dry_run=True, as_user=as_user)


async def _create(cluster: Cluster, job: Object, as_user: Impersonation) -> None:
    deadline = asyncio.get_running_loop().time() + GONE_WITHIN
    while True:
        try:
            await cluster.create(JOBS, job, as_user=as_user)
        except AlreadyExists:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            await asyncio.sleep(_LOOK_EVERY)
        else:
            return
