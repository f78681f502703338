"""What is asked: a request, told as a method and path or as the attributes of a SubjectAccessReview."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ks_apigateway.authz.access import read
from kubekit.rbac import RequestInfo

_TEXT = 512


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=_TEXT)


class ResourceAttributes(_Strict):
    """As in authorization.k8s.io/v1. A group of KubeSphere's (`...kubesphere.io`) is read as below /kapis."""

    verb: str = Field(min_length=1)
    group: str = ""
    version: str = ""
    resource: str = Field(min_length=1)
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class NonResourceAttributes(_Strict):
    """As in authorization.k8s.io/v1."""

    verb: str = Field(min_length=1)
    path: str = Field(min_length=1, pattern="^/")


class Question(BaseModel):
    """May `user` (by default who asks) do this? One of the three ways to say what it is must be given."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    user: str | None = Field(default=None, min_length=1, max_length=256)
    groups: list[str] = Field(default_factory=list[str], max_length=64)
    method: str = Field(default="GET", pattern="^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$")
    path: str | None = Field(default=None, pattern="^/", max_length=2048)
    resource: ResourceAttributes | None = Field(default=None, alias="resourceAttributes")
    non_resource: NonResourceAttributes | None = Field(default=None, alias="nonResourceAttributes")

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        given = [self.path is not None, self.resource is not None, self.non_resource is not None]
        if sum(given) != 1:
            raise ValueError("give one of path (with method), resourceAttributes and nonResourceAttributes")
        return self

    def request(self) -> RequestInfo:
        """The request that it is about. Raises BadRequest for a path that is ambiguous."""
        if self.resource is not None:
            return _of_resource(self.resource)
        if self.non_resource is not None:
            return RequestInfo(False, self.non_resource.verb.lower(), self.non_resource.path)
        return read(self.method, (self.path or "").partition("?")[0])


def _of_resource(asked: ResourceAttributes) -> RequestInfo:
    kapis = asked.group.endswith((".kubesphere.io", "openpitrix.io"))
    return RequestInfo(
        is_resource=True,
        verb=asked.verb,
        path="",
        api_prefix="kapis" if kapis else "apis" if asked.group else "api",
        api_group=asked.group,
        api_version=asked.version,
        namespace=asked.namespace,
        resource=asked.resource,
        subresource=asked.subresource,
        name=asked.name,
    )
