"""The way to the database: a bounded pool of connections, one transaction at a time on each.

Whatever goes wrong between us and the server is `Unavailable`, in its own words without the statement, so
that no value of a request comes back in an error. What the statement itself did wrong, such as a key that is
there already (`sqlalchemy.exc.IntegrityError`), is for the caller.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from servicekit.config import ConfigError
from servicekit.errors import Unavailable
from servicekit.sections import MysqlConfig, split_address
from storekit.migrate import migrate

_MYSQL_PORT = 3306


class Database:
    """MySQL where one is configured, else a file of SQLite. Its tables are there once `begin` gives a
    connection.
    """

    def __init__(self, config: MysqlConfig) -> None:
        """Raises ConfigError for an address that cannot be one."""
        self.name = "mysql" if config.enabled else "sqlite"
        self._config = config
        self._engine = _mysql(config) if config.enabled else _sqlite(config)
        self._migrating = asyncio.Lock()
        self._is_migrated = False

    async def open(self) -> None:
        """Nothing: connections are made when they are needed."""

    async def check(self) -> None:
        """Raise Unavailable, with the reason, when the database does not answer."""
        async with self.begin() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[AsyncConnection]:
        """A connection in a transaction, which is committed at the end, or undone when the block raises.

        Raises Unavailable when the server does not answer within `mysql.timeout` or not as it should.
        """
        async with self._available():
            await self._ensure_tables()
            async with asyncio.timeout(self._config.timeout), self._engine.begin() as connection:
                yield connection

    async def _ensure_tables(self) -> None:
        if self._is_migrated:
            return
        async with self._migrating:
            if not self._is_migrated:
                if not self._config.enabled:
                    _make_private(Path(self._config.sqlite_file))
                await migrate(self._engine)
                self._is_migrated = True

    @asynccontextmanager
    async def _available(self) -> AsyncGenerator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except TimeoutError as error:
            raise Unavailable(self.name, f"no answer within {self._config.timeout:g} s") from error
        except (SQLAlchemyError, OSError) as error:
            raise Unavailable(self.name, _reason(error)) from error


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return " ".join(str(cause).split()) or type(cause).__name__


def _mysql(config: MysqlConfig) -> AsyncEngine:
    host, port = _address(config.host)
    url = URL.create(
        "mysql+aiomysql",
        username=config.username,
        password=config.password.get_secret_value(),
        host=host,
        port=port,
        database=config.database,
        query={"charset": "utf8mb4"},
    )
    idle = min(config.max_idle_connections, config.max_open_connections) or 1
    return create_async_engine(
        url,
        pool_size=idle,
        max_overflow=config.max_open_connections - idle,
        pool_timeout=config.timeout,
        pool_recycle=max(1, int(config.max_connection_life_time)),
        pool_pre_ping=True,
        connect_args={"connect_timeout": config.timeout},
        hide_parameters=True,
    )


def _address(host: str) -> tuple[str, int]:
    try:
        return split_address(host if host.rpartition(":")[2].isdecimal() else f"{host}:{_MYSQL_PORT}")
    except ValueError as error:
        raise ConfigError(f"mysql.host: {host!r} {error}") from error


def _sqlite(config: MysqlConfig) -> AsyncEngine:
    url = URL.create("sqlite+aiosqlite", database=config.sqlite_file)
    engine = create_async_engine(url, connect_args={"timeout": config.timeout}, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        # Transactions are begun by us, at once for writing: one that turns from reading to writing midway
        # fails when another has written since (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html).
        connection.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _make_private(file: Path) -> None:
    """Make the file, for its owner alone, when there is none."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
