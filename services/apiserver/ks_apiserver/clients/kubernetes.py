"""Kubernetes: how it is configured, and its refusals and failures as answers of this service."""

from collections.abc import Iterator
from contextlib import contextmanager

from kubekit import errors as kubernetes
from kubekit.cache import Cache
from kubekit.config import ClusterConfig
from kubekit.rbac import RbacNotReady
from servicekit import errors
from servicekit.sections import KubernetesConfig

_ANSWERS: tuple[tuple[type[kubernetes.KubernetesError], type[errors.ServiceError]], ...] = (
    (kubernetes.NotFound, errors.NotFound),
    (kubernetes.AlreadyExists, errors.Conflict),
    (kubernetes.Conflict, errors.Conflict),
    (kubernetes.Forbidden, errors.Forbidden),
)


WATCHES = 256
"""Connections for the watches of caches and of callers."""


def cluster_config(config: KubernetesConfig, user_agent: str, *, streams: int = 0) -> ClusterConfig:
    """kubekit's configuration from the section `kubernetes`; `streams` long answers besides watches."""
    return ClusterConfig(
        kubeconfig=config.kubeconfig,
        context=config.context,
        qps=config.qps,
        burst=config.burst,
        timeout=config.timeout,
        pool=config.pool,
        watches=WATCHES + streams,
        user_agent=user_agent,
    )


@contextmanager
def translated() -> Iterator[None]:
    """Raises what Kubernetes refuses in the words of this service, and its failures as an outage."""
    try:
        yield
    except kubernetes.KubernetesError as error:
        raise _answer(error) from error
    except RbacNotReady as error:
        raise errors.Unavailable("kubernetes", str(error)) from error


def _answer(error: kubernetes.KubernetesError) -> errors.ServiceError:
    if isinstance(error, kubernetes.Invalid):
        kind = errors.BadRequest if error.status == 400 else errors.Invalid
        return kind(error.message, reason=error.reason or None)
    for theirs, ours in _ANSWERS:
        if isinstance(error, theirs):
            return ours(error.message, reason=error.reason or None)
    return errors.Unavailable("kubernetes", error.message, retry_after=error.retry_after)


def filled(cache: Cache) -> Cache:
    """`cache`, once it has held everything; raises Unavailable, saying why it has not, until then."""
    try:
        cache.require()
    except kubernetes.KubernetesError as error:
        raise errors.Unavailable("kubernetes", error.message) from error
    return cache
