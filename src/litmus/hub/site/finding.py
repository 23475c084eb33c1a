"""What a visitor looks for: words and filters, read from the address of the page. Pure.

The script of the page does the same as one types (static/site.js); both compare texts after NFKC, so that full-width
letters find what they mean.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

CHOICES = ("", "yes", "no")
_LONGEST = 200


def plain(text: str) -> str:
    """The text as it is compared: small letters, no full-width forms, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What can be asked about a chart."""

    text: str  # name, group, keywords and words, as ``plain`` gives them
    group: str
    privileges: str  # yes, no
    sandbox: str  # yes, no; '' where nobody knows
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is looked for. An empty field means anything."""

    q: str = ""
    group: str = ""
    privileges: str = ""
    sandbox: str = ""
    platform: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Wish":
        """From the query of an address; a value that no filter has counts as none."""
        yes_no = {name: query.get(name, "") for name in ("privileges", "sandbox")}
        return cls(
            q=query.get("q", "")[:_LONGEST],
            group=query.get("group", "")[:_LONGEST],
            platform=query.get("platform", "")[:_LONGEST],
            **{name: value if value in CHOICES else "" for name, value in yes_no.items()},
        )

    def finds(self, traits: Traits) -> bool:
        """Every word must be in the text, and every filter that is set must fit."""
        return (
            all(word in traits.text for word in plain(self.q).split())
            and self.group in ("", traits.group)
            and self.privileges in ("", traits.privileges)
            and self.sandbox in ("", traits.sandbox)
            and (not self.platform or self.platform in traits.platforms)
        )

    @property
    def query(self) -> str:
        """As the query of an address."""
        fields = ("q", "group", "privileges", "sandbox", "platform")
        return urlencode({name: value for name in fields if (value := getattr(self, name))})
