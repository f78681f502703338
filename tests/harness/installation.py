"""The platform's definitions on a cluster of a test, put there by the installer."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path


async def install(kubeconfig: Path) -> None:
    """Installs the `dev` profile on the cluster of a kubeconfig."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "ks_installer", "apply", "--profile", "dev", "--kubeconfig", str(kubeconfig)),
        stdout=DEVNULL,
        stderr=PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
