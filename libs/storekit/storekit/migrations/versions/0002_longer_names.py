"""Names of users may have 63 characters; v2.1.1 gave them 50 here, and so lost what it could not store."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Widen the columns; SQLite does not limit them."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, column in (
        ("project", "creator"),
        ("project_membership", "username"),
        ("project_membership", "grant_by"),
        ("project_credential", "creator"),
    ):
        op.alter_column(table, column, type_=sa.String(63), existing_nullable=False)
