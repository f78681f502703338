"""Records each run of a Job on the Job itself."""

from __future__ import annotations

from contextlib import suppress

from ks_controller_manager.job import revisions
from kubekit.controller import DONE, Controller, Key, Outcome
from kubekit.errors import NotFound
from kubekit.objects import being_deleted
from kubekit.resource import JOBS


class JobController(Controller):
    """Jobs; every change of their status may be one to record."""

    name = "job-controller"
    reconciles = JOBS

    async def reconcile(self, key: Key) -> Outcome:
        job = self.cache[JOBS].get(key.name, key.namespace)
        if job is None or being_deleted(job):
            return DONE
        if patch := revisions.patch(job):
            with suppress(NotFound):
                await self.cluster.patch(JOBS, key.name, patch, key.namespace, field_manager=self.name)
        return DONE
