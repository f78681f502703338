"""What a connection to a cluster is configured by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """Where the cluster is, who we are there, and how much we may ask of it. Times are in seconds.

    kubeconfig: path of a kubeconfig; None means the pod's service account when in a cluster, else
    $KUBECONFIG,
        else ~/.kube/config.
    context: of the kubeconfig; None means its current-context.
    master: URL of the API server instead of the one in the kubeconfig.
    qps, burst: the client's own rate limit over all requests; qps 0 turns it off.
    timeout: of one request altogether, its retries and its wait for the rate limit included.
    connect_timeout: for a connection, its wait for a place in the pool included.
    pool: connections for requests at the same time. Watches hold connections of their own, up to `watches`;
        so does what must not wait, as renewing a lease.
    watch_idle: a watch that stays silent this long is opened anew; API servers send a bookmark about once
    a minute. max_body: bytes of one answer, and of one watch event.
    page_size: objects asked for at once when a cache lists.
    """

    kubeconfig: str | None = None
    context: str | None = None
    master: str | None = None
    qps: float = 50
    burst: int = 100
    timeout: float = 30
    connect_timeout: float = 10
    pool: int = 32
    watches: int = 256
    watch_idle: float = 120
    max_body: int = 64 * 1024 * 1024
    page_size: int = 250
    user_agent: str = "kubekit"
