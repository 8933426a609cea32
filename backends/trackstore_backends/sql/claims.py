"""Who may change the schema, in databases whose schema changes are in no transaction.

A named lock of the server would be simpler, but a cluster does not share it among its nodes.  A
row does: whoever inserts it may go on.  Everybody else waits until it is gone, or until its owner
must have died: his connection to this node has ended, or he has not confirmed it for too long.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread
from typing import Any
from uuid import uuid4

from trackstore.errors import Unavailable
from trackstore_backends.pauses import pauses
from trackstore_backends.sql.database import Session

SECONDS = 15
"""After which a claim that was not confirmed is void."""
PATIENCE = 300.0
"""Seconds to wait for others who change the schema."""

_TABLE = (
    "create table if not exists trackstore_claim (place integer primary key, "
    "owner char(32) character set ascii, beat bigint, thread bigint, "
    "node varchar(300) character set utf8mb4)"
)
_NODE = "concat(@@hostname, ':', @@port)"
_CLAIM = (
    f"insert ignore into trackstore_claim values (1, ?, unix_timestamp(), connection_id(), {_NODE})"
)
_INHERIT = (
    "update trackstore_claim "
    f"set owner = ?, beat = unix_timestamp(), thread = connection_id(), node = {_NODE} "
    f"where place = 1 and (beat < unix_timestamp() - {SECONDS} or node = {_NODE} "
    "and thread not in (select id from information_schema.processlist))"
)
_CONFIRM = "update trackstore_claim set beat = unix_timestamp() where owner = ?"
_RELEASE = "delete from trackstore_claim where owner = ?"


@contextmanager
def claimed(
    session: Session, connect: Callable[[], Any], speak: Callable[[Any], Session]
) -> Iterator[None]:
    """Wait for the claim, and keep it until the end of the block.

    `session` commits each statement by itself.  The claim is confirmed by a connection of its own,
    which `connect` makes and `speak` turns into a session.
    """
    owner = uuid4().hex
    session.run(_TABLE)
    wait_for_claim(session, owner)
    done = Event()
    with closing(connect()) as connection:
        confirming = Thread(target=confirm, args=(speak(connection), owner, done), daemon=True)
        confirming.start()
        try:
            yield
        finally:
            done.set()
            confirming.join()
            session.run(_RELEASE, (owner,))


def wait_for_claim(session: Session, owner: str) -> None:
    for _ in pauses(0.02, 0.1, within=PATIENCE):
        if session.run(_CLAIM, (owner,)) or session.run(_INHERIT, (owner,)):
            return
    raise Unavailable("another process has been changing the schema for too long")


def confirm(session: Session, owner: str, done: Event) -> None:
    while not done.wait(SECONDS / 4):
        session.run(_CONFIRM, (owner,))
