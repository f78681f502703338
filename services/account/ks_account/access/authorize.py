"""May the caller do this? Decided for every route, before its handler runs; what nothing allows is refused.

The gateway asks the same question of the same roles. It is asked again here, since nobody should be able to
do more by reaching the service past the gateway.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from aiohttp import web

from ks_account.clients.kubernetes import translated
from kubekit.rbac import AmbiguousPath, RequestInfo, effective_groups
from kubekit.rbac.index import RbacIndex
from servicekit.binding import Handler
from servicekit.errors import BadRequest, Forbidden
from servicekit.group import Group
from servicekit.identity import Identity

H = TypeVar("H", bound=Handler)
Permit = Callable[[Identity, RequestInfo], bool]
"""What allows a request beside the caller's roles."""


def oneself(caller: Identity, request: RequestInfo) -> bool:
    """Everybody may do this with their own account."""
    return request.resource == "users" and request.name == caller.user


def signed_in(caller: Identity, request: RequestInfo) -> bool:
    """Everybody who is signed in may do this."""
    return not caller.is_anonymous


class GuardedGroup(Group):
    """A group whose routes the caller's roles must allow, unless they are public or `permit` allows them."""

    def __init__(self, name: str, version: str, rbac: RbacIndex, needs: Iterable[str] = ()) -> None:
        super().__init__(name, version, needs=needs)
        self._rbac = rbac

    def guarded(
        self, method: str, path: str, *, permit: Permit | None = None, needs: Iterable[str] = ()
    ) -> Callable[[H], H]:
        """Declares the decorated function as the handler of `method` at `path`, for those who may."""

        def declare(handler: H) -> H:
            self.route(method, path, needs=needs)(_guard(handler, self._rbac, permit))
            return handler

        return declare


def _guard(handler: Handler, rbac: RbacIndex, permit: Permit | None) -> Handler:
    """`handler` behind the check; takes the identity and the request as well as what `handler` takes."""

    @functools.wraps(handler)
    async def guarded(guard_caller: Identity, guard_request: web.Request, **arguments: Any) -> Any:
        require(rbac, guard_caller, guard_request, permit)
        return await handler(**arguments)

    own = {"guard_caller": Identity, "guard_request": web.Request}
    signature = inspect.signature(handler)
    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=t) for name, t in own.items()]
    as_named = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    guarded.__signature__ = signature.replace(parameters=[*added, *as_named])  # type: ignore[attr-defined]
    guarded.__annotations__ = {**own, **handler.__annotations__}
    return guarded


def require(rbac: RbacIndex, caller: Identity, request: web.Request, permit: Permit | None) -> None:
    """Raise Forbidden unless `permit` or a role of the caller allows the request.

    Raises BadRequest for a path that can be read in two ways, and Unavailable while the roles are not known.
    """
    try:
        asked = RequestInfo.of(request.method, request.raw_path.partition("?")[0])
    except AmbiguousPath as error:
        raise BadRequest(str(error)) from error
    if permit is not None and permit(caller, asked):
        return
    with translated():
        decision = rbac.allows(caller.user, effective_groups(caller.user, caller.groups), asked)
    if not decision.allowed:
        raise Forbidden(decision.because)
