"""Which upstream a path belongs to, and what must hold before a request gets there.

The table comes from gateway.yaml or, without one, from `builtin_routes`. The longest prefix at a
segment's border wins; of routes with the same path an exact one goes before a prefix, and one that
names methods before one that does not.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from ks_apigateway.audit.settings import Level
from ks_apigateway.proxy.request import METHODS
from ks_apigateway.ratelimit.settings import RouteRate
from servicekit.quantities import Bytes, Seconds
from servicekit.section import Section

KUBERNETES = "kubernetes"
"""The upstream that the gateway reaches with its own credentials, in the name of the user."""
GATEWAY = "gateway"
"""The gateway's own API: it explains decisions, and describes the API of the platform."""

_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+|/")
_REWRITE = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_SHORT = 512
"""Characters; the routes of longer paths are not remembered."""
_MAX_FILE = 1024 * 1024


class Authentication(StrEnum):
    """Whether a request needs a token."""

    TOKEN = "token"  # noqa: S105
    NONE = "none"


class Authorization(StrEnum):
    """Who decides whether the user may."""

    RBAC = "rbac"
    """The gateway, from the cluster's roles and bindings."""
    IDENTITY = "identity"
    """The service behind it, for each object; the gateway only says who asks."""


class Credentials(StrEnum):
    """What the upstream gets of the user's own credentials, besides the signed identity."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105
    """The token as a bearer token: for the service that made it, and can end it."""
    BASIC = "basic"
    """User name and token as basic authentication, as the original does for Jenkins."""


class Route(Section):
    """One line of the table."""

    path: str
    upstream: str
    exact: bool = False
    """Whether the path must be the same, rather than begin with this one."""
    methods: frozenset[str] = frozenset()
    """None named: every method."""
    rewrite: str | None = None
    """Stands for `path` in what is sent on; empty to leave it out."""
    authenticate: Authentication = Authentication.TOKEN
    authorize: Authorization = Authorization.RBAC
    credentials: Credentials = Credentials.NONE
    max_body: Bytes = Field(default=0, ge=0)
    """Bytes of a request's body; 0 for the gateway's own limit."""
    body_timeout: Seconds | None = Field(default=None, gt=0)
    first_byte_timeout: Seconds | None = Field(default=None, gt=0)
    answer_timeout: Seconds | None = Field(default=None, gt=0)
    """These three instead of the gateway's own."""
    rate_limit: RouteRate | None = None
    audit: Level | None = None
    """How much of its requests is audited; by default as `gateway.audit.level` says."""

    @field_validator("path")
    @classmethod
    def _check_path(cls, value: str) -> str:
        if not _PATH.fullmatch(value):
            raise ValueError("must begin with / and must not end with it, such as /kapis/iam.kubesphere.io")
        return value

    @field_validator("rewrite")
    @classmethod
    def _check_rewrite(cls, value: str | None) -> str | None:
        if value is not None and not _REWRITE.fullmatch(value):
            raise ValueError("must be empty or a path that begins with / and does not end with it")
        return value

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, value: frozenset[str]) -> frozenset[str]:
        known = set(METHODS.values())
        if value - known:
            raise ValueError(f"must be some of {', '.join(sorted(known))}")
        return value

    @model_validator(mode="after")
    def _check_kubernetes(self) -> "Route":
        if self.upstream == KUBERNETES and self.authenticate is Authentication.NONE:
            raise ValueError("a route to kubernetes needs a token: requests go there in the name of a user")
        return self

    def serves(self, method: str, *, whole: bool) -> bool:
        """Whether this is a route for `method`, on a path that is `whole` or goes on after this one."""
        return (whole or not self.exact) and (not self.methods or method in self.methods)

    @cached_property
    def label(self) -> str:
        """Tells this route from the others."""
        return " ".join((self.path, str(self.exact), *sorted(self.methods)))

    def upstream_path(self, raw_path: bytes) -> bytes:
        """The path that is sent on for `raw_path`."""
        if self.rewrite is None:
            return raw_path
        return (self.rewrite.encode() + raw_path[len(self.path) :]) or b"/"


class RoutesFile(Section):
    """gateway.yaml."""

    upstreams: dict[str, str | list[str]] = Field(default_factory=dict)
    """Addresses by name, over those of kubesphere.yaml."""
    routes: list[Route]


class RoutesError(Exception):
    """gateway.yaml cannot be used; the text says why."""


def load(path: Path) -> RoutesFile:
    """The routes in `path`. Raises RoutesError."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE + 1)
        if len(content) > _MAX_FILE:
            raise RoutesError(f"{path}: is larger than {_MAX_FILE} bytes")
        document: Any = yaml.safe_load(content)
        parsed = RoutesFile.model_validate(document)
        Table(parsed.routes)
    except OSError as error:
        raise RoutesError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise RoutesError(f"{path}: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RoutesError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    except ValueError as error:
        raise RoutesError(f"{path}: {error}") from error
    return parsed


class _Node:
    __slots__ = ("children", "routes")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.routes: list[Route] = []


class Table:
    """The routes as a tree of path segments."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Raises ValueError when two routes claim the same."""
        self._root = _Node()
        seen: set[tuple[str, bool, frozenset[str]]] = set()
        for route in routes:
            key = (route.path, route.exact, route.methods)
            if key in seen:
                raise ValueError(f"the path {route.path} is routed twice")
            seen.add(key)
            node = self._root
            for segment in _segments(route.path):
                node = node.children.setdefault(segment, _Node())
            node.routes.append(route)
            node.routes.sort(key=lambda each: (not each.exact, not each.methods))
        self._remembered = lru_cache(maxsize=4096)(self._find)

    def find(self, method: str, path: str) -> Route | None:
        """The route of a request on the decoded `path`, or None."""
        return self._remembered(method, path) if len(path) <= _SHORT else self._find(method, path)

    def _find(self, method: str, path: str) -> Route | None:
        segments = _segments(path)
        nodes = [self._root]
        for segment in segments:
            child = nodes[-1].children.get(segment)
            if child is None:
                break
            nodes.append(child)
        for depth in range(len(nodes) - 1, -1, -1):
            for route in nodes[depth].routes:
                if route.serves(method, whole=depth == len(segments)):
                    return route
        return None


def _segments(path: str) -> list[str]:
    return path[1:].split("/") if len(path) > 1 else []


_IAM = "/kapis/iam.kubesphere.io/v1alpha2"
_RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
_DEVOPS = "/kapis/devops.kubesphere.io/v1alpha2"
_OPENPITRIX = "/kapis/openpitrix.io/v1"
_ALERTING = "/kapis/alerting.kubesphere.io"


def _public(upstream: str, path: str, *methods: str, **more: Any) -> Route:
    return Route(
        path=path, upstream=upstream, methods=frozenset(methods), authenticate=Authentication.NONE, **more
    )


def _decided_behind(upstream: str, path: str, *methods: str, **more: Any) -> Route:
    return Route(
        path=path, upstream=upstream, methods=frozenset(methods), authorize=Authorization.IDENTITY, **more
    )


def _iam() -> list[Route]:
    return [
        _public("account", f"{_IAM}/login", exact=True),
        _public("account", f"{_IAM}/authenticate", exact=True),
        _public("account", f"{_IAM}/token", "POST", exact=True),
        # Signing in at a provider of OpenID Connect: to it and back, before there is a token.
        _public("account", f"{_IAM}/oauth", "GET"),
        # Jenkins' plugin still asks for the path of an older release.
        _public(
            "account",
            "/apis/account.kubesphere.io/v1alpha1/authenticate",
            exact=True,
            rewrite=f"{_IAM}/authenticate",
        ),
        # Account ends the session that the token names, which is the caller's own.
        _decided_behind("account", f"{_IAM}/token", "DELETE", exact=True, credentials=Credentials.TOKEN),
        # Tables of what each built-in role means; they hold nothing of anybody.
        _decided_behind("account", f"{_IAM}/rulesmapping", "GET"),
        Route(path="/kapis/iam.kubesphere.io", upstream="account", credentials=Credentials.TOKEN),
    ]


def _apiserver() -> list[Route]:
    return [
        _public("apiserver", "/kapis/v1alpha1/configz", "GET", exact=True),
        *(
            _public("apiserver", f"{_OPENPITRIX}/{name}", "GET")
            for name in ("apps", "attachments", "categories")
        ),
        _public("apiserver", f"{_DEVOPS}/webhook/github", "POST", exact=True),
        _public("apiserver", f"{_DEVOPS}/webhook/git", "GET", "POST", exact=True),
        # Behind these, the service asks for each object whether the user may.
        _decided_behind("apiserver", "/kapis/tenant.kubesphere.io/v1alpha2"),
        _decided_behind("apiserver", _DEVOPS, credentials=Credentials.BASIC),
        _decided_behind("apiserver", f"{_RESOURCES}/registry"),
        _decided_behind("apiserver", f"{_RESOURCES}/git/verify", exact=True),
        # Of these, everybody gets what Kubernetes or a role lets them list, or change.
        _decided_behind("apiserver", f"{_RESOURCES}/search", "GET", exact=True),
        _decided_behind("apiserver", f"{_RESOURCES}/watch", "GET", exact=True),
        _decided_behind("apiserver", f"{_RESOURCES}/dryrun", "POST", exact=True),
        Route(path="/kapis", upstream="apiserver"),
    ]


def _own() -> list[Route]:
    return [
        # Everybody may ask about themselves; about others, it looks at the cluster's roles.
        _decided_behind(GATEWAY, "/kapis/authorization.kubesphere.io/v1/explain", "POST", exact=True),
        _decided_behind(GATEWAY, "/openapi/v3", "GET", exact=True, audit=Level.NONE),
        _public(GATEWAY, "/openapi/v3/kapis", "GET", exact=True, audit=Level.NONE),
        _public(GATEWAY, "/swagger-ui", "GET", audit=Level.NONE),
    ]


def _components() -> list[Route]:
    return [
        _decided_behind("jenkins", "/kapis/jenkins.kubesphere.io", rewrite="", credentials=Credentials.BASIC),
        Route(path="/job", upstream="jenkins", credentials=Credentials.BASIC),
        _decided_behind("devops", "/kapis/devops.kubesphere.io/v1alpha", rewrite="/v1alpha"),
        # Catalogues of what can be measured; comments and policies are somebody's.
        _decided_behind("alerting", f"{_ALERTING}/v1/resource_type", "GET", rewrite="/v1/resource_type"),
        _decided_behind("alerting", f"{_ALERTING}/v1/metric", "GET", rewrite="/v1/metric"),
        Route(path=_ALERTING, upstream="alerting", rewrite=""),
        Route(path="/kapis/notification.kubesphere.io", upstream="notification", rewrite=""),
    ]


def builtin_routes() -> list[Route]:
    """The routes of KubeSphere v2.1.1's gateway, with those that kubectl needs besides."""
    kubernetes = ("/api", "/apis", "/version", "/openapi")
    return [
        *(_decided_behind(KUBERNETES, path) for path in kubernetes),
        *_own(),
        *_iam(),
        *_apiserver(),
        *_components(),
    ]
