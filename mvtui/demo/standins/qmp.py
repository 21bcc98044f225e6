"""QEMU's control protocol, as far as one client at a time goes (QEMU's docs/interop/qmp-spec)."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Mapping

Json = Mapping[str, object]

# The value of `return` for a command and its arguments. Raises LookupError for a command that is not known,
# ValueError for one that is refused.
Answer = Callable[[str, Json], object]


class Monitor:
    """One client, which is greeted at once."""

    def __init__(self, connection: socket.socket, version: Json, answer: Answer) -> None:
        self.connection = connection
        self._answer = answer
        self._negotiated = False
        self._received = b""
        self._send({"QMP": {"version": version, "capabilities": ["oob"]}})

    def _send(self, message: Json) -> None:
        """One message; a client that has left is found out by the next read."""
        with contextlib.suppress(OSError):
            self.connection.sendall(json.dumps(message).encode() + b"\r\n")

    def event(self, name: str, data: Json) -> None:
        """Tell what happened, to a client that has negotiated."""
        if self._negotiated:
            seconds, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
            timestamp = {"seconds": seconds, "microseconds": microseconds}
            self._send({"timestamp": timestamp, "event": name, "data": data})

    def read(self) -> bool:
        """Answer what has arrived; False when the client has left."""
        try:
            chunk = self.connection.recv(65536)
        except OSError:
            return False
        self._received += chunk
        while message := self._received.lstrip():
            # A message ends where its JSON ends: QEMU wants no newline after it.
            try:
                text = message.decode(errors="replace")
                value, end = json.JSONDecoder().raw_decode(text)
                self._received = text[end:].encode()
            except ValueError:
                _, newline, rest = message.partition(b"\n")
                if not newline:
                    break
                self._received = rest
                value = None
            self._reply(value)
        return bool(chunk)

    def _reply(self, message: object) -> None:
        if not isinstance(message, dict) or not isinstance(message.get("execute"), str):
            self._send({"error": {"class": "GenericError", "desc": "JSON parse error, expecting value"}})
            return
        mark = {"id": message["id"]} if "id" in message else {}
        command, given = message["execute"], message.get("arguments")
        given = given if isinstance(given, dict) else {}
        try:
            if not self._negotiated and command != "qmp_capabilities":
                raise LookupError("Expecting capabilities negotiation with 'qmp_capabilities'")
            if self._negotiated and command == "qmp_capabilities":
                raise LookupError("Capabilities negotiation is already complete, command ignored")
            answer = self._answer(command, given) if self._negotiated else {}
        except LookupError as error:
            self._send({"error": {"class": "CommandNotFound", "desc": str(error)}} | mark)
        except ValueError as error:
            kind = "DeviceNotActive" if "balloon" in command else "GenericError"
            self._send({"error": {"class": kind, "desc": str(error)}} | mark)
        else:
            self._negotiated = True
            self._send({"return": answer} | mark)
