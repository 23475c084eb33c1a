"""A sandbox as a user handles it: started in the background, looked at, and taken away without a trace."""

from litmus.sandbox.machinery import ports

from .errors import MissingExtra, SandboxError

__all__ = ["MissingExtra", "SandboxError", "notes"]


def notes() -> list[str]:
    """What a user should know about this machine, one sentence each."""
    lowest = ports.lowest_free()
    if lowest <= 1:
        return []
    return [f"This user may not open ports below {lowest}: a pod's port 80 is found at {ports.reachable(80)}."]
