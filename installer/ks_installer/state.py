"""What is installed, remembered in the cluster: ConfigMap `ks-installer-status`, one JSON value a component.

It is what makes an installation resumable and prunable: a component's objects are written down before the
first of them is applied, so an installer that dies half-way forgets none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from ks_installer.objects import FIELD_MANAGER, MANAGED_BY, Ref
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CONFIG_MAPS

NAMESPACE = "kubesphere-system"
NAME = "ks-installer-status"

APPLYING = "Applying"
READY = "Ready"
FAILED = "Failed"
REMOVING = "Removing"


@dataclass(frozen=True, slots=True)
class Record:
    """How one component stands: `phase`, why (`message`), and what it applied."""

    phase: str
    message: str = ""
    objects: tuple[str, ...] = ()
    patched: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()

    def refs(self) -> tuple[Ref, ...]:
        return tuple(map(Ref.parse, self.objects))

    def patched_refs(self) -> tuple[Ref, ...]:
        return tuple(map(Ref.parse, self.patched))


@dataclass(slots=True)
class State:
    """The records of all components, as last read from or written to the cluster."""

    cluster: Cluster
    records: dict[str, Record] = field(default_factory=dict)

    async def load(self) -> None:
        """Reads the ConfigMap; what is missing or not understood counts as not installed."""
        try:
            found = await self.cluster.get(CONFIG_MAPS, NAME, NAMESPACE)
        except NotFound:
            return
        self.records = {name: _record(text) for name, text in (found.get("data") or {}).items()}

    async def put(self, component: str, record: Record) -> None:
        """Writes one component's record, unless it is there as it should be."""
        if self.records.get(component) != record:
            self.records[component] = record
            await self._save()

    async def forget(self, component: str) -> None:
        if self.records.pop(component, None) is not None:
            await self._save()

    async def _save(self) -> None:
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": {MANAGED_BY: FIELD_MANAGER}},
            "data": {name: orjson.dumps(asdict(record)).decode() for name, record in self.records.items()},
        }
        try:
            await self.cluster.apply(CONFIG_MAPS, body, field_manager=FIELD_MANAGER)
        except NotFound:
            # The namespace is not there yet, or not any more; the next save brings these records with it.
            return


def _record(text: str) -> Record:
    try:
        raw = orjson.loads(text)
        return Record(
            phase=raw["phase"],
            message=raw["message"],
            **{key: tuple(raw[key]) for key in ("objects", "patched", "dependencies")},
        )
    except (ValueError, KeyError, TypeError):
        return Record(FAILED, "the record in the cluster cannot be read")
