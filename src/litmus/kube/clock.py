"""Times as Kubernetes writes them: RFC 3339, UTC."""

from datetime import UTC, datetime


def now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


def stamp(when: datetime | None = None) -> str:
    """Whole seconds, the resolution of a Kubernetes timestamp."""
    return (when or now()).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise(when: datetime) -> str:
    """Milliseconds, for what is measured."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The time that a Kubernetes timestamp means; without an offset it is UTC. Raises ValueError."""
    when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return when if when.tzinfo else when.replace(tzinfo=UTC)
