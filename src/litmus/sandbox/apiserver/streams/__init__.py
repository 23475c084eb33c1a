"""exec, attach and port-forward: long conversations between a client and a pod, through the API server.

For the routes: let uvicorn run with ``Config(http=streams.Protocol, ws="none")``. An upgrade, to WebSocket or SPDY, is
then an ordinary HTTP request (GET or POST). Once it is authenticated and authorized, ``return await`` one of these with
the Starlette request, the pod and, but for ``port_forward``, the socket of its node's kubelet (any path where the pod
has no node: that is refused here). Each raises Refusal before the upgrade, holds the conversation, and returns a
Response: either a refusal in plain text, as kubelets give it, or one that does nothing more.
"""

from .forwarding import port_forward
from .remote_command import attach, exec_
from .upgrade import Protocol

__all__ = ["Protocol", "attach", "exec_", "port_forward"]
