"""What keeps a pod from running, read from it, its events and the quotas of its namespace; pure."""

from collections.abc import Iterable, Iterator
from typing import Any, TypedDict

from ks_apiserver.resources.quantities import left
from kubekit.resource import Object

MOST_EVENTS = 50
_IMAGE = frozenset(("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
                    "ImageInspectError", "RegistryUnavailable"))  # fmt: skip
_VOLUME_EVENTS = frozenset(("FailedMount", "FailedAttachVolume", "FailedMapVolume"))
_CALM = frozenset(("ContainerCreating", "PodInitializing", "Completed"))
_NOTHING = frozenset(("0", "0m"))


class Reason(TypedDict, total=False):
    """One of them. `type`: image, scheduling, crash, probe, volume, quota, container or eviction."""

    type: str
    container: str
    reason: str
    message: str


def is_running(pod: Object) -> bool:
    """Whether it runs, and each of its containers is ready; one that has ended well counts too."""
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded":
        return True
    containers = status.get("containerStatuses") or []
    return status.get("phase") == "Running" and all(each.get("ready") for each in containers)


def reasons(pod: Object, events: Iterable[Object], quotas: Iterable[Object]) -> list[Reason]:
    """Everything that keeps the pod from running, the likeliest cause first; nothing for one that runs."""
    if is_running(pod):
        return []
    known = list(events)
    return [
        *_of_pod(pod),
        *_of_scheduling(pod),
        *(reason for status in _containers(pod) for reason in _of_container(status)),
        *_of_events(known),
        *_of_quotas(quotas),
    ]


def _of_pod(pod: Object) -> Iterator[Reason]:
    status = pod.get("status") or {}
    if status.get("reason"):
        yield Reason(type="eviction", reason=status["reason"], message=status.get("message") or "")


def _of_scheduling(pod: Object) -> Iterator[Reason]:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield Reason(
                type="scheduling",
                reason=condition.get("reason") or "",
                message=condition.get("message") or "",
            )


def _containers(pod: Object) -> Iterator[dict[str, Any]]:
    status = pod.get("status") or {}
    for part in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(part) or ()


def _of_container(status: dict[str, Any]) -> Iterator[Reason]:
    name = status.get("name") or ""
    waiting = (status.get("state") or {}).get("waiting") or {}
    why = waiting.get("reason") or ""
    if why and why not in _CALM:
        kind = "image" if why in _IMAGE else "crash" if why == "CrashLoopBackOff" else "container"
        yield Reason(type=kind, container=name, reason=why, message=waiting.get("message") or "")
    for when in ("state", "lastState"):
        ended = (status.get(when) or {}).get("terminated") or {}
        if ended.get("exitCode"):
            message = ended.get("message") or f"it ended with code {ended['exitCode']}"
            yield Reason(type="crash", container=name, reason=ended.get("reason") or "Error", message=message)


def _of_events(events: Iterable[Object]) -> Iterator[Reason]:
    seen: set[tuple[str, str]] = set()
    for event in events:
        why, message = event.get("reason") or "", event.get("message") or ""
        kind = "probe" if why == "Unhealthy" else "volume" if why in _VOLUME_EVENTS else ""
        if kind and (why, message) not in seen:
            seen.add((why, message))
            yield Reason(type=kind, reason=why, message=message)


def _of_quotas(quotas: Iterable[Object]) -> Iterator[Reason]:
    for quota in quotas:
        status = quota.get("status") or {}
        used = status.get("used") or {}
        for name, hard in (status.get("hard") or {}).items():
            if name in used and left(hard, used[name]) in _NOTHING:
                what = f"{name}: {used[name]} of {hard} is used, nothing is left"
                yield Reason(type="quota", reason=quota["metadata"]["name"], message=what)
