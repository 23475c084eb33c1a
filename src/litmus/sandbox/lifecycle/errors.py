"""What can go wrong with a sandbox as a whole; each message is one sentence that says what to do."""


class SandboxError(Exception):
    """The sandbox can't be started, found or stopped."""


class MissingExtra(SandboxError):
    """The sandbox needs packages that are not installed. The sentence says how to get them."""
