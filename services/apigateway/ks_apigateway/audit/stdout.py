"""Audit events as lines of standard output, beside the access log."""

import asyncio

from ks_apigateway.output import write_lines


class StdoutSink:
    """JSON lines whose `kind` is Event; lines of the access log have none."""

    name = "stdout"
    batch = 10_000

    async def write(self, events: list[bytes]) -> None:
        await asyncio.to_thread(write_lines, b"".join(events))

    async def close(self) -> None:
        """Standard output stays open."""
