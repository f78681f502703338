"""node-exporter: the machine's figures for Prometheus."""

from dataclasses import dataclass

from devstack.servers.server import Server, check_http


@dataclass(kw_only=True)
class NodeExporter(Server):
    """Prometheus' node-exporter with its default collectors."""

    name = "node-exporter"
    package = "prometheus-node-exporter"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def prepare(self) -> None:
        self.program("prometheus-node-exporter")

    def command(self) -> list[str]:
        return [
            self.program("prometheus-node-exporter"),
            f"--web.listen-address={self.address}",
            "--log.level=warn",
        ]

    def check(self) -> None:
        check_http(self.url)
