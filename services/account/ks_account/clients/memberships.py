"""The memberships of users in DevOps projects, in the table `project_membership` of v2.1.1."""

from sqlalchemy import delete

from storekit.database import Database
from storekit.tables import PROJECT_MEMBERSHIP


class Memberships:
    """What becomes of them when a user does. Every method raises Unavailable when the database is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remove(self, username: str) -> int:
        """End all memberships of a user; gives how many there were."""
        async with self._database.begin() as connection:
            done = await connection.execute(
                delete(PROJECT_MEMBERSHIP).where(PROJECT_MEMBERSHIP.c.username == username)
            )
            return done.rowcount
