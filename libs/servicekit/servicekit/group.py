"""The routes of one API group, declared by the signatures of their handlers (see `servicekit.binding`)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypedDict, TypeVar, Unpack

from servicekit.binding import Binding, Handler, RouteError, bind
from servicekit.body import JSON_TYPES

H = TypeVar("H", bound=Handler)

_NAME = re.compile(r"\{([^{}:]+)(?::([^{}]+))?\}")


class Options(TypedDict, total=False):
    """What a route may say beside its method and path."""

    public: bool
    """Somebody who did not sign in may call it; by default they get 401."""
    stream: bool
    """The answer may last: it has no time limit, and is counted apart (server.maxStreams)."""
    needs: Iterable[str]
    """Names of dependencies that must be up; while one is down the answer is 503 and the handler is not
    called."""
    status: int
    """Of a success; 200 by default."""
    etag: bool
    """An answer carries an ETag, and is 304 without a body for who has it already."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation, at the whole `path` with its {names}. The rest is as in Options."""

    method: str
    path: str
    binding: Binding
    identified: bool
    """The request must carry an identity that the gateway signed."""
    public: bool
    stream: bool
    needs: tuple[str, ...]
    status: int
    etag: bool


class Group:
    """Routes below /kapis/<group>/<version>, or below `prefix` where one is given."""

    def __init__(
        self,
        name: str,
        version: str,
        *,
        prefix: str | None = None,
        identified: bool = True,
        consumes: Iterable[str] | None = JSON_TYPES,
        needs: Iterable[str] = (),
    ):
        """`consumes` are the media types of bodies, None for any; `needs` go for every route.

        `identified=False` is for what does not stand behind the gateway: its handlers know no caller.
        """
        self.name = name
        self.version = version
        self.identified = identified
        self.prefix = f"/kapis/{name}/{version}" if prefix is None else prefix
        self.routes: list[Route] = []
        self._consumes = None if consumes is None else frozenset(consumes)
        self._needs = tuple(needs)

    def route(self, method: str, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Declares the decorated function as the handler of `method` at `path`. Raises RouteError."""

        def declare(handler: H) -> H:
            whole = self.prefix + path
            if any((route.method, route.path) == (method, whole) for route in self.routes):
                raise RouteError(f"{method} {whole} is declared twice")
            names = frozenset(match[1] for match in _NAME.finditer(path))
            binding = bind(handler, names, consumes=self._consumes)
            self.routes.append(
                Route(
                    method=method,
                    path=whole,
                    binding=binding,
                    identified=self.identified,
                    public=options.get("public", False),
                    stream=options.get("stream", False),
                    needs=(*self._needs, *options.get("needs", ())),
                    status=options.get("status", 200),
                    etag=options.get("etag", False),
                )
            )
            return handler

        return declare

    def get(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        return self.route("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[Options]) -> Callable[[H], H]:
        return self.route("DELETE", path, **options)
