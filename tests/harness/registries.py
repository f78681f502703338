"""Real registries of images: Debian's docker-registry, asked with a password or with a token for it.

The server that gives tokens is a small one, which speaks the real protocol:
https://distribution.github.io/distribution/spec/auth/token/.
"""

import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import jwt
import yaml
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devstack.ports import LOOPBACK, free_port
from devstack.program import check_http
from harness.processes import Process

USER, PASSWORD = "somebody", "secret"
_HASHED = "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"
"""PASSWORD by bcrypt."""
_BASIC = aiohttp.encode_basic_auth(USER, PASSWORD)
_READY_SECONDS = 60
_SERVICE, _ISSUER = "registry of the tests", "tokens of the tests"
CONFIGURATION = "application/vnd.docker.container.image.v1+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Registries:
    """Two addresses of the same images."""

    by_password: str
    by_token: str
    tokens: str
    """Where the tokens come from."""

    async def push(self, name: str, config: dict[str, object], tag: str = "latest") -> str:
        """An image without layers, of this configuration. Gives the digest of that."""
        blob = json.dumps(config).encode()
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        described = {"mediaType": CONFIGURATION, "size": len(blob), "digest": digest}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}
        root = f"http://{self.by_password}/v2/{name}"
        async with aiohttp.ClientSession(headers={"Authorization": _BASIC}, raise_for_status=True) as session:
            async with session.post(f"{root}/blobs/uploads/") as started:
                where = started.headers["Location"]
            await session.put(f"{where}&digest={digest}", data=blob)
            await session.put(
                f"{root}/manifests/{tag}", data=json.dumps(manifest), headers={"Content-Type": MANIFEST}
            )
        return digest


@asynccontextmanager
async def running_registries(directory: Path) -> AsyncIterator[Registries]:
    """Both, with their files under `directory`. Raises StartFailed."""
    _prepare(directory)
    async with AsyncExitStack() as stack:
        tokens = await stack.enter_async_context(_tokens(directory))
        by_password = {"htpasswd": {"realm": "tests", "path": str(directory / "users")}}
        by_token = {
            "token": {
                "realm": f"http://{tokens}/token",
                "service": _SERVICE,
                "issuer": _ISSUER,
                "rootcertbundle": str(directory / "certificate.pem"),
            }
        }
        addresses = [
            await stack.enter_async_context(_registry(directory, name, auth))
            for name, auth in (("password", by_password), ("token", by_token))
        ]
        yield Registries(addresses[0], addresses[1], tokens)


def _prepare(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "users").write_text(f"{USER}:{_HASHED}\n")


@asynccontextmanager
async def _registry(directory: Path, name: str, auth: Mapping[str, object]) -> AsyncIterator[str]:
    address = f"{LOOPBACK}:{free_port()}"
    config = directory / f"{name}.yaml"
    settings = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "images")}},
        "http": {"addr": address, "secret": "of the tests"},
        "auth": dict(auth),
    }
    config.write_text(yaml.safe_dump(settings))
    process = Process(["docker-registry", "serve", str(config)], directory / f"{name}.log", directory)
    process.launch()
    try:
        await process.ready(partial(_check, address), _READY_SECONDS)
        yield address
    finally:
        await process.stop()


def _check(address: str) -> None:
    check_http(f"http://{address}/")


@asynccontextmanager
async def _tokens(directory: Path) -> AsyncIterator[str]:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != _BASIC:
            return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
        _, _, name = request.query.get("scope", "").partition(":")
        access = (
            [{"type": "repository", "name": name.rpartition(":")[0], "actions": ["pull"]}] if name else []
        )
        now = int(time.time())
        claims = {"iss": _ISSUER, "aud": request.query["service"], "sub": USER, "iat": now, "nbf": now - 5,
                  "exp": now + 60, "jti": str(now), "access": access}  # fmt: skip
        return web.json_response({"token": jwt.encode(claims, key, "ES256", headers={"x5c": chain})})

    app = web.Application()
    app.router.add_get("/token", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"{host}:{port}"
    finally:
        await runner.cleanup()


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _ISSUER)])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now - timedelta(hours=1))
    built = built.not_valid_after(now + timedelta(days=1))
    return built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
