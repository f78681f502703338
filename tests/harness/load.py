"""Load on one HTTP server over kept connections, by wrk, and what it cost the server."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from tempfile import NamedTemporaryFile

import psutil

_NUMBERED = """
local number = math.floor((os.time() % 1000) * 1000000)
local sign = string.find(wrk.path, "?", 1, true) and "&" or "?"
function request()
  number = number + 1
  return wrk.format(nil, wrk.path .. sign .. "number=" .. number)
end
"""
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under load. Times are in milliseconds; `cpu` is the server's, for each request."""

    rate: float
    p50: float
    p99: float
    cpu: float


async def load(
    url: str,
    pid: int,
    *,
    connections: int,
    seconds: float = 4,
    headers: Mapping[str, str] | None = None,
    pause: int = 0,
    differing: bool = False,
) -> Load:
    """Asks for `url` over so many connections, each again as soon as it is answered, or `pause` milliseconds
    after that. No two requests are the same where they are `differing`: each has a number in its query.

    `pid` is the server's, whose children count too. Raises AssertionError for any answer that is no success.
    """
    given = [argument for name, value in (headers or {}).items() for argument in ("-H", f"{name}: {value}")]
    with NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"function delay() return {pause} end\n" if pause else "")
        script.write(_NUMBERED if differing else "")
        script.flush()
        paced = ["-s", script.name] if pause or differing else []
        arguments = ["-t1", f"-c{connections}", "--latency", "--timeout", "30s", *paced, *given, url]
        await _wrk("-d1s", *arguments)
        before = cpu_seconds(pid)
        out = await _wrk(f"-d{seconds:g}s", *arguments)
        used = cpu_seconds(pid) - before
    assert "Non-2xx" not in out, out
    assert "Socket errors" not in out, out
    return Load(
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", out)),
        p50=_milliseconds(_found(r"\n +50% +(\S+)", out)),
        p99=_milliseconds(_found(r"\n +99% +(\S+)", out)),
        cpu=used / int(_found(r"(\d+) requests in", out)) * 1000,
    )


def cpu_seconds(pid: int) -> float:
    """What a process and its children have had of the CPU so far."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


async def _wrk(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec("wrk", *arguments, stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0].decode()


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


def _milliseconds(text: str) -> float:
    return float(_found(r"([\d.]+)", text)) * _UNITS[text.lstrip("0123456789.")]
