"""The whole platform as its users reach it: through the gateway and the console, and in no other way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import orjson

IAM = "/kapis/iam.kubesphere.io/v1alpha2"
TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"
WORKSPACES = "/apis/tenant.kubesphere.io/v1alpha1/workspaces"
CLUSTER_ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
CLUSTER_ROLE_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


def roles_path(namespace: str, resource: str = "roles") -> str:
    """The path of the `resource` (roles or rolebindings) of `namespace` in the Kubernetes API."""
    return f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/{resource}"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The decoded body."""
        return orjson.loads(self.text)

    @property
    def names(self) -> set[str]:
        """`metadata.name` of every item of a list."""
        return {item["metadata"]["name"] for item in self.json["items"]}


@dataclass
class Client:
    """A person with a token (or none), speaking HTTP to `base_url`."""

    base_url: str
    user: str = ""
    token: str = ""
    _session: aiohttp.ClientSession = field(default_factory=aiohttp.ClientSession)

    async def request(
        self, method: str, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request and read the whole answer; redirects are not followed."""
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        async with self._session.request(
            method, self.base_url + path, json=json, headers=sent, allow_redirects=False
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.text())

    async def get(self, path: str, **options: Any) -> Answer:
        """GET `path`."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, json: Any, **options: Any) -> Answer:
        """POST `json` to `path`."""
        return await self.request("POST", path, json=json, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        """DELETE `path`."""
        return await self.request("DELETE", path, **options)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


@dataclass
class Platform:
    """A running platform, described by the lines of its `env` file."""

    env: Mapping[str, str]
    state: Path
    _home: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)

    @property
    def gateway_url(self) -> str:
        """The base address of ks-apigateway."""
        return self.env["KS_GATEWAY_URL"]

    @property
    def console_url(self) -> str:
        """The base address of ks-console."""
        return self.env["KS_CONSOLE_URL"]

    @property
    def admin_password(self) -> str:
        """The initial password of `admin`."""
        return self.env["KS_ADMIN_PASSWORD"]

    @contextlib.asynccontextmanager
    async def anonymous(self) -> AsyncIterator[Client]:
        """A client of the gateway that has not signed in."""
        client = Client(self.gateway_url)
        try:
            yield client
        finally:
            await client.close()

    @contextlib.asynccontextmanager
    async def signed_in(self, user: str, password: str) -> AsyncIterator[Client]:
        """A client of the gateway that has signed in as `user`."""
        async with self.anonymous() as client:
            answer = await client.post(f"{IAM}/login", {"username": user, "password": password})
            assert answer.status == 200, f"login of {user}: {answer.status} {answer.text}"
            client.user, client.token = user, answer.json["access_token"]
            yield client

    def kubectl(
        self, *arguments: str, token: str, stdin: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl against the gateway with `token` and with no kubeconfig at all."""
        return subprocess.run(
            self.kubectl_command(*arguments, token=token),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.kubectl_environment,
            check=False,
        )

    async def start_kubectl(self, *arguments: str, token: str) -> asyncio.subprocess.Process:
        """Start a kubectl that goes on (a watch, `logs -f`), its output on a pipe."""
        return await asyncio.create_subprocess_exec(
            *self.kubectl_command(*arguments, token=token),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=self.kubectl_environment,
        )  # fmt: skip

    def kubectl_command(self, *arguments: str, token: str) -> list[str]:
        """The command line of kubectl for `arguments`, as the owner of `token`, through the gateway.

        It speaks TLS there, because kubectl sends no token over plain HTTP.
        """
        server = ("--server", self.env["KS_GATEWAY_TLS_URL"])
        authority = ("--certificate-authority", self.env["KS_GATEWAY_CA_FILE"])
        return [self.env["KS_KUBECTL"], *server, *authority, "--token", token, *arguments]

    @property
    def kubectl_environment(self) -> dict[str, str]:
        """An environment without a kubeconfig, whose home takes kubectl's cache."""
        return {**os.environ, "KUBECONFIG": os.devnull, "HOME": self._home.name}
