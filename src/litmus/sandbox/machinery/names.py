"""What names, labels and identifiers may look like, said in the words of a real server.

Each rule returns the error texts for a value, [] when it is fine; the caller knows which field it stands in. The texts
are what clients see and search for. Source: k8s.io/apimachinery/pkg/util/validation and
k8s.io/apiserver/pkg/storage/names.
"""

import re
import secrets

LABEL_MAX = 63
SUBDOMAIN_MAX = 253
GENERATED_MAX = 63
GENERATED_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no digits that look like letters, so that nothing rude or ambiguous comes out."""
GENERATED_LENGTH = 5

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"

LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    f"'{_LABEL_1035}')"
)
QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'{_LABEL_VALUE}')"
)
ENV_TEXT = "a valid environment variable name must consist only of printable ASCII characters other than '='"
CONFIG_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    f"'key-name', regex used for validation is '{_CONFIG_KEY}')"
)
WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    rf"regex used for validation is '\*\.{_SUBDOMAIN}')"
)

_is_label = re.compile(_LABEL, re.ASCII).fullmatch
_is_subdomain = re.compile(_SUBDOMAIN, re.ASCII).fullmatch
_is_label_1035 = re.compile(_LABEL_1035, re.ASCII).fullmatch
_is_qualified = re.compile(_QUALIFIED, re.ASCII).fullmatch
_is_label_value = re.compile(_LABEL_VALUE, re.ASCII).fullmatch
_is_config_key = re.compile(_CONFIG_KEY, re.ASCII).fullmatch
_is_wildcard = re.compile(_WILDCARD, re.ASCII).fullmatch
_is_port_charset = re.compile("[-a-z0-9]+", re.ASCII).fullmatch
_has_letter = re.compile("[a-z]", re.ASCII).search
_is_env = re.compile("[ -<>-~]+", re.ASCII).fullmatch


def too_long(most: int) -> str:
    """The text for a value longer than ``most``."""
    return f"must be no more than {most} bytes"


def label(value: str) -> list[str]:
    """A DNS-1123 label: namespaces, containers, volumes."""
    found = [too_long(LABEL_MAX)] if len(value) > LABEL_MAX else []
    if not _is_label(value):
        found.append("must not contain dots" if _is_subdomain(value) else LABEL_TEXT)
    return found


def subdomain(value: str) -> list[str]:
    """A DNS-1123 subdomain: the names of most objects."""
    found = [too_long(SUBDOMAIN_MAX)] if len(value) > SUBDOMAIN_MAX else []
    return found if _is_subdomain(value) else [*found, SUBDOMAIN_TEXT]


def wildcard_subdomain(value: str) -> list[str]:
    """``*.`` and a subdomain: hosts of ingresses."""
    found = [too_long(SUBDOMAIN_MAX)] if len(value) > SUBDOMAIN_MAX else []
    return found if _is_wildcard(value) else [*found, WILDCARD_TEXT]


def label_1035(value: str) -> list[str]:
    """A DNS-1035 label: services."""
    found = [too_long(LABEL_MAX)] if len(value) > LABEL_MAX else []
    return found if _is_label_1035(value) else [*found, LABEL_1035_TEXT]


def qualified(value: str) -> list[str]:
    """A qualified name, ``prefix/name`` or ``name``: keys of labels and annotations, finalizers, resources."""
    *prefixes, name = value.split("/")
    if len(prefixes) > 1:
        optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {QUALIFIED_TEXT} {optional}"]
    found = []
    for prefix in prefixes:
        if prefix:
            found += [f"prefix part {said}" for said in subdomain(prefix)]
        else:
            found.append("prefix part must be non-empty")
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > LABEL_MAX:
        found.append(f"name part {too_long(LABEL_MAX)}")
    return found if _is_qualified(name) else [*found, f"name part {QUALIFIED_TEXT}"]


def label_value(value: str) -> list[str]:
    """The value of a label; '' is one."""
    found = [too_long(LABEL_MAX)] if len(value) > LABEL_MAX else []
    return found if _is_label_value(value) else [*found, LABEL_VALUE_TEXT]


def env(value: str) -> list[str]:
    """The name of an environment variable, as relaxed as Kubernetes is since 1.32."""
    if not value:
        return ["environment variable name must be non-empty"]
    return [] if _is_env(value) else [ENV_TEXT]


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret: it becomes a file's name."""
    found = [too_long(SUBDOMAIN_MAX)] if len(value) > SUBDOMAIN_MAX else []
    if not _is_config_key(value):
        found.append(CONFIG_KEY_TEXT)
    if value == ".":
        found.append("must not be '.'")
    elif value.startswith(".."):
        found.append("must not be '..'" if value == ".." else "must not start with '..'")
    return found


def path_segment(value: str) -> list[str]:
    """A name that stands as one part of a URL: roles, bindings, endpoints of old."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{part}'" for part in ("/", "%") if part in value]


def port_name(value: str) -> list[str]:
    """An IANA service name: ports of containers and probes."""
    found = []
    if len(value) > 15:
        found.append(too_long(15))
    if not _is_port_charset(value):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not _has_letter(value):
        found.append("must contain at least one letter (a-z)")
    if "--" in value:
        found.append("must not contain consecutive hyphens")
    if value and "-" in (value[0], value[-1]):
        found.append("must not begin or end with a hyphen")
    return found


def port_number(value: int) -> list[str]:
    """A TCP, UDP or SCTP port."""
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def generate(prefix: str) -> str:
    """A name for an object that only gave ``generateName``."""
    return prefix[: GENERATED_MAX - GENERATED_LENGTH] + suffix()


def suffix(length: int = GENERATED_LENGTH) -> str:
    """Random characters of Kubernetes' alphabet for names."""
    return "".join(secrets.choice(GENERATED_ALPHABET) for _ in range(length))
