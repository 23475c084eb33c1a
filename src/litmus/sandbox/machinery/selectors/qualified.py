"""What may be a label: the rules for keys and values, in the words of a real server.

Source: k8s.io/apimachinery/pkg/api/validate/content and the documentation "Labels and Selectors", "Syntax and
character set".
"""

import re

_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_CHARACTERS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)

_KEY_FORM = f"{_CHARACTERS} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME}')"
_KEY_PARTS = f"a qualified name {_KEY_FORM} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
_VALUE_FORM = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'({_NAME})?')"
)
_SUBDOMAIN_FORM = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_is_name = re.compile(_NAME).fullmatch
_is_subdomain = re.compile(_SUBDOMAIN).fullmatch


def _too_long(length: int) -> str:
    return f"must be no more than {length} bytes"


def subdomain_mistakes(text: str) -> list[str]:
    """What keeps a text from being a DNS-1123 subdomain; [] when it is one."""
    found = [_too_long(253)] if len(text.encode()) > 253 else []
    return found if _is_subdomain(text) else [*found, _SUBDOMAIN_FORM]


def key_mistakes(text: str) -> list[str]:
    """What keeps a text from being a label key (a qualified name); [] when it is one."""
    *prefixes, name = text.split("/")
    if len(prefixes) > 1:
        return [_KEY_PARTS]
    found: list[str] = []
    if prefixes == [""]:
        found.append("prefix part must be non-empty")
    elif prefixes:
        found += [f"prefix part {mistake}" for mistake in subdomain_mistakes(prefixes[0])]
    if not name:
        found.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        found.append(f"name part {_too_long(63)}")
    return found if _is_name(name) else [*found, f"name part {_KEY_FORM}"]


def value_mistakes(text: str) -> list[str]:
    """What keeps a text from being the value of a label; [] when it may be one."""
    found = [_too_long(63)] if len(text.encode()) > 63 else []
    return found if not text or _is_name(text) else [*found, _VALUE_FORM]
