"""A cluster of MariaDB servers that all take writes: Galera, on loopback."""

import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pymysql

from provision.daemon import LOOPBACK, Missing
from provision.databases import DatabaseHarness, InDatabase
from provision.mariadb import MariaDB
from provision.processes import account, give
from trackstore.registry import open_backend_store
from trackstore.stores import BackendStore

PROVIDERS = (Path("/usr/lib/galera/libgalera_smm.so"), Path("/usr/lib64/galera-4/libgalera_smm.so"))
CLUSTER = """
--wsrep-on=ON --wsrep-cluster-name=trackstore --wsrep-sst-method=missed --wsrep-sync-wait=15
--binlog-format=ROW --default-storage-engine=InnoDB --innodb-autoinc-lock-mode=2
""".split()
MISSED = """#!/bin/sh
# How a node that joins gets its state, as far as Galera leaves that to a program.  Each begins with
# a copy of the first one's files, and Galera itself sends what it missed since: this only lets the
# donor tell the joiner where it is, by way of a pipe whose path is the joiner's address.
set -eu
bypass= datadir= gtid=
while [ $# -gt 0 ] && [ "$1" != --mysqld-args ]; do
    case $1 in
    --role) role=$2 ;;
    --address) address=$2 ;;
    --datadir) datadir=$2 ;;
    --gtid) gtid=$2 ;;
    --bypass) bypass=yes ;;
    esac
    shift
done
if [ "$role" = joiner ]; then
    pipe=${datadir%/}/../joining
    rm -f "$pipe"
    mkfifo "$pipe"
    echo "ready $pipe"
    exec cat "$pipe"
fi
[ "$bypass" ] || { echo "a whole copy is asked for, of which nothing is known here" >&2; exit 1; }
echo "$gtid" > "$address"
echo "done $gtid"
"""
POSITION = re.compile(r"Recovered position: (\S+)")


class Node(MariaDB):
    """One server of a cluster, which the first one founds."""

    ports: ClassVar = 3  # for clients, for the group, and for what was missed

    def __init__(self, first: "Node | None" = None, data: Path | None = None) -> None:
        self._provider = _provider()
        super().__init__()
        self._data = data
        self.others: list[Node] = [] if first is None else [first]
        self._position: list[str] = []

    def prepare(self) -> None:
        super().prepare()
        if self._data:
            shutil.rmtree(self.folder / "data")
            shutil.copytree(self._data, self.folder / "data")
        script = self.folder / "wsrep_sst_missed"
        script.write_text(MISSED)
        script.chmod(0o755)
        give(self.folder)

    def environment(self) -> dict[str, str]:
        found = super().environment()
        return found | {"PATH": f"{self.folder}:{found['PATH']}"}

    def command(self) -> list[str]:
        known = ",".join(f"{LOOPBACK}:{node.port + 1}" for node in self.others)
        provided = {
            "base_host": LOOPBACK,
            "base_port": self.port + 1,
            "gmcast.listen_addr": f"tcp://{LOOPBACK}:{self.port + 1}",
            "ist.recv_addr": f"{LOOPBACK}:{self.port + 2}",
        }
        return [
            *super().command(),
            *CLUSTER,
            *self._position,
            *([] if self.others else ["--wsrep-new-cluster"]),
            f"--wsrep-provider={self._provider}",
            f"--wsrep-provider-options={';'.join(f'{key}={is_}' for key, is_ in provided.items())}",
            f"--wsrep-cluster-address=gcomm://{known}",
            f"--wsrep-node-name=n{self.port}",
            f"--wsrep-node-address={LOOPBACK}:{self.port + 1}",
        ]

    def initial(self) -> list[str]:
        return [] if self.others else super().initial()  # who joins gets the account with the rest

    def answers(self) -> bool:
        """Tell if it has what the others have; until then it refuses every statement."""
        try:
            return self.status("wsrep_local_state_comment") == "Synced"
        except pymysql.Error:
            return False

    def status(self, name: str) -> str:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("show status like %s", (name,))
            row = cursor.fetchone()
        return "" if row is None else str(row[1])

    def catch_up(self) -> None:
        """Wait until it has applied what the others had committed before."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("set session wsrep_sync_wait = 15")
            cursor.execute("select 1")

    def rejoin(self) -> None:
        """Start it after it was killed: it finds out at which write it was, and asks for others."""
        done = subprocess.run(
            [*self.command(), "--wsrep-recover"],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            **account(),
        )
        found = POSITION.search(done.stderr)
        assert found, done.stderr[-2_000:]
        self._position = [f"--wsrep-start-position={found[1]}"]
        self.start()


@contextmanager
def cluster(size: int = 3) -> Iterator[list[Node]]:
    """Start a cluster, node after node; one that was killed can rejoin it."""
    with ExitStack() as stack:
        first = stack.enter_context(Node())
        first.stop()  # so that its files are whole, and say at which write they are
        copies = stack.enter_context(copied(first.folder / "data"))
        first.start()
        nodes = [first, *(stack.enter_context(Node(first, copies)) for _ in range(1, size))]
        for node in nodes:
            node.others = [each for each in nodes if each is not node]
        yield nodes


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ts-") as place:
        yield shutil.copytree(folder, Path(place) / "data")


def _provider() -> Path:
    for path in PROVIDERS:
        if path.exists():
            return path
    raise Missing("Galera is not installed: apt-get install galera-4")


def open_on_any_node(url: str) -> BackendStore:
    """Open a handle on one of the nodes, by lot; the ports of all are the fragment of the URL.

    A URL that leads to none of them, but to a proxy, is taken as it is.
    """
    parts = urlsplit(url)
    ports = parts.fragment.split(",")
    if str(parts.port) in ports:
        user = parts.netloc.rpartition("@")[0]
        parts = parts._replace(netloc=f"{user}@{LOOPBACK}:{random.choice(ports)}")
    return open_backend_store(parts._replace(fragment="").geturl())


class ClusterHarness(DatabaseHarness):
    """Gives each test a database that all nodes know."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        super().__init__(nodes[0], open_on_any_node)
        self.url += f"#{','.join(str(node.port) for node in nodes)}"
        self.nodes = nodes

    def place(self, folder: Path) -> InDatabase:
        place = super().place(folder)
        for node in self.nodes:
            node.catch_up()
        return place
