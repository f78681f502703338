"""What a login costs in gateway, account and Redis together, with few and with a million keys in Redis.

wrk signs 64 users in over 32 kept connections, through ks-apigateway and ks-account to OpenLDAP. The
measure is a login of the directory itself, by another client of the same library: a search and a bind, as
each login needs them. slapd's own CPU, most of which verifies passwords, is in none of the sums.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ldap3
import psutil

from devstack.ports import free_port
from harness.account import IAM, PASSWORD, SECRET, config_of, ready
from harness.gateway import gateway_config
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer, running_openldap, running_redis
from harness.services import running_service

USERS = 64
CONNECTIONS = 32
SECONDS = int(os.environ.get("KS_BENCH_SECONDS", "3"))
ROUNDS = 5
KEYS = int(os.environ.get("KS_BENCH_KEYS", "1000000"))
SCRIPT = """
local n = 0
function request()
  n = n + 1
  local body = string.format('{{"username":"bench-%d","password":"{password}"}}', n % {users})
  return wrk.format('POST', '{path}', {{['Content-Type'] = 'application/json'}}, body)
end
"""


@dataclass
class Result:
    """One line of the table; CPU in milliseconds a login."""

    name: str
    rate: float
    p50: float
    cpu: dict[str, float]

    @property
    def total(self) -> float:
        """Of all that was measured."""
        return sum(self.cpu.values())


def _cpu(pid: int) -> float:
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


async def _load(name: str, port: int, script: Path, pids: dict[str, int]) -> Result:
    arguments = ["-t1", f"-c{CONNECTIONS}", "--latency", "-s", str(script), f"http://127.0.0.1:{port}"]
    await _wrk("-d1s", *arguments)
    before = {each: _cpu(pid) for each, pid in pids.items()}
    out = await _wrk(f"-d{SECONDS}s", *arguments)
    assert "Non-2xx" not in out, out
    count = int(_found(r"(\d+) requests in", out))
    used = {each: (_cpu(pid) - before[each]) / count * 1000 for each, pid in pids.items()}
    p50, unit = _found(r"50%\s+([\d.]+)", out), _found(r"50%\s+[\d.]+(us|ms|s)", out)
    return Result(name, count / SECONDS, float(p50) * {"us": 0.001, "ms": 1, "s": 1000}[unit], used)


def _middle(results: list[Result]) -> Result:
    return sorted(results, key=lambda each: each.total)[len(results) // 2]


async def _wrk(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec("wrk", *arguments, stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0].decode()


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


def _directory_alone(openldap: RunningServer[Any]) -> Result:
    """Searches and binds of the same users, one after another, with nothing around them."""
    server = ldap3.Server(openldap.host, openldap.port, get_info=ldap3.NONE)
    manager = openldap.definition.manager_dn, openldap.definition.manager_password
    base = "ou=Users,dc=kubesphere,dc=io"
    count, began, used = 0, time.monotonic(), time.process_time()
    with (
        ldap3.Connection(server, *manager, raise_exceptions=True) as search,
        ldap3.Connection(server) as bind,
    ):
        while time.monotonic() - began < SECONDS:
            search.search(base, f"(uid=bench-{count % USERS})", attributes=["uid", "mail", "userPassword"])
            assert bind.rebind(f"uid=bench-{count % USERS},{base}", PASSWORD)
            count += 1
    spent, wall = time.process_time() - used, time.monotonic() - began
    return Result("the directory alone", count / wall, wall / count * 1000, {"client": spent / count * 1000})


async def _make_users(admin: Any) -> None:
    for number in range(USERS):
        name = f"bench-{number}"
        body = {"username": name, "email": f"{name}@x.io", "password": PASSWORD}
        answer = await admin.post(f"{IAM}/users", body)
        assert answer.status in (200, 409), answer.text  # they may be in the directory already


async def _fill(port: int, keys: int) -> None:
    """Sessions of other users."""
    import redis.asyncio as redis

    client = redis.Redis(port=port)
    for start in range(0, keys, 10_000):
        numbers = range(start, start + 10_000)
        await client.mset({f"kubesphere:users:other-{n}:token:{n}": "" for n in numbers})
    await client.aclose()


def show(results: list[Result]) -> None:
    """Prints the table."""
    base = results[0].total
    titles = ("logins/s", "p50 ms", "CPU ms", "of first")
    print(f"\n{'login, 32 connections':34}" + "".join(f"{title:>10}" for title in titles))
    for each in results:
        parts = ", ".join(f"{name} {value:.2f}" for name, value in each.cpu.items())
        ratio = each.total / base
        print(f"{each.name:34}{each.rate:10.0f}{each.p50:10.1f}{each.total:10.2f}{ratio:10.2f}  {parts}")


@asynccontextmanager
async def _platform(
    openldap: RunningServer[Any], kubernetes: KubernetesServer, directory: Path, keys: int
) -> AsyncIterator[tuple[int, dict[str, int]]]:
    """The port of a gateway before an account service, and the processes, with so many keys in Redis."""
    (directory / "password").write_text(PASSWORD)
    given = {"adminPasswordFile": str(directory / "password"), "jwtSecret": SECRET}
    async with running_redis(directory) as redis:
        settings = {"log": {"level": "warning"}, "kubectl": {"enabled": False}, "authentication": given}
        config = config_of(openldap, redis, kubernetes, **settings)
        async with running_service("ks-account", config, directory) as account:
            client = await ready(account)
            await _make_users(client.acting_as("admin"))
            await client.close()
            await _fill(redis.port, keys)
            ops = free_port()
            front = gateway_config(redis.port, kubernetes.kubeconfig, account.url, ops)
            front["authentication"] = {"jwtSecret": SECRET}
            async with running_service("ks-apigateway", front, directory, ops_port=ops) as gateway:
                yield gateway.port, {"gateway": gateway.pid, "account": account.pid, "Redis": redis.pid}


async def test_a_login(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """With few keys in Redis, and with a million: by turns, since the machine is not always as fast."""
    few_keys, many_keys = tmp_path / "few", tmp_path / "many"
    for directory in (few_keys, many_keys):
        directory.mkdir()
    script = tmp_path / "login.lua"
    script.write_text(SCRIPT.format(password=PASSWORD, users=USERS, path=f"{IAM}/login"))
    async with (
        running_openldap(tmp_path) as openldap,
        _platform(openldap, kubernetes, few_keys, 0) as few,
        _platform(openldap, kubernetes, many_keys, KEYS) as many,
    ):
        alone = _directory_alone(openldap)
        measured: dict[str, list[Result]] = {"few keys in Redis": [], "a million keys in Redis": []}
        for _ in range(ROUNDS):
            for (name, results), (port, pids) in zip(measured.items(), (few, many), strict=True):
                results.append(await _load(name, port, script, pids))
    show([alone, *(_middle(results) for results in measured.values())])
