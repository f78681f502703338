"""Redis: the platform's sessions and login counters."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.program import NotReady, write_private
from devstack.servers.server import Server


@dataclass(kw_only=True)
class Redis(Server):
    """Redis 7 with an append-only file, so that sessions outlive a restart.

    An empty password means that none is asked for.
    """

    server = "redis"
    package = "redis-server"
    executable = "redis-server"

    password: str = ""

    @property
    def url(self) -> str:
        # redis-cli takes a URL without a user for one whose user has no name.
        credentials = f"default:{quote(self.password, safe='')}@" if self.password else ""
        return f"redis://{credentials}{self.address}/0"

    @property
    def location(self) -> str:
        return f"redis://{self.address}/0"

    @property
    def configuration(self) -> Path:
        return self.directory / "redis.conf"

    def prepare(self) -> None:
        self.program()
        lines = [
            f"bind {self.host}",
            f"port {self.port}",
            f'dir "{self.directory}"',
            "daemonize no",
            "appendonly yes",
            'save ""',
            "set-proc-title no",  # keeps the environment readable, by which the stack knows its own processes
        ]
        if self.password:
            lines.append(f'requirepass "{self.password}"')
        write_private(self.configuration, "\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [self.program(), str(self.configuration)]

    def check(self) -> None:
        with redis.Redis(
            self.host,
            self.port,
            password=self.password or None,
            socket_timeout=2,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            try:
                client.ping()
            except redis.RedisError as error:
                raise NotReady(f"Redis on {self.address}: {error}") from error
