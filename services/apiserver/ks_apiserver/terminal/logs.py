"""What a container writes: read as the caller, and passed on as it comes."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from ks_apiserver.clients import permissions
from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.clients.permissions import acting_as
from kubekit.cluster import Cluster
from kubekit.resource import PODS
from servicekit.identity import Identity


@asynccontextmanager
async def opened(
    cluster: Cluster, caller: Identity, namespace: str, pod: str, params: Mapping[str, str]
) -> AsyncGenerator[AsyncGenerator[bytes, None], None]:
    """The log that `params` of the API's `pods/log` describe, once Kubernetes has begun to answer.

    Raises Forbidden unless Kubernetes lets the caller `get pods/log` there, NotFound, BadRequest for a
    container that has no log, and Unavailable. What it gives raises KubernetesError when it breaks off.
    """
    await permissions.require(cluster, caller, "get", PODS, name=pod, namespace=namespace, subresource="log")
    accepted = asyncio.Event()
    parts = cluster.logs(namespace, pod, params, as_user=acting_as(caller), opened=accepted.set)
    first: asyncio.Future[bytes | None] = asyncio.ensure_future(anext(parts, None))
    waiting = asyncio.ensure_future(accepted.wait())
    try:
        await asyncio.wait((first, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not accepted.is_set():
            with translated():
                await first
        yield _rest(first, parts)
    finally:
        waiting.cancel()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await parts.aclose()


async def _rest(
    first: asyncio.Future[bytes | None], parts: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    if (part := await first) is not None:
        yield part
        async for part in parts:
            yield part
