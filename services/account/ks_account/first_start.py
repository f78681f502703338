"""What must be there before anybody can sign in: the tree of the directory, and the first administrator.

Done in the background until LDAP, Redis and Kubernetes are there; every step may be done again, and by
several replicas at once. Where a user of the directory is an administrator already, nothing is done: a
password that was changed is never set back, and an account that was deleted does not come back.
"""

import asyncio
import logging
import os
from pathlib import Path

from ks_account.access.cluster_roles import CLUSTER_ADMIN, ClusterRoles
from ks_account.clients.directory import Directory
from ks_account.clients.sessions import Sessions
from ks_account.config import AccountConfig
from ks_account.users import passwords
from ks_account.users.accounts import Accounts
from ks_account.users.administrators import Administrators
from ks_account.users.models import NewUser
from servicekit.errors import Conflict, ServiceError, Unavailable

ADMIN = "admin"
_DESCRIPTION = "Administrator account that was always created by default."
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0

log = logging.getLogger(__name__)


class FirstStart:
    """Prepares an empty platform. As a dependency it is ready when that is done, or was done before."""

    name = "first-start"

    def __init__(
        self,
        directory: Directory,
        sessions: Sessions,
        accounts: Accounts,
        roles: ClusterRoles,
        config: AccountConfig,
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._accounts = accounts
        self._roles = roles
        self._administrators = Administrators(directory, roles)
        self._email = config.account.admin_email
        self._rounds = config.account.password_rounds
        self._must_change = config.account.force_password_change
        file = config.authentication.admin_password_file
        self._password_file = Path(file) if file else None
        self._reason = "not tried yet"

    async def open(self) -> None:
        """Nothing: `run` does the work, beside the requests."""

    async def close(self) -> None:
        """Nothing."""

    async def check(self) -> None:
        """Raise Unavailable with the reason why it is not done."""
        if self._reason:
            raise Unavailable("the first administrator", self._reason)

    async def run(self) -> None:
        """Try until it is done."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._prepare()
            except (ServiceError, OSError) as error:
                self._reason = str(error)
                log.warning("the first start is not complete, trying again in %.1f s: %s", pause, error)
            else:
                self._reason = ""
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _prepare(self) -> None:
        await self._ensure_tree()
        if adopted := await self._sessions.adopt():
            log.info("took over %d sessions of v2.1.1", adopted)
        if await self._administrators.exist():
            return
        if await self._directory.user(ADMIN) is None:
            await self._create_admin()
        else:
            await self._roles.grant(ADMIN, CLUSTER_ADMIN, None)

    async def _ensure_tree(self) -> None:
        """Add the tree. The hash of the entry that is added with it proves that the server verifies such
        hashes.
        """
        password = passwords.random()
        stored = await asyncio.to_thread(passwords.stored, password, self._rounds)
        decoy = await self._directory.ensure_tree(stored)
        if decoy and not await self._directory.accepts(decoy, password):
            await self._directory.delete(decoy.dn)
            raise Unavailable(
                "ldap", "the server does not verify {CRYPT} hashes with SHA-512 ($6$); enable crypt in it"
            )

    async def _create_admin(self) -> None:
        password, origin = self._initial_password()
        new = NewUser(
            username=ADMIN,
            email=self._email,
            password=password,
            description=_DESCRIPTION,
            cluster_role=CLUSTER_ADMIN,
        )
        try:
            await self._accounts.create(new, None, must_change=self._must_change)
        except Conflict:
            log.info("another replica is creating the user %s", ADMIN)
            raise
        if origin == "made":
            self._hand_over(password)
        log.info("created the user %s", ADMIN)

    def _initial_password(self) -> tuple[str, str]:
        """The password from the file, or one that is made; and which of them it is."""
        if self._password_file and self._password_file.exists():
            given = self._password_file.read_text("utf-8").strip()
            if given:
                return given, "given"
        return passwords.random(), "made"

    def _hand_over(self, password: str) -> None:
        """Write a password that was made to the configured file, for its owner alone; else print it, once."""
        if self._password_file:
            descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{password}\n")
            log.info("the initial password of %s is in %s", ADMIN, self._password_file)
        else:
            print(
                f"The initial password of the user {ADMIN} is {password} - it is not shown again.", flush=True
            )
