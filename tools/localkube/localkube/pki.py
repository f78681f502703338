"""The cluster's certificates: its authorities, its components and its users.

Which certificate carries which name follows "PKI certificates and requirements" of Kubernetes' documentation.
"""

import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localkube.settings import Settings

_AUTHORITY_LIFE = datetime.timedelta(days=3650)
_LEAF_LIFE = datetime.timedelta(days=365)
_RENEW_BEFORE = datetime.timedelta(days=30)
# A machine's clock may be set back after a start.
_BACKDATED = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a certificate is for."""

    common_name: str
    organizations: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    client: bool = True

    @property
    def server(self) -> bool:
        """Whether a server proves its name with it."""
        return bool(self.dns or self.addresses)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority kept in two files, made when they are missing."""

    def __init__(self, name: str, directory: Path):
        self.files = KeyPair(directory / f"{name}.crt", directory / f"{name}.key")
        if not (self.files.certificate.exists() and self.files.key.exists()):
            self._create(f"localkube {name}")
        self._certificate = x509.load_pem_x509_certificate(self.files.certificate.read_bytes())
        key = serialization.load_pem_private_key(self.files.key.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self.files.key} is not an elliptic-curve key")
        self._key = key

    def issue(self, leaf: Leaf, name: str) -> KeyPair:
        """Give the certificate `name`, kept beside the authority; renewed when old or not as `leaf` says."""
        directory = self.files.certificate.parent
        files = KeyPair(directory / f"{name}.crt", directory / f"{name}.key")
        if not self._still_good(files, leaf):
            certificate, key = self.sign(leaf)
            write_private(files.key, key)
            files.certificate.write_bytes(certificate)
        return files

    def sign(self, leaf: Leaf) -> tuple[bytes, bytes]:
        """A new certificate for `leaf` and its key, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_subject(leaf), self._certificate.subject, _LEAF_LIFE)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(leaf), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if leaf.server:
            builder = builder.add_extension(x509.SubjectAlternativeName(_alternatives(leaf)), critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM), _pem(key)

    def _create(self, common_name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = (
            _builder(subject, subject, _AUTHORITY_LIFE)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_authority_usage(), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.files.certificate.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self.files.key, _pem(key))
        self.files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _still_good(self, files: KeyPair, leaf: Leaf) -> bool:
        try:
            certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
            certificate.verify_directly_issued_by(self._certificate)
        except Exception:  # whatever is wrong with the old one, a new one replaces it
            return False
        fresh = certificate.not_valid_after_utc - _now() > _RENEW_BEFORE
        return fresh and files.key.exists() and _same_names(certificate, leaf)


@dataclass(frozen=True, slots=True)
class Pki:
    """Every certificate of a cluster."""

    cluster: Authority
    front_proxy: Authority
    etcd: Authority
    apiserver: KeyPair
    apiserver_to_kubelet: KeyPair
    apiserver_to_etcd: KeyPair
    front_proxy_client: KeyPair
    etcd_server: KeyPair
    loopback: KeyPair
    kubelet: KeyPair
    service_accounts: KeyPair


def ensure_pki(directory: Path, settings: Settings) -> Pki:
    """Make what is missing, outdated or of other names in `directory`, and give it all."""
    cluster, front_proxy, etcd = (Authority(name, directory) for name in ("ca", "front-proxy-ca", "etcd-ca"))
    services = (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    )
    apiserver = Leaf(
        "kube-apiserver",
        dns=("localhost", *services),
        addresses=("127.0.0.1", settings.kubernetes_service, settings.node_address),
        client=False,
    )
    here = ("127.0.0.1",)
    return Pki(
        cluster=cluster,
        front_proxy=front_proxy,
        etcd=etcd,
        apiserver=cluster.issue(apiserver, "apiserver"),
        apiserver_to_kubelet=cluster.issue(
            Leaf("kube-apiserver-kubelet-client", ("system:masters",)), "apiserver-kubelet-client"
        ),
        apiserver_to_etcd=etcd.issue(Leaf("kube-apiserver-etcd-client"), "apiserver-etcd-client"),
        front_proxy_client=front_proxy.issue(Leaf("front-proxy-client"), "front-proxy-client"),
        etcd_server=etcd.issue(Leaf("etcd", addresses=(*here, settings.node_address)), "etcd"),
        loopback=cluster.issue(
            Leaf("localhost", dns=("localhost",), addresses=here, client=False), "loopback"
        ),
        kubelet=cluster.issue(
            Leaf(
                settings.node_name,
                dns=(settings.node_name,),
                addresses=(settings.node_address,),
                client=False,
            ),
            "kubelet",
        ),
        service_accounts=_service_account_keys(directory),
    )


def write_private(path: Path, content: bytes) -> None:
    """Write `content` so that nobody but the owner could ever read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    unfinished.replace(path)


def _service_account_keys(directory: Path) -> KeyPair:
    files = KeyPair(directory / "service-accounts.pub", directory / "service-accounts.key")
    if not (files.certificate.exists() and files.key.exists()):
        # RSA because clients in the field expect service account tokens to be RS256.
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        write_private(files.key, _pem(key))
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        files.certificate.write_bytes(public)
    return files


def _builder(subject: x509.Name, issuer: x509.Name, life: datetime.timedelta) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - _BACKDATED)
        .not_valid_after(_now() + life)
    )


def _subject(leaf: Leaf) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in leaf.organizations]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, leaf.common_name)])


def _usage(leaf: Leaf) -> x509.ExtendedKeyUsage:
    server = [ExtendedKeyUsageOID.SERVER_AUTH] if leaf.server else []
    client = [ExtendedKeyUsageOID.CLIENT_AUTH] if leaf.client else []
    return x509.ExtendedKeyUsage([*server, *client])


def _authority_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(leaf: Leaf) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in leaf.dns]
    return names + [x509.IPAddress(IPv4Address(address)) for address in leaf.addresses]


def _same_names(certificate: x509.Certificate, leaf: Leaf) -> bool:
    try:
        found: Sequence[x509.GeneralName] = list(
            certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        )
    except x509.ExtensionNotFound:
        found = []
    return certificate.subject == _subject(leaf) and found == _alternatives(leaf)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
