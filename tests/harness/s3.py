"""An object store for tests: moto's S3 server, a process of its own that speaks the real protocol.

It is a fake: it believes every signature and keeps everything in memory.
"""

import asyncio
import io
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from minio import Minio
from minio.error import S3Error

from devstack.ports import LOOPBACK, free_port
from devstack.program import check_http
from harness.processes import Process

_SCRIPT = Path(__file__).parent / "scripts" / "s3_server.py"
_READY_SECONDS = 120
"""The first start on a machine installs what the script needs."""


class ObjectStore:
    """Serves at `url`; whatever it held is gone when it starts again."""

    bucket = "s2i-binaries"

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        command = [_uv(), "run", "--quiet", "--frozen", "--script", str(_SCRIPT), str(self.port)]
        self._process = Process(command, directory / "s3.log", directory)
        self._client = Minio(f"{LOOPBACK}:{self.port}", "key", "secret", secure=False, region="us-east-1")

    async def start(self) -> None:
        """Starts it with an empty bucket. Raises StartFailed."""
        self._process.launch()
        await self._process.ready(lambda: _answers(self.url), _READY_SECONDS)
        await asyncio.to_thread(self._client.make_bucket, self.bucket)

    async def stop(self) -> None:
        """Its port refuses connections afterwards."""
        await self._process.stop(hard=True)

    async def put(self, key: str, content: bytes = b"content") -> None:
        stream = io.BytesIO(content)
        await asyncio.to_thread(self._client.put_object, self.bucket, key, stream, len(content))

    async def has(self, key: str) -> bool:
        try:
            await asyncio.to_thread(self._client.stat_object, self.bucket, key)
        except S3Error:
            return False
        return True


@asynccontextmanager
async def running_object_store(directory: Path) -> AsyncIterator[ObjectStore]:
    """A store, stopped at the end however the block ends. Raises StartFailed."""
    store = ObjectStore(directory)
    try:
        await store.start()
        yield store
    finally:
        await store.stop()


def _answers(url: str) -> None:
    check_http(f"{url}/moto-api/")


def _uv() -> str:
    """uv as tools/bootstrap finds or installs it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubesphere"
    found = [shutil.which("uv"), *map(str, sorted(cache.glob("uv-*/bin/uv"), reverse=True))]
    path = next(filter(None, found), None)
    if path is None:
        raise FileNotFoundError("there is no uv: run tools/bootstrap")
    return path
