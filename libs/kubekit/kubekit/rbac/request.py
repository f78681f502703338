"""What a URL asks of Kubernetes: the verb, resource and scope that authorization decides on.

The rules are those of `RequestInfoFactory` in k8s.io/apiserver (pkg/endpoints/request), so that this side
and the API server never read one URL differently. Paths under `/kapis` are read like those under `/apis`,
with one exception: their query string never changes the verb or the name, because no handler there honours
`watch` or a field selector for it. A right to list one named object must not become a right to list all of
them.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from kubekit.rbac.listoptions import ListOptions

_API_PREFIXES = frozenset(("api", "apis", "kapis"))
_SPECIAL_VERBS = frozenset(("proxy", "watch"))
_NAMESPACE_SUBRESOURCES = frozenset(("status", "finalize"))
_VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}


class AmbiguousPath(ValueError):
    """A path that two readers could take for different requests; answer 400, never guess."""


class RequestInfo(NamedTuple):
    """One request as authorization sees it. Fields that do not apply are empty strings."""

    is_resource: bool
    verb: str
    """A verb of Kubernetes (`get`, `list`...), or the lower-case method for a non-resource path."""
    path: str
    """The decoded path."""
    api_prefix: str = ""
    api_group: str = ""
    api_version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""

    @property
    def workspace(self) -> str:
        """The workspace of a path like `/kapis/{group}/{version}/workspaces/{workspace}/...`."""
        return self.name if self.resource == "workspaces" and self.api_prefix == "kapis" else ""

    def __str__(self) -> str:
        if not self.is_resource:
            return f'{self.verb} path "{self.path}"'
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        return f'{self.verb} resource "{what}" in API group "{self.api_group}" {where}'

    @classmethod
    def of(cls, method: str, path: str, query: str | Mapping[str, str] = "") -> "RequestInfo":
        """The request that `method` on `path` is.

        `path` is the path of the request line as the client sent it (percent-encoded, without query);
        `query` is the query string, or its first value for each key. Raises `AmbiguousPath` when the path
        has an empty, `.` or `..` segment, an encoded slash, a backslash, a control character or an escape
        that is not UTF-8.
        """
        path = _decoded(path)
        parts = path.strip("/").split("/")
        prefix = parts[0]
        skip = 1 if prefix == "api" else 2
        if prefix not in _API_PREFIXES or len(parts) < skip + 2:
            return cls(False, method.lower(), path)
        group = "" if skip == 1 else parts[1]
        version = parts[skip]
        del parts[: skip + 1]

        if parts[0] in _SPECIAL_VERBS and (prefix != "kapis" or len(parts) > 1):
            verb = parts.pop(0)
            if not parts:
                raise AmbiguousPath(f'the path "{path}" ends after "{verb}" and names no resource')
        else:
            verb = _VERBS.get(method, "")

        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 1:
            namespace = parts[1]
            if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
                del parts[:2]

        name = parts[1] if len(parts) > 1 else ""
        subresource = parts[2] if len(parts) > 2 and verb != "proxy" else ""
        if not name:
            if verb == "get":
                verb, name = _collection(query) if query and prefix != "kapis" else ("list", "")
            elif verb == "delete":
                verb = "deletecollection"
        return cls(True, verb, path, prefix, group, version, namespace, parts[0], subresource, name)


def _collection(query: str | Mapping[str, str]) -> tuple[str, str]:
    options = ListOptions.of(query)
    return "watch" if options.watch else "list", options.name


def _decoded(path: str) -> str:
    """`path`, its escapes decoded once; raises `AmbiguousPath` unless every reader sees the same segments."""
    if not path.isascii() or not path.isprintable() or " " in path:
        raise AmbiguousPath("the path has a character that must be percent-encoded")
    if "%" in path:
        path = _unescaped(path)
    if path[:1] != "/":
        raise AmbiguousPath('the path does not begin with "/"')
    if "\\" in path:
        raise AmbiguousPath("the path has a backslash")
    if "//" in path:
        raise AmbiguousPath("the path has an empty segment")
    if "/." in path and not {".", ".."}.isdisjoint(path.split("/")):
        raise AmbiguousPath('the path has a "." or ".." segment')
    return path


def _unescaped(path: str) -> str:
    for escape in path.split("%")[1:]:
        if len(escape) < 2 or not _is_hex(escape[:2]):
            raise AmbiguousPath("the path has an escape that is not two hexadecimal digits")
        if escape[:2].upper() == "2F":
            raise AmbiguousPath("the path has an encoded slash")
    try:
        decoded = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise AmbiguousPath("the path has an escape that is not UTF-8") from None
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in decoded):
        raise AmbiguousPath("the path has a control character")
    return decoded


def _is_hex(digits: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in digits)
