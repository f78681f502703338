"""The database of the platform, on a file of SQLite and on a real MariaDB."""

import asyncio
import json
import stat
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from alembic.config import Config
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import delete, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from harness.servers import RunningServer
from harness.waiting import eventually
from servicekit.config import ConfigError
from servicekit.errors import Unavailable
from servicekit.sections import MysqlConfig
from storekit.database import Database
from storekit.migrate import NEWEST, SCRIPTS
from storekit.tables import METADATA, PROJECT, PROJECT_MEMBERSHIP

MEMBER = {"username": "alice", "project_id": "p1", "role": "owner", "status": "active", "grant_by": "admin"}
TABLES_OF_V2_1_1 = (
    """CREATE TABLE project (
         project_id VARCHAR(50) NOT NULL, name VARCHAR(50) NOT NULL, description TEXT NOT NULL,
         creator VARCHAR(50) NOT NULL, create_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
         status VARCHAR(50) NOT NULL, visibility VARCHAR(50) NOT NULL, extra TEXT NOT NULL,
         PRIMARY KEY (project_id))""",
    """CREATE TABLE project_membership (
         username VARCHAR(50) NOT NULL, project_id VARCHAR(50) NOT NULL, role VARCHAR(50) NOT NULL,
         status VARCHAR(50) NOT NULL, grant_by VARCHAR(50) NOT NULL, PRIMARY KEY (username, project_id))""",
    "INSERT INTO project VALUES ('p1', 'demo', '', 'alice', '2020-01-01 00:00:00', 'active', 'private', '')",
    "INSERT INTO project_membership VALUES ('alice', 'p1', 'owner', 'active', 'admin')",
)


def _on_mariadb(server: RunningServer[Any], **values: Any) -> MysqlConfig:
    definition = server.definition
    base = {
        "host": f"{server.host}:{server.port}",
        "database": definition.database,
        "username": definition.user,
        "password": definition.password,
    }
    return MysqlConfig.model_validate({**base, **values})


@pytest_asyncio.fixture(params=["sqlite", "mariadb"])
async def config(
    request: pytest.FixtureRequest, tmp_path: Path, mariadb: RunningServer[Any]
) -> AsyncIterator[MysqlConfig]:
    """Either database, empty."""
    if request.param == "sqlite":
        yield MysqlConfig(sqlite_file=str(tmp_path / "new" / "kubesphere.db"))
        return
    config = _on_mariadb(mariadb)
    await _drop_all(config)
    yield config
    await _drop_all(config)


async def _drop_all(config: MysqlConfig) -> None:
    async with _raw(config) as connection:
        for table in (*METADATA.tables, "kubesphere_schema"):
            await connection.execute(text(f"DROP TABLE IF EXISTS {table}"))


@asynccontextmanager
async def _raw(config: MysqlConfig) -> AsyncGenerator[AsyncConnection]:
    """A transaction past the code under test."""
    if config.enabled:
        account = f"{config.username}:{config.password.get_secret_value()}"
        engine = create_async_engine(f"mysql+aiomysql://{account}@{config.host}/{config.database}")
    else:
        Path(config.sqlite_file).parent.mkdir(exist_ok=True)
        engine = create_async_engine(f"sqlite+aiosqlite:///{config.sqlite_file}")
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


@pytest_asyncio.fixture
async def database(config: MysqlConfig) -> AsyncIterator[Database]:
    opened = Database(config)
    yield opened
    await opened.close()


async def _roles(database: Database) -> list[str]:
    async with database.begin() as connection:
        return list((await connection.execute(select(PROJECT_MEMBERSHIP.c.role))).scalars())


async def test_a_new_database_gets_the_tables_as_the_code_describes_them(
    config: MysqlConfig, database: Database
) -> None:
    await database.check()
    async with database.begin() as connection:
        columns = await connection.run_sync(
            lambda c: {name: {x["name"] for x in inspect(c).get_columns(name)} for name in METADATA.tables}
        )
    assert columns == {name: set(table.columns.keys()) for name, table in METADATA.tables.items()}
    if not config.enabled:
        assert _mode(config.sqlite_file) == 0o600


def _mode(file: str) -> int:
    return stat.S_IMODE(Path(file).stat().st_mode)


async def test_the_projects_and_members_of_v2_1_1_are_still_there_and_new_ones_may_have_longer_names(
    config: MysqlConfig,
) -> None:
    async with _raw(config) as connection:
        for statement in TABLES_OF_V2_1_1:
            await connection.execute(text(statement))
    database = Database(config)
    long = {**MEMBER, "username": "n" * 63, "grant_by": "g" * 63}
    async with database.begin() as connection:
        await connection.execute(insert(PROJECT_MEMBERSHIP).values(long))
        names = (await connection.execute(select(PROJECT_MEMBERSHIP.c.username))).scalars().all()
        assert (await connection.execute(select(PROJECT.c.name, PROJECT.c.workspace))).all() == [("demo", "")]
    assert sorted(names) == ["alice", "n" * 63]
    await database.close()


async def test_services_that_start_together_on_an_empty_database_all_come_up(config: MysqlConfig) -> None:
    values = config.model_dump(mode="json") | {"password": config.password.get_secret_value()}
    program = (
        "import asyncio, json, sys\n"
        "from storekit.database import Database, MysqlConfig\n"
        "asyncio.run(Database(MysqlConfig.model_validate(json.load(sys.stdin))).check())\n"
    )
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=PIPE, stderr=PIPE)
        for _ in range(2)
    ]
    ends = await asyncio.gather(*(each.communicate(json.dumps(values).encode()) for each in processes))
    assert [each.returncode for each in processes] == [0, 0], ends


async def test_changes_are_undone_when_a_step_after_them_fails(database: Database) -> None:
    async def add_twice() -> None:
        async with database.begin() as connection:
            await connection.execute(insert(PROJECT_MEMBERSHIP).values(MEMBER))
            await connection.execute(insert(PROJECT_MEMBERSHIP).values(MEMBER))

    with pytest.raises(IntegrityError):
        await add_twice()
    assert await _roles(database) == []


async def test_no_change_is_lost_among_fifty_at_once(database: Database) -> None:
    async with database.begin() as connection:
        await connection.execute(insert(PROJECT_MEMBERSHIP).values({**MEMBER, "role": "0"}))
    row = PROJECT_MEMBERSHIP.c.username == "alice"

    async def add_one() -> None:
        async with database.begin() as connection:
            found = await connection.execute(select(PROJECT_MEMBERSHIP.c.role).where(row).with_for_update())
            more = str(int(found.scalar_one()) + 1)
            await connection.execute(update(PROJECT_MEMBERSHIP).where(row).values(role=more))

    await asyncio.gather(*(add_one() for _ in range(50)))
    assert await _roles(database) == ["50"]


async def test_an_outage_of_mysql_is_said_to_be_one_and_passes_with_it(
    mariadb: RunningServer[Any],
) -> None:
    database = Database(_on_mariadb(mariadb))
    await database.check()
    await mariadb.stop(hard=True)
    try:
        with pytest.raises(Unavailable, match="mysql is not available"):
            await database.check()
    finally:
        await mariadb.start()

    async def is_back() -> None:
        try:
            await database.check()
        except Unavailable as error:
            raise AssertionError(error.message) from error

    await eventually(is_back, timeout=30)
    await database.close()


async def test_a_wrong_password_and_a_missing_database_are_named(mariadb: RunningServer[Any]) -> None:
    for wrong, said in (({"password": "x"}, "Access denied"), ({"database": "none"}, "none")):
        database = Database(_on_mariadb(mariadb, **wrong))
        with pytest.raises(Unavailable, match=said):
            await database.check()
        await database.close()


async def test_a_transaction_that_waits_for_a_lock_too_long_is_refused_and_lets_go(
    mariadb: RunningServer[Any],
) -> None:
    database = Database(_on_mariadb(mariadb, timeout="1s"))
    async with database.begin() as connection:
        await connection.execute(delete(PROJECT_MEMBERSHIP))
        await connection.execute(insert(PROJECT_MEMBERSHIP).values(MEMBER))
    with pytest.raises(Unavailable, match="no answer within 1 s"):
        async with database.begin() as connection:
            await connection.execute(text("SELECT SLEEP(30)"))
    assert await _roles(database) == ["owner"]
    await database.close()


async def test_values_of_a_request_do_not_come_back_in_an_error(database: Database) -> None:
    with pytest.raises(Unavailable) as raised:
        async with database.begin() as connection:
            await connection.execute(
                text("SELECT missing FROM project WHERE name = :name"), {"name": "s3cret"}
            )
    assert "s3cret" not in str(raised.value)


async def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = Database(MysqlConfig(sqlite_file=str(tmp_path / "file" / "kubesphere.db")))
    with pytest.raises(Unavailable, match="sqlite is not available: "):
        await database.check()


def test_a_service_that_starts_on_a_migrated_database_knows_it_for_the_newest() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


def test_an_address_that_cannot_be_one_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match=r"mysql\.host"):
        Database(MysqlConfig(host="mysql:1:3306", username="u", password=SecretStr("p")))
