"""Images built by the Docker engine that answers, from the Dockerfiles."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imagebuilder.command import output_of
from imagebuilder.service import Service

# Passed on where they are set: other base images, a mirror of PyPI, the time that BuildKit gives files.
_PASSED_ON = ("PYTHON_IMAGE", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "NPM_CONFIG_REGISTRY", "SOURCE_DATE_EPOCH")
NETWORK = "BUILD_NETWORK"
"""The variable that names the network of a build; by default the machine's: the engine's may lead nowhere."""


@dataclass(frozen=True, slots=True)
class Built:
    """An image that the engine has. `layers` are the digests of what is in it, `size` their bytes."""

    name: str
    digest: str
    layers: tuple[str, ...]
    size: int


def answers() -> bool:
    """Whether there is a Docker engine."""
    if not shutil.which("docker"):
        return False
    asked = subprocess.run(["docker", "info"], capture_output=True, timeout=30, check=False)
    return asked.returncode == 0


def build(service: Service, root: Path, arguments: Mapping[str, str], *, cached: bool = True) -> Built:
    """Builds the image of `service`, a folder of the repository `root`. Raises BuildFailed."""
    given = {**{name: os.environ[name] for name in _PASSED_ON if name in os.environ}, **arguments}
    options = [word for name, value in given.items() for word in ("--build-arg", f"{name}={value}")]
    options += ["--network", os.environ.get(NETWORK, "host"), *([] if cached else ["--no-cache"])]
    output_of(
        *("docker", "build", "--quiet", "--file", service.dockerfile, "--tag", service.image), *options, root
    )
    (found,) = json.loads(output_of("docker", "image", "inspect", service.image))
    return Built(service.image, found["Id"], tuple(found["RootFS"]["Layers"]), found["Size"])
