"""The two kinds of file that describe charts to a hub, as types: what ``lint`` checks them against.

The field names are upstream's, of 1.10 and of 3.x alike, misspelt API group included.
"""

from typing import Any

from msgspec import field

from litmus.api.meta import Shape

API_VERSIONS = ("litmuchaos.io/v1alpha1", "litmuschaos.io/v1alpha1")


class Person(Shape, frozen=True, kw_only=True):
    name: str = ""
    email: str = ""


class NamedLink(Shape, frozen=True, kw_only=True):
    name: str = ""
    url: str = ""


class IconLink(Shape, frozen=True, kw_only=True):
    url: str = ""
    mediatype: str = ""


class Member(Shape, frozen=True, kw_only=True):
    """A fault as the file of a group of 3.x lists it."""

    name: str
    display_name: str = ""
    description: str = ""
    plan: list[str] = []


class ChartSpec(Shape, frozen=True, kw_only=True):
    display_name: str = ""
    category_description: str = ""
    experiments: list[str] = []
    faults: list[Member] = []
    scenarios: list[str] = []
    keywords: list[str] = []
    platforms: list[str] = []
    maturity: str = ""
    maintainers: list[Person] = []
    min_kube_version: Any = ""  # 1.20 without quotes is a number
    provider: dict[str, Any] = {}
    links: list[NamedLink] = []
    icon: list[IconLink] = []
    chaosexpcrdlink: str = ""
    chaos_type: str = ""
    labels: dict[str, Any] = {}


class ChartServiceVersion(Shape, frozen=True, kw_only=True):
    api_version: str
    kind: str
    metadata: dict[str, Any]
    spec: ChartSpec


class Listed(Shape, frozen=True, kw_only=True):
    name: str
    metadata_file: str = field(name="CSV", default="")
    desc: str = ""


class Package(Shape, frozen=True, kw_only=True):
    """``<group>.package.yaml``: which charts a group offers."""

    package_name: str
    experiments: list[Listed] = []
    faults: list[Listed] = []
