"""Prometheus: metrics of the machine, the cluster and the services."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from devstack.program import check_http, write_private
from devstack.servers.server import Server


@dataclass(kw_only=True)
class Prometheus(Server):
    """Prometheus that scrapes itself and `targets`: addresses (host:port) by job name."""

    server = "prometheus"
    package = "prometheus"
    executable = "prometheus"

    targets: Mapping[str, list[str]] = field(default_factory=dict)
    scrape_seconds: int = 15

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def configuration(self) -> Path:
        return self.directory / "prometheus.yml"

    def prepare(self) -> None:
        self.program()
        jobs = {"prometheus": [self.address], **self.targets}
        config = {
            "global": {
                "scrape_interval": f"{self.scrape_seconds}s",
                "scrape_timeout": f"{min(self.scrape_seconds, 10)}s",
            },
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": addresses}]}
                for job, addresses in jobs.items()
            ],
        }
        write_private(self.configuration, yaml.safe_dump(config, sort_keys=False))

    def command(self) -> list[str]:
        return [
            self.program(),
            f"--config.file={self.directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            "--storage.tsdb.retention.time=1d",
            f"--web.listen-address={self.address}",
            "--log.level=warn",
        ]

    def check(self) -> None:
        check_http(f"{self.url}/-/ready")
