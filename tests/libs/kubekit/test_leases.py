"""One leads at a time: also when the leader is killed, frozen, cut off, or leaves."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from harness.kubernetes import KubernetesServer
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import Unreachable
from kubekit.leases import LeaderElector, StillLeading
from kubekit.resource import LEASES

pytestmark = pytest.mark.kubernetes

DURATION, RENEW, RETRY = 3, 2, 0.3

# Prints "leads" and "led no longer" with the time on the machine's clock, which all processes share.
CANDIDATE = """
import asyncio, signal, sys, time
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.leases import LeaderElector

kubeconfig, namespace, identity, duration, renew, retry = sys.argv[1:]

async def lead(stop):
    print("leads", time.monotonic(), flush=True)
    try:
        await stop.wait()
    finally:
        print("led", time.monotonic(), flush=True)

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Cluster(ClusterConfig(kubeconfig=kubeconfig)) as cluster:
        times = map(float, (duration, renew, retry))
        elector = LeaderElector(cluster, "tests", namespace, identity, *times)
        await elector.run(lead, stop)

asyncio.run(main())
"""


@dataclass
class Candidate:
    """A process that campaigns; `said` are its lines, as word and time."""

    process: asyncio.subprocess.Process
    said: list[tuple[str, float]]
    reading: asyncio.Task[None]

    def leads(self) -> float:
        """Since when it leads, by its last line."""
        assert self.said, "says nothing"
        assert self.said[-1][0] == "leads", self.said
        return self.said[-1][1]

    def send(self, number: int) -> None:
        os.kill(self.process.pid, number)

    async def ended(self) -> None:
        await asyncio.wait_for(self.process.wait(), 10)
        await self.reading


class Campaign:
    def __init__(self, kubeconfig: str, namespace: str) -> None:
        self.kubeconfig, self.namespace = kubeconfig, namespace
        self.candidates: list[Candidate] = []

    async def join(self, identity: str, duration: float = DURATION) -> Candidate:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CANDIDATE, self.kubeconfig, self.namespace, identity),
            *map(str, (duration, RENEW, RETRY)),
            stdout=asyncio.subprocess.PIPE,
        )
        said: list[tuple[str, float]] = []

        async def read() -> None:
            assert process.stdout is not None
            async for line in process.stdout:
                word, at = line.split()
                said.append((word.decode(), float(at)))

        candidate = Candidate(process, said, asyncio.create_task(read()))
        self.candidates.append(candidate)
        return candidate

    async def leave(self) -> None:
        for candidate in self.candidates:
            if candidate.process.returncode is None:
                candidate.send(signal.SIGKILL)
            await candidate.ended()


@pytest.fixture
async def campaign(kubernetes: KubernetesServer, namespace: str) -> AsyncIterator[Campaign]:
    running = Campaign(str(kubernetes.kubeconfig), namespace)
    yield running
    await running.leave()


async def test_a_killed_leader_is_followed_after_the_duration_and_not_before(campaign: Campaign) -> None:
    first = await campaign.join("first")
    await eventually(first.leads, timeout=20)
    second = await campaign.join("second")
    await asyncio.sleep(DURATION + 1)
    assert not second.said
    killed = time.monotonic()
    first.send(signal.SIGKILL)
    taken = await eventually(second.leads, timeout=30)
    # As it led when it was killed, it had renewed less than RENEW ago.
    assert [word for word, _ in first.said] == ["leads"]
    assert taken - killed > DURATION - RENEW


async def test_a_leader_that_leaves_is_followed_at_once(campaign: Campaign, cluster: Cluster) -> None:
    """At once, as the lease would last for minutes."""
    first = await campaign.join("first", duration=300)
    await eventually(first.leads, timeout=20)
    second = await campaign.join("second", duration=300)
    await asyncio.sleep(1)
    first.send(signal.SIGTERM)
    await first.ended()
    taken = await eventually(second.leads, timeout=30)
    assert [word for word, _ in first.said] == ["leads", "led"]
    assert first.said[-1][1] <= taken
    lease = await cluster.get(LEASES, "tests", campaign.namespace)
    assert lease["spec"]["holderIdentity"] == "second"
    assert lease["spec"]["leaseTransitions"] == 1


async def test_a_frozen_leader_finds_itself_replaced(campaign: Campaign) -> None:
    first = await campaign.join("first")
    await eventually(first.leads, timeout=20)
    second = await campaign.join("second")
    await asyncio.sleep(1)
    first.send(signal.SIGSTOP)
    await eventually(second.leads, timeout=30)
    first.send(signal.SIGCONT)

    def gave_way() -> None:
        assert first.said[-1][0] == "led"

    await eventually(gave_way)
    await asyncio.sleep(1)
    second.leads()
    gave_way()


def elector(cluster: Cluster, namespace: str, identity: str) -> LeaderElector:
    return LeaderElector(cluster, "tests", namespace, identity, DURATION, RETRY * 4, RETRY)


async def test_a_leader_cut_off_stops_before_the_lease_may_be_taken(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = elector(cluster, namespace, "cut-off")
    stop, leading, cut = asyncio.Event(), asyncio.Event(), False
    stopped_as_leader: list[bool] = []

    async def lead(_: asyncio.Event) -> None:
        leading.set()
        try:
            await asyncio.sleep(3600)
        finally:
            stopped_as_leader.append(candidate.is_leader)

    async def request(method: str, path: str, **options: object) -> bytes:
        if cut:
            raise Unreachable("cut off by the test")
        return await Cluster.request(cluster, method, path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(cluster, "request", request)
    running = asyncio.create_task(candidate.run(lead, stop))
    await asyncio.wait_for(leading.wait(), 10)
    assert candidate.is_leader
    held = await cluster.get(LEASES, "tests", namespace)
    cut = True

    def stopped() -> None:
        assert stopped_as_leader

    await eventually(stopped)
    assert not candidate.is_leader
    cut = False
    leading.clear()
    assert held["spec"]["leaseDurationSeconds"] == DURATION
    await asyncio.wait_for(leading.wait(), 10)
    stop.set()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    released = await cluster.get(LEASES, "tests", namespace)
    assert released["spec"]["holderIdentity"] == ""


async def test_the_leader_steps_down_when_somebody_else_is_made_the_holder(
    cluster: Cluster, namespace: str
) -> None:
    candidate = elector(cluster, namespace, "first")
    stop, led = asyncio.Event(), asyncio.Event()

    async def lead(_: asyncio.Event) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            led.set()

    running = asyncio.create_task(candidate.run(lead, stop))

    def leads() -> None:
        assert candidate.is_leader

    await eventually(leads)
    await cluster.patch(LEASES, "tests", {"spec": {"holderIdentity": "usurper"}}, namespace)
    await asyncio.wait_for(led.wait(), 10)
    assert candidate.holder == "usurper"
    stop.set()
    await asyncio.wait_for(running, 10)


async def test_finishing_or_failing_ends_the_campaign_and_frees_the_lease(
    cluster: Cluster, namespace: str
) -> None:
    async def fails(_: asyncio.Event) -> None:
        raise RuntimeError("a mistake while leading")

    async def finishes(_: asyncio.Event) -> None:
        return

    with pytest.raises(RuntimeError, match="a mistake"):
        await elector(cluster, namespace, "first").run(fails, asyncio.Event())
    await asyncio.wait_for(elector(cluster, namespace, "second").run(finishes, asyncio.Event()), 5)
    lease = await cluster.get(LEASES, "tests", namespace)
    assert lease["spec"]["holderIdentity"] == ""


async def test_what_does_not_stop_leading_is_reported(cluster: Cluster, namespace: str) -> None:
    candidate = elector(cluster, namespace, "stubborn")
    release = asyncio.Event()

    async def stubborn(_: asyncio.Event) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    running = asyncio.create_task(candidate.run(stubborn, asyncio.Event()))

    def leads() -> None:
        assert candidate.is_leader

    await eventually(leads)
    await cluster.patch(LEASES, "tests", {"spec": {"holderIdentity": "usurper"}}, namespace)
    with pytest.raises(StillLeading):
        await asyncio.wait_for(running, 20)
    release.set()


@pytest.mark.parametrize(("duration", "renew", "retry"), [(10, 10, 2), (15, 2, 2), (15, 10, 0)])
def test_times_that_would_let_two_lead_are_refused(
    cluster: Cluster, duration: float, renew: float, retry: float
) -> None:
    with pytest.raises(ValueError, match="retry < renew < duration"):
        LeaderElector(cluster, "tests", "default", "me", duration, renew, retry)
