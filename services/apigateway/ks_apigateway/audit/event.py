"""One request as an audit event of Kubernetes, as JSON. Pure but for the clock.

The shape is that of https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/.
"""

from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

import orjson

from ks_apigateway.audit.redaction import redacted
from ks_apigateway.audit.settings import Level
from ks_apigateway.proxy.request import Request
from kubekit.rbac import AmbiguousPath, RequestInfo, effective_groups
from servicekit.access_log import mask
from servicekit.identity import ANONYMOUS

RECEIVED = "RequestReceived"
COMPLETE = "ResponseComplete"
MAX_URI = 2048
MAX_AGENT = 512
MAX_REASON = 1024
MAX_GROUPS = 64
"""Characters, and groups, of an event: whoever asks does not decide how long it gets."""


def meaning_of(request: Request) -> RequestInfo:
    """What the request asks for; of a path that is ambiguous, only method and path."""
    path = request.target.raw_path.decode("ascii")
    try:
        return RequestInfo.of(request.method_name, path, request.query.decode("ascii"))
    except AmbiguousPath:
        return RequestInfo(is_resource=False, verb=request.method_name.lower(), path=path)


def encode(request: Request, info: RequestInfo, level: Level, stage: str, code: int = 0) -> bytes:
    """The event as a JSON line. `code` is the status of the answer, 0 while there is none."""
    now = time()
    content: dict[str, Any] = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": level,
        "auditID": request.id.decode("ascii"),
        "stage": stage,
        "requestURI": _uri(request),
        "verb": info.verb,
        "user": _user(request),
        "sourceIPs": [request.address],
        "userAgent": (request.get(b"user-agent") or b"").decode("latin-1")[:MAX_AGENT],
        "requestReceivedTimestamp": _timestamp(now - (monotonic() - request.started)),
        "stageTimestamp": _timestamp(now),
        "annotations": _annotations(request, code),
    }
    if info.is_resource:
        content["objectRef"] = _object(info)
    if code:
        content["responseStatus"] = {"metadata": {}, "code": code}
    if request.tap is not None and stage == COMPLETE:
        _add_bodies(content, request.tap.request, request.tap.answer, truncated=request.tap.truncated)
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def _uri(request: Request) -> str:
    path = request.target.raw_path.decode("ascii")
    if request.query:
        path = mask(f"{path}?{request.query.decode('ascii')}")
    return path[:MAX_URI]


def _user(request: Request) -> dict[str, Any]:
    name = request.user or ANONYMOUS
    return {"username": name, "groups": list(effective_groups(name, request.groups))[:MAX_GROUPS]}


def _annotations(request: Request, code: int) -> dict[str, str]:
    notes = {"apigateway.kubesphere.io/route": request.route}
    if request.user:
        notes["authorization.k8s.io/decision"] = "forbid" if code == 403 else "allow"
        notes["authorization.k8s.io/reason"] = request.because[:MAX_REASON]
    return {key: value for key, value in notes.items() if value}


def _object(info: RequestInfo) -> dict[str, str]:
    named = {
        "resource": info.resource,
        "namespace": info.namespace,
        "name": info.name,
        "apiGroup": info.api_group,
        "apiVersion": info.api_version,
        "subresource": info.subresource,
    }
    return {key: value for key, value in named.items() if value}


def _add_bodies(content: dict[str, Any], request: bytes, answer: bytes, *, truncated: bool) -> None:
    for key, body in (("requestObject", request), ("responseObject", answer)):
        if body:
            try:
                content[key] = redacted(orjson.loads(body))
            except orjson.JSONDecodeError:
                continue
    if truncated:
        content["annotations"]["audit.k8s.io/truncated"] = "true"


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
