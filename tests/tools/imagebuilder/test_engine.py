"""Images that a Docker engine builds from the same Dockerfiles."""

import os
import subprocess
from pathlib import Path

import pytest

from imagebuilder import engine
from imagebuilder.service import services

ROOT = Path(__file__).parents[3]
STRICT = ("--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none")


@pytest.fixture(autouse=True, scope="module")
def _engine() -> None:
    if not engine.answers():
        pytest.skip("no Docker engine answers: start one, or name it in DOCKER_HOST")
    base = os.environ.get("PYTHON_IMAGE", "python:3.11-slim-bookworm")
    found = (("docker", "image", "inspect", base), ("docker", "pull", "--quiet", base))
    if all(subprocess.run(command, capture_output=True, check=False).returncode for command in found):
        pytest.skip(f"the engine has no image {base}, and no registry gives it")


@pytest.mark.timeout(900)
def test_building_again_gives_the_same_layers() -> None:
    """The image itself has the time of its build in it, unless BuildKit is given SOURCE_DATE_EPOCH."""
    service = services(ROOT)["ks-console"]
    first = engine.build(service, ROOT, {})
    again = engine.build(service, ROOT, {}, cached=False)
    assert again.layers == first.layers


@pytest.mark.timeout(900)
def test_an_image_runs_with_nothing_that_it_may_write_to() -> None:
    service = services(ROOT)["ks-console"]
    engine.build(service, ROOT, {})
    done = subprocess.run(
        ["docker", "run", *STRICT, service.image, "check-config"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "console:" in done.stdout
