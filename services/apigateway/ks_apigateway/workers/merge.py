"""The metrics of several processes as those of one. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

_OTHERWISE: dict[str, Callable[[float, float], float]] = {
    "gateway_sessions_tracked": min,
    "process_start_time_seconds": min,
    "process_max_fds": min,
    "python_info": max,
}
"""What is not added up."""


def merged(texts: Sequence[str], *, workers: int, restarts: int) -> bytes:
    """The expositions `texts`, with the same sample of each added up, as one."""
    registry = CollectorRegistry()
    registry.register(_Merged(texts, workers, restarts))
    return generate_latest(registry)


class _Merged(Collector):
    def __init__(self, texts: Iterable[str], workers: int, restarts: int) -> None:
        self._texts = texts
        self._workers = workers
        self._restarts = restarts

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        for text in self._texts:
            for family in text_string_to_metric_families(text):
                families.setdefault(family.name, family)
                _add(values.setdefault(family.name, {}), family)
        for name, family in families.items():
            whole = Metric(name, family.documentation, family.type)
            for (sample, labels), value in values[name].items():
                whole.add_sample(sample, dict(labels), value)
            yield whole
        yield GaugeMetricFamily("gateway_workers", "Processes that answer.", self._workers)
        yield CounterMetricFamily(
            "gateway_worker_restarts", "Processes that ended by themselves.", self._restarts
        )


def _add(values: dict[tuple[str, tuple[tuple[str, str], ...]], float], family: Metric) -> None:
    for sample in family.samples:
        if sample.name.endswith("_created"):
            continue
        key = (sample.name, tuple(sample.labels.items()))
        if key not in values:
            values[key] = sample.value
        else:
            combine = _OTHERWISE.get(sample.name)
            values[key] = combine(values[key], sample.value) if combine else values[key] + sample.value
