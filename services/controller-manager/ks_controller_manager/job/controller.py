"""Records each run of a Job on the Job itself."""

from __future__ import annotations

from datetime import UTC, datetime

from ks_controller_manager.job import revisions
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome
from kubekit.events import EventRecorder
from kubekit.objects import being_deleted
from kubekit.resource import JOBS, Object


class JobController(Controller):
    """Jobs; every change of their status may be one to record. Events tell how a run ended."""

    name = "job-controller"
    reconciles = JOBS

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._events = EventRecorder(cluster, self.name)
        self._since = datetime.now(UTC).replace(microsecond=0)  # as exact as creation timestamps are

    async def reconcile(self, key: Key) -> Outcome:
        job = self.cache[JOBS].get(key.name, key.namespace)
        if job is None or being_deleted(job):
            return DONE
        if patch := revisions.patch(job):
            await self.patch(JOBS, job, patch)
            await self._tell(job, *revisions.present_run(job, patch))
        elif (
            not revisions.readable(job) and _created(job) >= self._since
        ):  # a restart tells it to nobody anew
            text = (
                f"its runs are not recorded: the annotation {revisions.REVISIONS_ANNOTATION} is none of ours"
            )
            await self._events.warning(job, "RunsNotRecorded", text)
        return DONE

    async def _tell(self, job: Object, number: int, run: revisions.Revision) -> None:
        if run["status"] == revisions.COMPLETED:
            await self._events.normal(job, "RunCompleted", f"run {number} completed")
        elif run["status"] == revisions.FAILED:
            why = "; ".join(filter(None, [*run.get("reasons", []), *run.get("messages", [])]))
            await self._events.warning(job, "RunFailed", f"run {number} failed: {why}")


def _created(job: Object) -> datetime:
    return datetime.fromisoformat(job["metadata"]["creationTimestamp"])
