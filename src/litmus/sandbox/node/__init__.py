"""A kubelet in a process of its own: it runs the containers of its pods as local processes.

The walls inside: ``spawning`` and ``container`` start and end processes; ``logs``, ``volumes``, ``environment`` and
``view`` are what a container gets; ``probes`` and ``hooks`` ask it; ``crash_loop``, ``lifecycle`` and ``pod_status``
decide, without I/O; ``worker`` lives a pod's life; ``kubelet`` is the whole; ``server`` answers the API server.

What is not done, because it takes a kernel feature that a plain user does not have: limits of memory and CPU, root file
systems, users and groups (runAsUser, fsGroup), capabilities, seccomp and the rest of a security context. They are
accepted and have no effect. Ports of the host (hostPort) are not mapped.
"""

from .processes import sweep

__all__ = ["sweep"]
