"""Prometheus metrics under the names that client-go and controller-runtime made common.

https://book.kubebuilder.io/reference/metrics-reference and k8s.io/component-base/metrics/prometheus.
"""

from prometheus_client import Counter, Gauge, Histogram

_LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

REQUESTS = Counter("rest_client_requests", "Requests to the API server.", ["code", "method"])
REQUEST_SECONDS = Histogram(
    "rest_client_request_duration_seconds", "Until the headers of the answer.", ["verb"], buckets=_LATENCIES
)

CACHE_OBJECTS = Gauge("kubekit_cache_objects", "Objects in a cache.", ["resource"])
CACHE_BYTES = Gauge("kubekit_cache_bytes", "Bytes of the objects in a cache.", ["resource"])
CACHE_EVENTS = Counter("kubekit_cache_events", "Changes that a cache took in.", ["resource", "type"])
CACHE_LISTS = Counter("kubekit_cache_lists", "Times a cache listed its resource.", ["resource"])
CACHE_FAILURES = Counter("kubekit_cache_failures", "Lists and watches that failed.", ["resource"])

QUEUE_DEPTH = Gauge("workqueue_depth", "Items that wait.", ["name"])
QUEUE_ADDS = Counter("workqueue_adds", "Items added.", ["name"])
QUEUE_RETRIES = Counter("workqueue_retries", "Items added by way of the rate limit.", ["name"])
QUEUE_SECONDS = Histogram(
    "workqueue_queue_duration_seconds", "How long an item waited.", ["name"], buckets=_LATENCIES
)
WORK_SECONDS = Histogram(
    "workqueue_work_duration_seconds", "How long an item was worked on.", ["name"], buckets=_LATENCIES
)
UNFINISHED_SECONDS = Gauge("workqueue_unfinished_work_seconds", "Work in progress, summed.", ["name"])
LONGEST_SECONDS = Gauge(
    "workqueue_longest_running_processor_seconds", "The longest work in progress.", ["name"]
)

RECONCILES = Counter("controller_runtime_reconcile", "Reconciliations by result.", ["controller", "result"])
RECONCILE_ERRORS = Counter(
    "controller_runtime_reconcile_errors", "Reconciliations that raised.", ["controller"]
)
RECONCILE_SECONDS = Histogram(
    "controller_runtime_reconcile_time_seconds",
    "Time of a reconciliation.",
    ["controller"],
    buckets=_LATENCIES,
)
MAX_WORKERS = Gauge("controller_runtime_max_concurrent_reconciles", "Workers.", ["controller"])
ACTIVE_WORKERS = Gauge("controller_runtime_active_workers", "Workers that reconcile now.", ["controller"])

LEADER = Gauge("leader_election_master_status", "1 while this process leads.", ["name"])


class QueueMetrics:
    """Those of one work queue, found once: looking a label up costs more than counting."""

    def __init__(self, name: str) -> None:
        self.depth = QUEUE_DEPTH.labels(name)
        self.adds = QUEUE_ADDS.labels(name)
        self.retries = QUEUE_RETRIES.labels(name)
        self.waited = QUEUE_SECONDS.labels(name)
        self.worked = WORK_SECONDS.labels(name)


class ControllerMetrics:
    """Those of one controller."""

    def __init__(self, name: str) -> None:
        self.errors = RECONCILE_ERRORS.labels(name)
        self.active = ACTIVE_WORKERS.labels(name)
        self.seconds = RECONCILE_SECONDS.labels(name)
        self.results = {
            result: RECONCILES.labels(name, result)
            for result in ("success", "error", "requeue", "requeue_after")
        }
