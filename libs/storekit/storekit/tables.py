"""The tables, with the names and columns of KubeSphere v2.1.1's database `devops`."""

from sqlalchemy import TIMESTAMP, Column, MetaData, String, Table, Text, func

NAME = 63
"""Characters of a user's name. v2.1.1 allowed 50 here."""

METADATA = MetaData()

PROJECT = Table(
    "project",
    METADATA,
    Column("project_id", String(50), primary_key=True),
    Column("name", String(50), nullable=False),
    Column("description", Text, nullable=False),
    Column("creator", String(NAME), nullable=False),
    Column("create_time", TIMESTAMP, nullable=False, server_default=func.current_timestamp()),
    Column("status", String(50), nullable=False),
    Column("visibility", String(50), nullable=False),
    Column("extra", Text, nullable=False),
    Column("workspace", String(255), nullable=False, server_default=""),
)
"""DevOps projects."""

PROJECT_MEMBERSHIP = Table(
    "project_membership",
    METADATA,
    Column("username", String(NAME), primary_key=True),
    Column("project_id", String(50), primary_key=True),
    Column("role", String(50), nullable=False),
    Column("status", String(50), nullable=False),
    Column("grant_by", String(NAME), nullable=False),
)
"""Who has which role in which DevOps project."""

PROJECT_CREDENTIAL = Table(
    "project_credential",
    METADATA,
    Column("project_id", String(50), primary_key=True),
    Column("credential_id", String(255), primary_key=True),
    Column("domain", String(255), primary_key=True),
    Column("creator", String(NAME), nullable=False),
    Column("create_time", TIMESTAMP, nullable=False, server_default=func.current_timestamp()),
)
"""Who made which credential of a DevOps project; the credentials themselves are in Jenkins."""
