"""Tunables of the cpu, memory and io experiments, for pods and for nodes.

Sizes are given as a percentage or as a number, never both. The original's charts list a percentage, so that a user who
sets a number gives both; ours list none, and its default holds where no size is given at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import verdicts
from .tunables import DURATION, Tunable, Values, seconds_or_none

MIB = 1 << 20
GIB = 1 << 30
_MOST_WORKERS = 4096
_MOST_BYTES = 1 << 50


def whole(least: int) -> Callable[[str], int]:
    """A whole number of workers or processors."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= _MOST_WORKERS:
            raise ValueError(f"must be a whole number from {least} to {_MOST_WORKERS}")
        return int(text)

    return read


def load(text: str) -> float:
    """Percent, above 0."""
    return _number(text, most=100, least=1, what="a percentage from 1 to 100")


def share(text: str) -> float | None:
    """Percent, above 0; empty or 0 is none, as the original's engines have it."""
    return _number(text, most=100, what="a percentage above 0 and up to 100") if text not in ("", "0") else None


def size(unit: int, name: str) -> Callable[[str], int | None]:
    """A number of ``unit`` bytes, with decimals if need be; empty or 0 is none. The value is in bytes."""

    def read(text: str) -> int | None:
        what = f"a number of {name} above 0, without a unit, such as 1 or 0.5"
        return int(_number(text, most=_MOST_BYTES / unit, what=what) * unit) if text not in ("", "0") else None

    return read


def folder(text: str) -> str:
    """An absolute path, or nothing."""
    if text and (not text.startswith("/") or ".." in text.split("/")):
        raise ValueError("must be the absolute path of a folder in the container, such as /data")
    return text


def _number(text: str, *, most: float, what: str, least: float = 0.0) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"must be {what}") from None
    if not least <= value <= most or value <= 0:
        raise ValueError(f"must be {what}")
    return value


CPU_CORES = Tunable(
    name="CPU_CORES",
    default="1",
    unit="workers",
    read=whole(0),
    help="Workers that compute in the container; 0 is as many as it may use processors.",
)
NODE_CPU_CORE = Tunable(
    name="NODE_CPU_CORE",
    default="0",
    unit="workers",
    read=whole(0),
    help="Workers that compute on the node; 0 is one for each of its processors.",
)
CPU_LOAD = Tunable(name="CPU_LOAD", default="100", unit="%", read=load, help="How busy each worker keeps a processor.")
MEMORY_CONSUMPTION = Tunable(
    name="MEMORY_CONSUMPTION",
    default="500",
    unit="MiB",
    read=size(MIB, "MiB"),
    help="Memory to hold in the container; up to its limit, where the kernel's OOM killer steps in.",
)
MEMORY_PERCENTAGE = Tunable(
    name="MEMORY_PERCENTAGE",
    default="",
    unit="%",
    read=share,
    help="Share of the memory that pods may use on the node; 90 where no size is given; at most what is available.",
)
MEMORY_CONSUMPTION_PERCENTAGE = Tunable(
    name="MEMORY_CONSUMPTION_PERCENTAGE",
    default="",
    unit="%",
    read=share,
    help="The name of MEMORY_PERCENTAGE in later releases; give one of them.",
)
MEMORY_CONSUMPTION_MEBIBYTES = Tunable(
    name="MEMORY_CONSUMPTION_MEBIBYTES",
    default="",
    unit="MiB",
    read=size(MIB, "MiB"),
    help="Memory to hold on the node, instead of a percentage.",
)
MEMORY_WORKERS = Tunable(
    name="NUMBER_OF_WORKERS",
    default="1",
    unit="workers",
    read=whole(1),
    help="Processes that hold the memory together.",
)
FILESYSTEM_PERCENTAGE = Tunable(
    name="FILESYSTEM_UTILIZATION_PERCENTAGE",
    default="",
    unit="%",
    read=share,
    help="Size of the files that are written, as a share of the file system's free space; 10 where no size is given.",
)
FILESYSTEM_BYTES = Tunable(
    name="FILESYSTEM_UTILIZATION_BYTES",
    default="",
    unit="GiB",
    read=size(GIB, "GiB"),
    help="Size of the files that are written, instead of a percentage; in GiB despite its name, 0.5 is allowed.",
)
IO_WORKERS = Tunable(
    name="NUMBER_OF_WORKERS",
    default="4",
    unit="workers",
    read=whole(1),
    help="Processes that write the files together, again and again.",
)
VOLUME_MOUNT_PATH = Tunable(
    name="VOLUME_MOUNT_PATH",
    default="",
    read=folder,
    help="Folder of the container to write in, such as a volume; empty is its root.",
)
STRESS_RAMP = Tunable(
    name="STRESS_RAMP_TIME",
    default="0",
    unit="s",
    read=seconds_or_none,
    help="Reach the load in steps, up to five, over this time within the chaos; 0 is at once.",
)

_DEFAULT_MEMORY_PERCENT = 90.0
_DEFAULT_FILES_PERCENT = 10.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much: bytes, or percent; the other one is 0."""

    bytes: int = 0
    percent: float = 0.0

    def parameters(self) -> dict[str, Any]:
        """As the mechanisms take it."""
        return {"bytes": self.bytes, "percent": self.percent}

    def describe(self, of: str) -> str:
        """``300 MiB``, or ``90 % of the memory``."""
        return f"{self.bytes / MIB:.0f} MiB" if self.bytes else f"{self.percent:g} % of {of}"


def node_memory(values: Values) -> Size:
    """Raises CannotRun when more than one size is given."""
    return _one_size(
        values,
        percentages=(MEMORY_PERCENTAGE, MEMORY_CONSUMPTION_PERCENTAGE),
        number=MEMORY_CONSUMPTION_MEBIBYTES,
        default_percent=_DEFAULT_MEMORY_PERCENT,
    )


def files(values: Values) -> Size:
    """Raises CannotRun when more than one size is given."""
    return _one_size(
        values,
        percentages=(FILESYSTEM_PERCENTAGE,),
        number=FILESYSTEM_BYTES,
        default_percent=_DEFAULT_FILES_PERCENT,
    )


def common(values: Values) -> dict[str, Any]:
    """The parameters that all stress has. Raises CannotRun when the ramp is longer than the chaos."""
    duration_s, ramp_s = values[DURATION], values[STRESS_RAMP]
    if ramp_s >= duration_s:
        raise verdicts.CannotRun(
            f"{STRESS_RAMP.name}={ramp_s}: must be shorter than {DURATION.name}, which is {duration_s} s",
            code=verdicts.TUNABLE,
        )
    return {"duration_s": float(duration_s), "ramp_s": float(ramp_s)}


def _one_size(values: Values, *, percentages: tuple[Tunable, ...], number: Tunable, default_percent: float) -> Size:
    given = [tunable for tunable in (*percentages, number) if values[tunable] is not None]
    if len(given) > 1:
        names = " and ".join(tunable.name for tunable in given)
        shown = ", ".join(
            f"{tunable.name}={values[tunable] / MIB:g} MiB"
            if tunable is number
            else f"{tunable.name}={values[tunable]:g}"
            for tunable in given
        )
        raise verdicts.CannotRun(
            f"{shown}: {names} can't both be given; set one of them, and the other one to 0", code=verdicts.TUNABLE
        )
    if values[number] is not None:
        return Size(bytes=values[number])
    return Size(percent=values[given[0]] if given else default_percent)
