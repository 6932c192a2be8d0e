"""A client that can vanish: it speaks the warehouse's protocol with nothing that would try again."""

import contextlib
import http.client
import json
import threading
import tomllib
import uuid
from typing import Any

from tests.faults.crash_warehouse import CrashWarehouse


class FragileClient:
    """One session over one network connection."""

    def __init__(self, warehouse: CrashWarehouse) -> None:
        settings = tomllib.loads(warehouse.config_file.read_text())["connections"]["local"]
        self._address = (settings["host"], settings["port"])
        self._connection = http.client.HTTPConnection(*self._address)
        data = {"LOGIN_NAME": settings["user"], "PASSWORD": settings["password"]}
        place = f"?databaseName={settings['database']}&warehouse={settings['warehouse']}"
        answer = self._post(self._connection, f"/session/v1/login-request{place}", {"data": data})
        self._token = answer["data"]["token"]
        self.answer: dict[str, Any] | None = None
        self._thread: threading.Thread | None = None

    def run(self, statement: str) -> dict[str, Any]:
        """The server's answer to a statement."""
        path = f"/queries/v1/query-request?requestId={uuid.uuid4()}"
        return self._post(self._connection, path, {"sqlText": statement})

    def begin(self, statement: str) -> None:
        """Send a statement and do not wait; `answer` holds what came, if anything does."""

        def run() -> None:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                self.answer = self.run(statement)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def wait(self) -> dict[str, Any] | None:
        """The answer to what was begun; None when the connection broke first."""
        if self._thread is not None:
            self._thread.join()
        return self.answer

    def vanish(self) -> None:
        """Be gone, as when the process was killed: the system closes the network connection."""
        sock = self._connection.sock
        if sock is not None:
            # Only this wakes the thread that reads from it.
            with contextlib.suppress(OSError):
                sock.shutdown(2)
        self.wait()
        self._connection.close()

    def log_out(self) -> None:
        """Close the session from another network connection while its statement still runs."""
        other = http.client.HTTPConnection(*self._address)
        self._post(other, "/session?delete=true", {})
        other.close()

    def _post(
        self, connection: http.client.HTTPConnection, path: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "_token"):
            headers["Authorization"] = f'Snowflake Token="{self._token}"'
        connection.request("POST", path, json.dumps(body), headers)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer
