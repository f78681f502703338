"""MariaDB: the relational store of an installation that does not use the embedded SQLite."""

import getpass
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from devstack.program import NotReady, write_private
from devstack.servers.server import Server


@dataclass(kw_only=True)
class MariaDB(Server):
    """mariadbd with one empty database and one user who may do everything in it."""

    server = "mariadb"
    package = "mariadb-server"
    executable = "mariadbd"

    password: str
    user: str = "kubesphere"
    database: str = "kubesphere"

    @property
    def url(self) -> str:
        return f"mysql://{self.user}:{quote(self.password, safe='')}@{self.address}/{self.database}"

    @property
    def stop_seconds(self) -> int:
        return 30

    @property
    def location(self) -> str:
        return f"mysql://{self.address}/{self.database}"

    @property
    def configuration(self) -> Path:
        return self.directory / "init.sql"

    def prepare(self) -> None:
        self.program()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.configuration, self._init_sql())
        account = f"user={self.user}\npassword={self.password}"
        where = f"protocol=tcp\nhost={self.host}\nport={self.port}"
        write_private(self._client_options, f"[client]\n{account}\n{where}\n")
        if not (self.directory / "data" / "mysql").exists():
            self.run(
                [
                    self.program("mariadb-install-db"),
                    "--no-defaults",
                    f"--datadir={self.directory / 'data'}",
                    f"--user={getpass.getuser()}",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ]
            )

    def command(self) -> list[str]:
        return [
            self.program(),
            "--no-defaults",
            f"--user={getpass.getuser()}",  # as root it starts only when told so
            f"--datadir={self.directory / 'data'}",
            "--skip-name-resolve",  # else the installed anonymous user at localhost would win over ours
            f"--bind-address={self.host}",
            f"--port={self.port}",
            "--socket=mariadb.sock",  # relative to the data: a socket's path is limited to 107 bytes
            "--pid-file=mariadb.pid",
            f"--init-file={self.directory / 'init.sql'}",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=2",
            "--character-set-server=utf8mb4",
        ]

    def check(self) -> None:
        options = f"--defaults-file={self._client_options}"
        ping = [self.program("mariadb-admin"), options, "--connect-timeout=2", "ping"]
        done = subprocess.run(ping, capture_output=True, text=True, timeout=5, check=False)
        if done.returncode != 0:
            raise NotReady(f"MariaDB on {self.address}: {done.stderr.strip()}")

    @property
    def _client_options(self) -> Path:
        return self.directory / "client.cnf"

    def _init_sql(self) -> str:
        """Run by mariadbd at every start, so repeatable; one statement a line, as it demands."""
        account = f"'{self.user}'@'%'"
        return (
            f"CREATE DATABASE IF NOT EXISTS `{self.database}` CHARACTER SET utf8mb4;\n"
            f"CREATE USER IF NOT EXISTS {account};\n"
            f"ALTER USER {account} IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON `{self.database}`.* TO {account};\n"
            f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{self.password}';\n"
        )
