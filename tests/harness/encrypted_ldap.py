"""An OpenLDAP that also speaks TLS: by StartTLS on its port, and by LDAPS on another."""

from dataclasses import dataclass
from pathlib import Path

from devstack.servers import OpenLDAP
from localkube.pki import KeyPair


@dataclass(kw_only=True)
class EncryptedOpenLDAP(OpenLDAP):
    """slapd with a certificate."""

    certificate: KeyPair
    ldaps_port: int

    def command(self) -> list[str]:
        plain = f"{self.url}/"
        both = f"{plain} ldaps://{self.host}:{self.ldaps_port}/"
        return [both if word == plain else word for word in super().command()]

    def _slapd_conf(self, data: Path) -> str:
        files = self.certificate
        return (
            f'TLSCertificateFile "{files.certificate}"\nTLSCertificateKeyFile "{files.key}"\n'
            + super()._slapd_conf(data)
        )
