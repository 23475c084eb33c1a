"""A line from the experiment to its helper over the pod network, for faults that silence the node.

With the kubelet or the container runtime out of service nobody can end the helper pod through the API server. Before
such a fault is injected the experiment calls and says ``go``, so that the line is known to work; to end the fault early
it calls again and says ``stop``. Each word comes with a secret of the session; nothing else is understood.
"""

import contextlib
import hmac
import socket

PORT = 9371
GO, STOP = "go", "stop"
_LONGEST = 256
_PATIENCE_S = 1.0


class Line:
    """The helper's end. Hears on all addresses of its pod."""

    def __init__(self, secret: str, *, port: int = PORT) -> None:
        self._secret = secret
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        self._socket = socket.create_server(("", port), family=family, dualstack_ipv6=both)
        self._socket.settimeout(_PATIENCE_S)
        self.port = self._socket.getsockname()[1]

    def fileno(self) -> int:
        return self._socket.fileno()

    def hear(self) -> str:
        """The word of one caller, '' if it is none of the experiment's. The caller gets the word back as an answer."""
        with contextlib.suppress(OSError):
            caller, _ = self._socket.accept()
            with caller:
                caller.settimeout(_PATIENCE_S)
                secret, _, word = caller.recv(_LONGEST).decode(errors="replace").strip().partition(" ")
                if hmac.compare_digest(secret.encode(), self._secret.encode()) and word in (GO, STOP):
                    caller.sendall(f"{word}\n".encode())
                    return word
        return ""

    def close(self) -> None:
        self._socket.close()
