"""What the tests of localkube share."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localkube import Localkube

Kubectl = Callable[..., str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of the node first: a machine has one, and other tests keep theirs until the end."""
    items.sort(key=lambda item: 0 if item.path.name == "test_node.py" else 1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Localkube]]:
    """Makes control planes below the test's folder and deletes them at the end."""
    made: list[Localkube] = []

    def make(name: str) -> Localkube:
        cluster = Localkube(name, tmp_path, control_plane_only=True)
        made.append(cluster)
        cluster.up()
        return cluster

    yield make
    for cluster in made:
        cluster.down(delete=True)


def kubectl(cluster: Localkube, *arguments: str, kubeconfig: Path | None = None) -> str:
    """What kubectl prints, as the administrator or as `kubeconfig` says."""
    command = [cluster.kubectl, "--kubeconfig", kubeconfig or cluster.kubeconfig, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert result.returncode == 0, f"kubectl {' '.join(arguments)}: {result.stderr}{result.stdout}"
    return result.stdout.strip()


@pytest.fixture(name="kubectl")
def kubectl_fixture() -> Kubectl:
    """Runs kubectl on a cluster."""
    return kubectl
