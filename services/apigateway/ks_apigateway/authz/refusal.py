"""403, told in the words of the original and in the shape of Kubernetes."""

from typing import Any

from kubekit.rbac import RequestInfo
from servicekit.errors import Forbidden


class NotAllowed(Forbidden):
    """No binding allows `request`. The message names what is missing: verb, resource and namespace.

    The body is a Status, as https://kubernetes.io/docs/reference/using-api/api-concepts/ has it; the header
    WWW-Authenticate carries the reason as the original gateway words it.
    """

    def __init__(self, request: RequestInfo, because: str) -> None:
        reason = f"{_subject(request)}forbidden: permission undefined"
        super().__init__(
            f"{_subject(request)}forbidden: {because}",
            headers={"WWW-Authenticate": f"Forbidden,{reason}"},
        )
        self._request = request

    def body(self, request_id: str) -> dict[str, Any]:
        """The Status, with the request's id beside it."""
        request = self._request
        details = {"name": request.name, "group": request.api_group, "kind": request.resource}
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": {key: value for key, value in details.items() if value},
            "code": self.status,
            "requestId": request_id,
        }


def _subject(request: RequestInfo) -> str:
    """`pods.group "name" is `, or nothing for a path that is no resource."""
    if not request.is_resource:
        return ""
    what = f"{request.resource}.{request.api_group}" if request.api_group else request.resource
    return f'{what} "{request.name}" is ' if request.name else f"{what} is "
