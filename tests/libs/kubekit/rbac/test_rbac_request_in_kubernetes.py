"""`RequestInfo` against the API server's own reading of the same URLs.

A user without rights asks; the refusal says which verb, resource, group, namespace and name the API server
had read.
"""

import asyncio
import secrets
from collections import Counter
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from yarl import URL

from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.rbac import AmbiguousPath, RequestInfo

pytestmark = pytest.mark.kubernetes

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
METHODS = ("GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PREFIXES = ("/api/v1", "/apis/apps/v1", "/apis/a.io/v1", "/api", "/apis", "/Api/v1", "/healthz", "")
SEGMENTS = [
    "namespaces",
    "namespaces",
    "pods",
    "nodes",
    "n",
    "a.b",
    "status",
    "finalize",
    "watch",
    "proxy",
    "exec",
    "v1",
    "d%C3%A9",
    "x%20y",
    "a%25b",
    "a+b",
    "a:b",
    "%77atch",
]
WATCH = ("", "0", "1", "true", "false", "False", "no", "x")
FIELD_SELECTORS = (
    *("metadata.name=p", "metadata.name==p", "metadata.name!=p", "metadata.name=", "metadata.name"),
    *("a=b,metadata.name=p", "metadata.name=q,metadata.name=p", "metadata.name==z,metadata.name=b"),
    *(
        r"metadata.name=a\,b",
        r"metadata.name=a\b",
        "metadata.name=a\\",
        "metadata.name=a/b",
        "metadata.name=..",
    ),
    *(
        "metadata.name=..",
        "metadata.name=a%b",
        ",",
        " metadata.name=p",
        "metadata.name=p=q",
        "!metadata.name=p",
    ),
)
LABEL_SELECTORS = (
    *(
        "a",
        "!a",
        " ! a ",
        "a=b",
        "a == b",
        "a!=",
        "x.io/a in (b, c)",
        "a notin (b)",
        "a in ()",
        "a in",
        "a in(b)",
    ),
    *(
        "a>5",
        "a < x",
        "a>-1",
        "a=b,c",
        "a=b,,c",
        ",",
        "a=-b",
        "-a",
        "a/b/c=d",
        "A.io/a=b",
        "a=b c",
        "in in (in)",
    ),
    *("a=b c", "in in (in)", "a=" + "b" * 63, "a=" + "b" * 64, "a.-b/c=d", " ", "a\t=\nb"),
)
LIMITS = ("5", "-5", "+5", "x", "", "5.0", "9" * 18, "9" * 19, "0" * 30, "5_0", "٣")
OTHER_OPTIONS = (
    "timeoutSeconds=5",
    "timeoutSeconds=x",
    "timeoutSeconds=",
    "resourceVersion=x",
    "sendInitialEvents=x",
)
RAW_OPTIONS = ("wat%63h=1", "watch", "watch=1;x=y", "watch=%zz", "field%53elector=metadata.name%3Dp", "&")


def option(key: str, values: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from(values).map(lambda value: urlencode({key: value}))


PATHS = st.builds(
    lambda prefix, segments, slash: "/".join([prefix, *segments]) + slash,
    st.sampled_from(PREFIXES),
    st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=6),
    st.sampled_from(["", "", "", "/"]),
)
OPTIONS = st.one_of(
    option("watch", WATCH),
    option("fieldSelector", FIELD_SELECTORS),
    option("labelSelector", LABEL_SELECTORS),
    option("limit", LIMITS),
    st.sampled_from(OTHER_OPTIONS + RAW_OPTIONS),
)
# Paths of collections often, for only there does the query count.
COLLECTIONS = st.sampled_from(
    ["/api/v1/pods", "/apis/apps/v1/namespaces/n/deployments", "/api/v1/namespaces"]
)
REQUESTS = st.lists(
    st.tuples(st.sampled_from(METHODS), PATHS | COLLECTIONS, st.lists(OPTIONS, max_size=3).map("&".join)),
    min_size=60,
    max_size=60,
)


class Stranger:
    """Someone without rights, who asks an API server and is told what was asked."""

    def __init__(self, cluster: Cluster, session: aiohttp.ClientSession) -> None:
        self.name = f"rbac-stranger-{secrets.token_hex(4)}"
        self._cluster, self._session = cluster, session
        self._at_once = asyncio.Semaphore(10)
        self.counts = Counter()

    async def compare(self, method: str, path: str, query: str) -> None:
        """Fails when the API server reads the request otherwise."""
        try:
            info = RequestInfo.of(method, path, query)
        except AmbiguousPath:
            info = None
        status, answer = await self._ask(method, f"{path}?{query}" if query else path)
        case = f"{method} {path}?{query} -> {status} {answer}"
        if info is None:
            assert status == 500, case
            self.counts["refused by both"] += 1
        elif status == 403:
            assert answer["message"].partition(": ")[2].startswith(f'User "{self.name}" cannot {info}'), case
            assert answer["details"].get("name", "") == info.name, case
            self.counts["read alike"] += 1
        else:
            assert not info.is_resource, case
            self.counts["open to all"] += 1

    async def _ask(self, method: str, target: str) -> tuple[int, dict]:
        url = URL(f"{self._cluster.server}{target}", encoded=True)
        headers = {**self._cluster.authorization(), "Impersonate-User": self.name}
        async with (
            self._at_once,
            self._session.request(method, url, headers=headers, allow_redirects=False) as response,
        ):
            return response.status, await response.json() if response.status == 403 else {}


@pytest_asyncio.fixture(scope="module")
async def stranger(kubernetes):
    cluster = Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig)))
    await cluster.open()
    connector = aiohttp.TCPConnector(ssl=cluster.ssl_context or True)
    async with aiohttp.ClientSession(connector=connector) as session:
        stranger = Stranger(cluster, session)
        yield stranger
        print(f"\nRequestInfo against the API server: {dict(stranger.counts)}")
    await cluster.close()


@given(REQUESTS)
@settings(max_examples=50, deadline=None, phases=[Phase.generate], suppress_health_check=SLOW)
async def test_the_api_server_reads_every_url_alike(stranger, requests):
    await asyncio.gather(*(stranger.compare(*request) for request in requests))
