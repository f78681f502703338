"""Telling the owner of an object what the cluster would not let the platform do for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from kubekit.errors import Conflict, Forbidden, KubernetesError
from kubekit.events import EventRecorder
from kubekit.resource import Object

_ENDS = "because it is being terminated"
"""How the cluster refuses to make anything in a namespace that ends: nobody needs to hear of it."""


@asynccontextmanager
async def told(events: EventRecorder, obj: Object, what: str) -> AsyncGenerator[None, None]:
    """Has an Event on `obj` say why `what` failed, where the block raises what the cluster answered.

    The error goes on; a conflict, which the next try settles, is not told.
    """
    try:
        yield
    except Conflict:
        raise
    except KubernetesError as error:
        if not (isinstance(error, Forbidden) and _ENDS in error.message):
            await events.warning(obj, error.reason or "Failed", f"{what}: {error}")
        raise
