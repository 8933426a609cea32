"""Clients that keep a server busy, and know what it has acknowledged."""

import json
import threading
from http.client import HTTPConnection, HTTPException

from provision.server import RunningServer

TRACKING = "/api/2.0/mlflow/"
JSON = {"Content-Type": "application/json"}


def new_run(server: RunningServer) -> str:
    made = server.call(f"{TRACKING}runs/create", {"experiment_id": "0"})
    return str(made["run"]["info"]["run_id"])


class Load:
    """Clients that log points one at a time until the server is gone, and note every answer."""

    def __init__(self, server: RunningServer, run_id: str, clients: int) -> None:
        self.server = server
        self.run_id = run_id
        self.acknowledged: list[int] = []
        self.refused: list[int] = []
        self.enough = threading.Event()
        self.threads = [
            threading.Thread(target=self._log, args=(number,)) for number in range(clients)
        ]
        for thread in self.threads:
            thread.start()

    def _log(self, number: int) -> None:
        with self.server.connect() as connection:
            for step in range(number * 1_000_000, (number + 1) * 1_000_000):
                status = self._log_step(connection, step)
                if status is None:
                    return
                (self.acknowledged if status == 200 else self.refused).append(step)
                if len(self.acknowledged) > 300:
                    self.enough.set()

    def _log_step(self, connection: HTTPConnection, step: int) -> int | None:
        """Return the status that a point is answered with, or None if the server is gone."""
        point = {"run_id": self.run_id, "key": "m", "value": 1, "timestamp": 1, "step": step}
        try:
            connection.request("POST", f"{TRACKING}runs/log-metric", json.dumps(point), JSON)
            reply = connection.getresponse()
            reply.read()
        except (OSError, HTTPException):
            return None
        return reply.status

    def join(self) -> None:
        for thread in self.threads:
            thread.join(30)
