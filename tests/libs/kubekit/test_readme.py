"""The example in the README runs as it stands."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest

import kubekit
from harness.kubernetes import KubernetesServer
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CONFIG_MAPS, LEASES, NAMESPACES

README = Path(kubekit.__file__).parent.parent / "README.md"

pytestmark = pytest.mark.kubernetes


async def test_the_example_does_what_it_says(
    kubernetes: KubernetesServer, cluster: Cluster, namespace: str
) -> None:
    example = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert example is not None
    await cluster.patch(NAMESPACES, namespace, {"metadata": {"labels": {"example.org/team": "red"}}})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", example[1]), env={**os.environ, "KUBECONFIG": str(kubernetes.kubeconfig)}
    )

    async def made() -> None:
        assert process.returncode is None
        try:
            config = await cluster.get(CONFIG_MAPS, "team", namespace)
        except NotFound as error:
            raise AssertionError from error
        assert config["data"] == {"team": "red"}

    try:
        await eventually(made, timeout=60)
    finally:
        process.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(process.wait(), 15)
    assert code == 0
    assert (await cluster.get(LEASES, "example-team", "default"))["spec"]["holderIdentity"] == ""
    await cluster.delete(LEASES, "example-team", "default")
