"""Brings the tables to their newest form, whatever they were before; one process at a time."""

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

NEWEST = "0002"
"""The revision that the code is written for."""
VERSION_TABLE = "kubesphere_schema"
SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = "kubesphere-migrations"
_LOCK_SECONDS = 60


async def migrate(engine: AsyncEngine) -> None:
    """Bring the tables behind `engine` to their newest form. Raises what SQLAlchemy does, and TimeoutError
    when another process holds the lock for longer than a minute.
    """
    async with engine.begin() as connection:
        if await connection.run_sync(_is_newest):
            return
    # Alembic is of use once in the life of a database, and takes longer to import than to run.
    await asyncio.to_thread(import_module, "alembic.command")
    async with engine.connect() as connection:
        if engine.dialect.name == "mysql":
            await _migrate_locked(connection.run_sync)
        else:
            # BEGIN IMMEDIATE, which every transaction here starts with, is the lock of a SQLite file.
            await connection.run_sync(_upgrade)
        await connection.commit()


def _is_newest(connection: Connection) -> bool:
    if not inspect(connection).has_table(VERSION_TABLE):
        return False
    return connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) == NEWEST  # noqa: S608


async def _migrate_locked(run_sync: Any) -> None:
    """MySQL commits every statement that changes a table, so a transaction is no lock there."""
    if not await run_sync(_locked, f"SELECT GET_LOCK('{_LOCK}', {_LOCK_SECONDS})"):
        raise TimeoutError(f"another process has been migrating for {_LOCK_SECONDS} s")
    try:
        await run_sync(_upgrade)
    finally:
        await run_sync(_locked, f"SELECT RELEASE_LOCK('{_LOCK}')")


def _locked(connection: Connection, statement: str) -> bool:
    return connection.scalar(text(statement)) == 1


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
