"""What is installed, remembered in the cluster: ConfigMap `ks-installer-status`, one JSON value a component.

It is what makes an installation resumable and prunable: a component's objects are written down before the
first of them is applied, so an installer that dies half-way forgets none. What becomes of a component is also
told as an Event on that ConfigMap.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

import orjson

from ks_installer.objects import FIELD_MANAGER, MANAGED_BY, Ref
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.events import EventRecorder
from kubekit.resource import CONFIG_MAPS, Object

NAMESPACE = "kubesphere-system"
NAME = "ks-installer-status"
VERSION = "installer.kubesphere.io/version"

APPLYING = "Applying"
READY = "Ready"
FAILED = "Failed"
REMOVING = "Removing"

_EVENTS = {READY: "ComponentReady", FAILED: "ComponentFailed", REMOVING: "ComponentRemoving"}


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
    """The records of all components, as last read from or written to the cluster.

    `version` is that of the installer that wrote them last; empty where nothing is installed.
    """

    cluster: Cluster
    records: dict[str, Record] = field(default_factory=dict)
    version: str = ""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _events: EventRecorder | None = None

    async def load(self) -> None:
        """Reads the ConfigMap; what is missing or not understood counts as not installed."""
        try:
            found = await self.cluster.get(CONFIG_MAPS, NAME, NAMESPACE)
        except NotFound:
            return
        self.records = {name: _record(text) for name, text in (found.get("data") or {}).items()}
        self.version = (found["metadata"].get("annotations") or {}).get(VERSION, "")

    async def put(self, component: str, record: Record) -> None:
        """Writes one component's record, unless it is there as it should be."""
        before = self.records.get(component)
        if before == record:
            return
        self.records[component] = record
        stored = await self._save()
        if stored is not None and (before is None or before.phase != record.phase):
            await self._tell(stored, component, record)

    async def forget(self, component: str) -> None:
        if self.records.pop(component, None) is not None:
            await self._save()

    async def _save(self) -> Object | None:
        # Components are worked on side by side: whoever writes last must write the newest of all records.
        async with self._turn:
            body: dict[str, Any] = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": NAME,
                    "namespace": NAMESPACE,
                    "labels": {MANAGED_BY: FIELD_MANAGER},
                    "annotations": {VERSION: version("ks-installer")},
                },
                "data": {
                    name: orjson.dumps(asdict(record)).decode() for name, record in self.records.items()
                },
            }
            try:
                return await self.cluster.apply(CONFIG_MAPS, body, field_manager=FIELD_MANAGER)
            except NotFound:
                # The namespace is not there yet, or not any more; the next save brings these records with it.
                return None

    async def _tell(self, stored: Object, component: str, record: Record) -> None:
        if record.phase not in _EVENTS:
            return
        if self._events is None:
            self._events = EventRecorder(self.cluster, FIELD_MANAGER)
        if record.phase == FAILED:
            await self._events.warning(stored, _EVENTS[FAILED], record.message)
        else:
            await self._events.normal(stored, _EVENTS[record.phase], component)


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
