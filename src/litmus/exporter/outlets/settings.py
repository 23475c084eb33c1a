"""Where chaos windows go: the flags of ``litmus exporter`` and its environment, checked, with one sentence a mistake.

Every flag has a variable, and a flag counts more. What must stay secret has no flag: it comes from the environment, or
from a file that a flag or a variable names, as a Secret is mounted.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx2

_LARGEST_SECRET = 64 << 10
_SHORTEST_KEY = 16
_NO = ("0", "false", "no", "off")
_YES = ("1", "true", "yes", "on")


class Misused(ValueError):
    """A setting can't be used. The sentence names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    url: str = field(repr=False)
    key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grafana:
    url: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Otlp:
    """``url`` is complete, with /v1/traces."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    events: bool = True
    cluster: str = ""
    webhook: Webhook | None = None
    grafana: Grafana | None = None
    otlp: Otlp | None = None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of the outlets."""
    group = parser.add_argument_group("chaos windows for other tools")
    group.add_argument(
        "--events",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="post Kubernetes events with start and end of each chaos window (LITMUS_WINDOW_EVENTS; default: yes)",
    )
    for flag, variable, help_ in _FLAGS:
        group.add_argument(flag, default=None, metavar=flag.rpartition("-")[2].upper(), help=f"{help_} ({variable})")


def read(flags: Mapping[str, object], env: Mapping[str, str]) -> Settings:
    """The settings. ``flags`` by their names in Python, such as ``webhook_url``; None is not given. Raises Misused."""
    return _Reader(flags, env).settings()


_FLAGS = (
    ("--cluster-name", "LITMUS_CLUSTER_NAME", "name of this cluster in webhooks and traces"),
    ("--webhook-url", "LITMUS_WEBHOOK_URL", "where CloudEvents of runs are posted"),
    ("--webhook-key-file", "LITMUS_WEBHOOK_KEY_FILE", "file with the key that signs them; or LITMUS_WEBHOOK_KEY"),
    ("--grafana-url", "LITMUS_GRAFANA_URL", "Grafana in which windows become annotations"),
    ("--grafana-token-file", "LITMUS_GRAFANA_TOKEN_FILE", "file with its token; or LITMUS_GRAFANA_TOKEN"),
    ("--otlp-endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", "OpenTelemetry collector that gets a trace a run, over HTTP"),
)


class _Reader:
    def __init__(self, flags: Mapping[str, object], env: Mapping[str, str]) -> None:
        self._flags = flags
        self._env = env

    def settings(self) -> Settings:
        return Settings(
            events=self._events(),
            cluster=self._given("cluster-name")[0],
            webhook=self._webhook(),
            grafana=self._grafana(),
            otlp=self._otlp(),
        )

    def _events(self) -> bool:
        given = self._flags.get("events")
        if given is not None:
            return bool(given)
        text = self._env.get("LITMUS_WINDOW_EVENTS", "").strip().lower()
        if text and text not in _NO + _YES:
            raise Misused(f"LITMUS_WINDOW_EVENTS is {text!r}; give true or false")
        return text not in _NO

    def _webhook(self) -> Webhook | None:
        url, said_by = self._given("webhook-url")
        key, key_by = self._secret("webhook-key")
        if not url:
            if key:
                raise Misused(f"{key_by} is given, but no address to sign for; give --webhook-url or leave the key out")
            return None
        if key and len(key) < _SHORTEST_KEY:
            raise Misused(f"the key in {key_by} has {len(key)} bytes; a signature needs at least {_SHORTEST_KEY}")
        return Webhook(url=_address(url, said_by), key=key.encode())

    def _grafana(self) -> Grafana | None:
        url, said_by = self._given("grafana-url")
        token, token_by = self._secret("grafana-token")
        if not url and not token:
            return None
        if not url:
            raise Misused(f"{token_by} is given, but no Grafana; give --grafana-url or leave the token out")
        if not token:
            raise Misused(
                f"{said_by} needs a token that may write annotations; "
                "give LITMUS_GRAFANA_TOKEN, or its file with --grafana-token-file"
            )
        _header("the token of Grafana", token)
        return Grafana(url=_address(url, said_by), token=token)

    def _otlp(self) -> Otlp | None:
        complete = self._env.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").strip()
        base, said_by = self._given("otlp-endpoint")
        if self._flags.get("otlp_endpoint") is None and complete:
            url = _address(complete, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        elif base:
            url = _address(base, said_by).rstrip("/") + "/v1/traces"
        else:
            return None
        return Otlp(url=url, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        """As OpenTelemetry writes them: name=value,name=value, percent-encoded."""
        variable = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
        if variable not in self._env:
            variable = "OTEL_EXPORTER_OTLP_HEADERS"
        found = {}
        for pair in filter(None, (part.strip() for part in self._env.get(variable, "").split(","))):
            name, equals, value = pair.partition("=")
            if not equals or not name.strip():
                raise Misused(f"{variable} has an entry without a name or '='; write name=value, with commas between")
            name, value = name.strip(), unquote(value.strip())
            _header(f"the header {name!r} of {variable}", f"{name}{value}")
            found[name] = value
        return found

    def _given(self, flag: str) -> tuple[str, str]:
        """A value and by what it was given: the flag, else the variable."""
        given = self._flags.get(flag.replace("-", "_"))
        if given is not None:
            return str(given).strip(), f"--{flag}"
        variable = next(variable for name, variable, _ in _FLAGS if name == f"--{flag}")
        return self._env.get(variable, "").strip(), variable

    def _secret(self, name: str) -> tuple[str, str]:
        """A secret from its file, else from the environment; both at once is a mistake."""
        file, file_by = self._given(f"{name}-file")
        variable = f"LITMUS_{name.replace('-', '_').upper()}"
        direct = self._env.get(variable, "").strip()
        if file and direct:
            raise Misused(f"both {file_by} and {variable} are given; leave one of them out")
        return (_content(file, file_by), file_by) if file else (direct, variable)


def _content(file: str, said_by: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            text = opened.read(_LARGEST_SECRET + 1).decode().strip()
    except OSError as error:
        raise Misused(
            f"{said_by} {file} can't be read ({error.strerror}); give a file that holds the secret"
        ) from error
    except UnicodeDecodeError as error:
        raise Misused(f"{said_by} {file} is not text; write the secret as text, such as in base64") from error
    if not text or len(text) > _LARGEST_SECRET:
        raise Misused(f"{said_by} {file} {'is empty' if not text else 'is too large'}; it must hold the secret alone")
    return text


def _address(text: str, said_by: str) -> str:
    """The address again. It is not repeated in a mistake: it may hold a key."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx2.URL(text)  # it refuses some more, such as a name that can't be one of a host
    except (ValueError, httpx2.InvalidURL):
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise Misused(f"{said_by} is no address; give one that begins with http:// or https:// and names a host")
    return text


def _header(what: str, value: str) -> None:
    if not value.isascii() or not value.isprintable():
        raise Misused(f"{what} has characters that a header can't carry; it must be printable ASCII in one line")
