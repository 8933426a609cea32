"""Real MariaDB servers, of Debian's packages."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pymysql

from provision.daemon import LOOPBACK, Missing, run_as_account
from provision.databases import DatabaseServer
from provision.processes import Guard, give

PACKAGES = "mariadb-server-core mariadb-client"
INSTALLATION = """
--no-defaults --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve
--innodb-log-file-size=8M --innodb-buffer-pool-size=32M
""".split()
ALWAYS = (
    "--skip-log-bin --skip-name-resolve --max-connections=300 --innodb-log-file-size=8M".split()
)
DURABLE = ["--innodb-flush-log-at-trx-commit=1"]
FAST = ["--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync"]
ACCOUNT = """
create user if not exists t@127.0.0.1 identified by 't';
grant all on *.* to t@127.0.0.1;
"""


class MariaDB(DatabaseServer):
    def __init__(self, *, durable: bool = False) -> None:
        self._program = find_program("mariadbd")
        super().__init__(durable=durable)

    def prepare(self) -> None:
        shutil.copytree(new_data(), self.folder / "data")
        (self.folder / "account.sql").write_text(ACCOUNT)
        give(self.folder)

    def command(self) -> list[str]:
        folder = self.folder
        own = f"""
        --no-defaults --datadir={folder}/data --socket={folder}/s --pid-file={folder}/pid
        --port={self.port} --bind-address={LOOPBACK}
        """
        safety = DURABLE if self.durable else FAST
        return [self._program, *own.split(), *self.initial(), *ALWAYS, *safety]

    def initial(self) -> list[str]:
        """Return the options that make the account of the tests."""
        return [f"--init-file={self.folder}/account.sql"]

    def answers(self) -> bool:
        try:
            self._admin("select 1")
        except pymysql.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"mysql://t:t@{LOOPBACK}:{self.port}/{database}"

    def make(self, database: str) -> None:
        self._admin(f"create database `{database}` character set utf8mb4")

    def drop(self, database: str) -> None:
        self._admin(f"drop database `{database}`")

    def connect(self, database: str | None = None) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(
            host=LOOPBACK,
            port=self.port,
            user="t",
            password="t",
            database=database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=5,
            ssl_disabled=True,  # or each connection reads all the certificates of the system
        )

    def _admin(self, statement: str) -> None:
        with self.connect() as admin, admin.cursor() as cursor:
            cursor.execute(statement)


@cache
def new_data() -> Path:
    """Make the data of a new server once a process: it takes seconds, and a copy an instant."""
    install = find_program("mariadb-install-db")
    folder = Path(tempfile.mkdtemp(prefix="ts-"))
    guard = Guard(folder)  # of a process that is killed
    atexit.register(lambda: (guard.dismiss(), shutil.rmtree(folder)))
    give(folder)
    run_as_account([install, *INSTALLATION, f"--datadir={folder}/data"], folder)
    return folder / "data"


def find_program(program: str, packages: str = PACKAGES) -> str:
    path = shutil.which(program, path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")
    if path is None:
        raise Missing(f"{program} is not installed: apt-get install {packages}")
    return path
