"""How the parts of a stack are, as a table or as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the stack at one moment. `reason` says why it is not healthy, and is empty when it is."""

    name: str
    address: str
    pid: int | None
    since: datetime | None
    healthy: bool
    reason: str

    @property
    def running(self) -> bool:
        return self.pid is not None or self.healthy


def as_json(components: Sequence[Component]) -> str:
    """`{"healthy": ..., "components": [...]}`; times are RFC 3339."""
    listed = [
        asdict(each) | {"since": each.since.isoformat() if each.since else None, "running": each.running}
        for each in components
    ]
    healthy = all(each.healthy for each in components)
    return json.dumps({"healthy": healthy, "components": listed}, indent=2)


def show(components: Sequence[Component], console: Console) -> None:
    """Prints the table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("NAME", "ADDRESS", "PID", "SINCE"):
        table.add_column(title, no_wrap=True)
    table.add_column("HEALTH", overflow="fold")
    for each in components:
        health = "[green]ok[/green]" if each.healthy else f"[red]{escape(each.reason)}[/red]"
        table.add_row(each.name, each.address, str(each.pid or "-"), _since(each.since), health)
    console.print(table)


def _since(moment: datetime | None) -> str:
    if moment is None:
        return "-"
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S} ({_age((datetime.now(UTC) - moment).total_seconds())})"


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"
