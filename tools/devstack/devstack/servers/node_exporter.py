"""node-exporter: the machine's figures for Prometheus."""

from dataclasses import dataclass

from devstack.program import check_http
from devstack.servers.server import Server


@dataclass(kw_only=True)
class NodeExporter(Server):
    """Prometheus' node-exporter with its default collectors."""

    server = "node-exporter"
    package = "prometheus-node-exporter"
    executable = "prometheus-node-exporter"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def prepare(self) -> None:
        self.program()

    def command(self) -> list[str]:
        return [
            self.program(),
            f"--web.listen-address={self.address}",
            "--log.level=warn",
        ]

    def check(self) -> None:
        check_http(self.url)
