"""What can go wrong with a sandbox as a whole; each message is one sentence that says what to do."""


class SandboxError(Exception):
    """The sandbox can't be started, found or stopped."""
