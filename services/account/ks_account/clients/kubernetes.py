"""Kubernetes' refusals in the words of the service."""

from collections.abc import Iterator
from contextlib import contextmanager

from kubekit import errors as kubernetes
from kubekit.rbac.index import RbacNotReady
from servicekit import errors


@contextmanager
def translated() -> Iterator[None]:
    """Turn an error of Kubernetes into the answer that a client of ours gets.

    What no request of ours should be refused for, such as wrong credentials, is an outage for the client.
    """
    try:
        yield
    except kubernetes.NotFound as error:
        raise errors.NotFound(error.message) from error
    except kubernetes.Forbidden as error:
        raise errors.Forbidden(error.message) from error
    except (kubernetes.AlreadyExists, kubernetes.Conflict) as error:
        raise errors.Conflict(error.message) from error
    except kubernetes.Invalid as error:
        raise errors.BadRequest(error.message) from error
    except kubernetes.KubernetesError as error:
        raise errors.Unavailable("kubernetes", error.message, retry_after=error.retry_after) from error
    except RbacNotReady as error:
        raise errors.Unavailable("kubernetes", str(error)) from error
