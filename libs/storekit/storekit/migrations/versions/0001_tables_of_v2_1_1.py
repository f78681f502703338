"""The tables of KubeSphere v2.1.1, where they are not there already."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Add what is missing."""
    there = set(sa.inspect(op.get_bind()).get_table_names())
    for name, columns in _tables().items():
        if name not in there:
            op.create_table(name, *columns, mysql_charset="utf8mb4")
    if "workspace" not in {c["name"] for c in sa.inspect(op.get_bind()).get_columns("project")}:
        op.add_column("project", _workspace())


def _workspace() -> sa.Column[object]:
    return sa.Column("workspace", sa.String(255), nullable=False, server_default="")


def _created() -> sa.Column[object]:
    return sa.Column("create_time", sa.TIMESTAMP, nullable=False, server_default=sa.func.current_timestamp())


def _text(name: str, length: int, *, key: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), primary_key=key, nullable=False)


def _tables() -> dict[str, list[sa.Column[object]]]:
    return {
        "project": [
            _text("project_id", 50, key=True),
            _text("name", 50),
            sa.Column("description", sa.Text, nullable=False),
            _text("creator", 50),
            _created(),
            _text("status", 50),
            _text("visibility", 50),
            sa.Column("extra", sa.Text, nullable=False),
            _workspace(),
        ],
        "project_membership": [
            _text("username", 50, key=True),
            _text("project_id", 50, key=True),
            _text("role", 50),
            _text("status", 50),
            _text("grant_by", 50),
        ],
        "project_credential": [
            _text("project_id", 50, key=True),
            _text("credential_id", 255, key=True),
            _text("domain", 255, key=True),
            _text("creator", 50),
            _created(),
        ],
    }
