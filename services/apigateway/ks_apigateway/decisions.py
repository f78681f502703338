"""How many requests were let in, and how many were not."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric

from ks_apigateway.proxy.request import Request

_UNAUTHORIZED, _FORBIDDEN = 401, 403


class Decisions:
    """Counts what became of requests that needed a token."""

    def __init__(self) -> None:
        self._authentications = {"accepted": 0, "refused": 0}
        self._authorizations = {"allowed": 0, "denied": 0, "left": 0}

    def count(self, request: Request, status: int, *, here: bool) -> None:
        """A request has ended with `status`. `here`: whether the gateway answered it itself."""
        if request.user:
            self._authentications["accepted"] += 1
            if request.because:
                self._authorizations["allowed"] += 1
            elif not here:
                self._authorizations["left"] += 1
            elif status == _FORBIDDEN:
                self._authorizations["denied"] += 1
        elif here and status == _UNAUTHORIZED:
            self._authentications["refused"] += 1

    def metrics(self) -> Iterator[Metric]:
        """The counts."""
        yield _family(
            "gateway_authentications",
            "Requests that needed a token: accepted or refused.",
            self._authentications,
        )
        yield _family(
            "gateway_authorizations",
            "Requests of users: allowed or denied here, or left to the service behind.",
            self._authorizations,
        )


def _family(name: str, what: str, results: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, what, labels=("result",))
    for result, count in results.items():
        family.add_metric((result,), count)
    return family
