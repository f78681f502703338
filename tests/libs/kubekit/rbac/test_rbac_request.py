"""What a URL asks for, in tables: paths of Kubernetes, paths under /kapis, and paths that must be refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubekit.rbac import AmbiguousPath, RequestInfo
from kubekit.rbac.listoptions import MalformedSelector, required_value


def resource(verb: str, resource: str, **fields: str) -> RequestInfo:
    """A resource request of the core group, where `fields` do not say otherwise."""
    defaults = {"api_prefix": "api", "api_version": "v1"}
    return RequestInfo(is_resource=True, verb=verb, path="", resource=resource, **(defaults | fields))


KUBERNETES = [
    ("GET", "/api/v1/nodes", "", resource("list", "nodes")),
    ("HEAD", "/api/v1/nodes", "", resource("list", "nodes")),
    ("GET", "/api/v1/nodes/n", "", resource("get", "nodes", name="n")),
    ("GET", "/api/v1/nodes/", "", resource("list", "nodes")),
    ("POST", "/api/v1/nodes", "", resource("create", "nodes")),
    ("DELETE", "/api/v1/nodes", "", resource("deletecollection", "nodes")),
    ("DELETE", "/api/v1/nodes/n", "", resource("delete", "nodes", name="n")),
    ("PATCH", "/api/v1/nodes/n/status", "", resource("patch", "nodes", name="n", subresource="status")),
    ("OPTIONS", "/api/v1/nodes", "", resource("", "nodes")),
    ("get", "/api/v1/nodes", "", resource("", "nodes")),
    ("GET", "/api/v1/namespaces", "", resource("list", "namespaces")),
    ("GET", "/api/v1/namespaces/a", "", resource("get", "namespaces", namespace="a", name="a")),
    (
        "PUT",
        "/api/v1/namespaces/a/finalize",
        "",
        resource("update", "namespaces", namespace="a", name="a", subresource="finalize"),
    ),
    ("GET", "/api/v1/namespaces/a/pods", "", resource("list", "pods", namespace="a")),
    (
        "POST",
        "/api/v1/namespaces/a/pods/p/exec",
        "command=sh",
        resource("create", "pods", namespace="a", name="p", subresource="exec"),
    ),
    (
        "GET",
        "/api/v1/namespaces/a/pods/p/proxy/index.html",
        "",
        resource("get", "pods", namespace="a", name="p", subresource="proxy"),
    ),
    ("GET", "/api/v1/watch/namespaces/a/pods", "", resource("watch", "pods", namespace="a")),
    ("GET", "/api/v1/watch/nodes/n", "", resource("watch", "nodes", name="n")),
    ("GET", "/api/v1/proxy/nodes/n/logs", "", resource("proxy", "nodes", name="n")),
    ("GET", "/api/v1/pods", "watch", resource("watch", "pods")),
    ("GET", "/api/v1/pods", "limit=5&watch=1", resource("watch", "pods")),
    ("GET", "/api/v1/pods", "w%61tch=true", resource("watch", "pods")),
    ("GET", "/api/v1/pods", "watch=FALSE&watch=true", resource("list", "pods")),
    ("GET", "/api/v1/pods", "watch=0", resource("list", "pods")),
    ("GET", "/api/v1/pods", {"watch": "true"}, resource("watch", "pods")),
    ("GET", "/api/v1/nodes/n", "watch=true", resource("get", "nodes", name="n")),
    ("GET", "/api/v1/pods", "fieldSelector=metadata.name%3Dp", resource("list", "pods", name="p")),
    (
        "GET",
        "/api/v1/pods",
        "watch=1&fieldSelector=spec.nodeName=n,metadata.name==p",
        resource("watch", "pods", name="p"),
    ),
    ("GET", "/api/v1/pods", "fieldSelector=metadata.name!=p", resource("list", "pods")),
    ("GET", "/api/v1/pods", "fieldSelector=metadata.name=p&limit=x", resource("list", "pods")),
    ("DELETE", "/api/v1/pods", "fieldSelector=metadata.name=p", resource("deletecollection", "pods")),
    (
        "GET",
        "/apis/apps/v1/namespaces/a/deployments",
        "",
        resource("list", "deployments", api_prefix="apis", api_group="apps", namespace="a"),
    ),
]

KAPIS = [
    ("GET", "/workspaces", "list", "workspaces", "", "", "", ""),
    ("GET", "/workspaces/w", "get", "workspaces", "", "w", "", "w"),
    ("GET", "/workspaces/w/namespaces", "get", "workspaces", "namespaces", "w", "", "w"),
    ("POST", "/workspaces/w/namespaces", "create", "workspaces", "namespaces", "w", "", "w"),
    ("DELETE", "/workspaces/w/namespaces/n", "delete", "workspaces", "namespaces", "w", "", "w"),
    ("GET", "/workspaces/w/members/m/devops", "get", "workspaces", "members", "w", "", "w"),
    ("GET", "/namespaces/n/rules", "list", "rules", "", "", "n", ""),
    ("GET", "/namespaces/n/pods/p", "get", "pods", "", "p", "n", ""),
    ("GET", "/namespaces/n/workspaces", "list", "workspaces", "", "", "n", ""),
    ("GET", "/users/u/roles", "get", "users", "roles", "u", "", ""),
]

NOT_RESOURCES = [
    "/",
    "/healthz",
    "/version/",
    "/api",
    "/api/v1",
    "/apis",
    "/apis/apps",
    "/apis/apps/v1",
    "/kapis",
]
NOT_RESOURCES += ["/kapis/v1alpha1/configz", "/Api/v1/pods", "/apiS/apps/v1/deployments", "/openapi/v2/x/y"]

AMBIGUOUS = [
    "",
    "api/v1/pods",
    "//api/v1/pods",
    "/api//v1/pods",
    "/api/v1/pods//",
    "/api/v1/./pods",
    "/api/../x",
]
AMBIGUOUS += ["/api/v1/pods/..", "/api/v1/pods/%2e%2e/x", "/api/v1/pods/a%2fb", "/api/v1/pods/a%2Fb", "/a\\b"]
AMBIGUOUS += [
    "/a%5cb",
    "/a%",
    "/a%2",
    "/a%zz",
    "/a%ff",
    "/a%c0%af",
    "/a%00b",
    "/a\nb",
    "/a b",
    "/é",
    "/a%0d%0ab",
]
AMBIGUOUS += ["/api/v1/watch", "/api/v1/proxy", "/apis/apps/v1/watch", "/a%7f"]


@pytest.mark.parametrize(("method", "path", "query", "expected"), KUBERNETES)
def test_a_path_of_kubernetes_is_read_as_the_api_server_reads_it(method, path, query, expected):
    assert RequestInfo.of(method, path, query) == expected._replace(path=path)


@pytest.mark.parametrize(
    ("method", "path", "verb", "resource", "subresource", "name", "namespace", "workspace"), KAPIS
)
def test_a_kapis_path_is_read_like_one_of_apis(
    method, path, verb, resource, subresource, name, namespace, workspace
):
    path = f"/kapis/tenant.kubesphere.io/v1alpha2{path}"
    info = RequestInfo.of(method, path)
    assert info == RequestInfo(
        is_resource=True,
        verb=verb,
        path=path,
        api_prefix="kapis",
        api_group="tenant.kubesphere.io",
        api_version="v1alpha2",
        namespace=namespace,
        resource=resource,
        subresource=subresource,
        name=name,
    )
    assert info.workspace == workspace


@pytest.mark.parametrize("query", ["watch=true", "fieldSelector=metadata.name=w", {"watch": "1"}])
def test_the_query_of_a_kapis_path_cannot_narrow_what_is_checked(query):
    """RBAC-1"""
    info = RequestInfo.of("GET", "/kapis/tenant.kubesphere.io/v1alpha2/workspaces", query)
    assert (info.verb, info.name) == ("list", "")


@pytest.mark.parametrize("word", ["watch", "proxy"])
def test_a_kapis_path_that_ends_with_a_verb_names_a_resource(word):
    """There, watch is a collection of its own: pages that stay current."""
    info = RequestInfo.of("GET", f"/kapis/resources.kubesphere.io/v1alpha2/{word}")
    assert (info.verb, info.resource) == ("list", word)
    with pytest.raises(AmbiguousPath):
        RequestInfo.of("GET", f"/api/v1/{word}")


@pytest.mark.parametrize("path", NOT_RESOURCES)
def test_other_paths_are_asked_for_by_lower_case_method(path):
    assert RequestInfo.of("GET", path) == RequestInfo(is_resource=False, verb="get", path=path)


@pytest.mark.parametrize("path", AMBIGUOUS)
def test_a_path_with_two_readings_is_refused(path):
    """RBAC-2"""
    with pytest.raises(AmbiguousPath):
        RequestInfo.of("GET", path)


def test_escapes_are_decoded_once():
    info = RequestInfo.of("GET", "/kapis/devops.kubesphere.io/v1alpha2/devops/d%C3%A9/branches/feat%252Fa")
    assert (info.name, info.subresource) == ("dé", "branches")
    assert info.path.endswith("feat%2Fa")


def test_a_refused_request_is_described_as_kubernetes_describes_it():
    described = str(RequestInfo.of("GET", "/apis/apps/v1/namespaces/a/deployments/d/scale"))
    assert described == 'get resource "deployments/scale" in API group "apps" in the namespace "a"'
    assert str(RequestInfo.of("GET", "/healthz")) == 'get path "/healthz"'


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("metadata.name=a", "a"),
        ("metadata.name==a,x!=y", "a"),
        ("x=y,,metadata.name=a", "a"),
        (r"metadata.name=a\,b", "a,b"),
        (r"metadata.name=a\=\\", "a=\\"),
        ("metadata.name=b,metadata.name=a", "a"),
        ("metadata.name!=a", ""),
        ("metadata.namespace=a", ""),
        ("", ""),
    ],
)
def test_a_field_selector_names_an_object(selector, name):
    assert required_value(selector, "metadata.name") == name


@pytest.mark.parametrize("selector", ["metadata.name", r"metadata.name=a\b", "a=b=c", "metadata.name=a\\"])
def test_a_malformed_field_selector_is_refused(selector):
    with pytest.raises(MalformedSelector):
        required_value(selector, "metadata.name")


@given(
    path=st.lists(
        st.sampled_from(["api", "apis", "kapis", "v1", "namespaces", "a", "%2e", "..", "%2F", "watch", ""])
    )
    .map("/".join)
    .map("/".__add__)
    | st.text(),
    query=st.text(alphabet="watchfieldSelector=&%;,\\. 1é", max_size=60),
)
@example(path="/api/v1/pods", query="labelSelector=" + " " * 5000 + "#&fieldSelector=metadata.name=a")
def test_any_text_is_either_read_or_refused(path, query):
    try:
        info = RequestInfo.of("GET", path, query)
    except AmbiguousPath:
        return
    assert ".." not in info.path.split("/")
    assert "/" not in info.namespace + info.resource + info.subresource
    assert bool(info.resource) == info.is_resource
