"""How long ago, as ``kubectl get`` says it: ``45s``, ``3m5s``, ``26h``, ``2y15d``.

Source: k8s.io/apimachinery/pkg/util/duration, HumanDuration: two units while the larger one is small.
"""

from datetime import timedelta

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 24 * 3600, 365 * 24 * 3600


def said(age: timedelta) -> str:
    """An age in words of at most two units; a clock that is off by a second is forgiven."""
    seconds = int(age.total_seconds())
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 3 * _HOUR:
        return _pair(seconds, unit=_MINUTE, name="m", below=10 * _MINUTE, smaller=1, smaller_name="s")
    if seconds < 2 * _DAY:
        return _pair(seconds, unit=_HOUR, name="h", below=8 * _HOUR, smaller=_MINUTE, smaller_name="m")
    if seconds < 2 * _YEAR:
        return _pair(seconds, unit=_DAY, name="d", below=8 * _DAY, smaller=_HOUR, smaller_name="h")
    return _pair(seconds, unit=_YEAR, name="y", below=8 * _YEAR, smaller=_DAY, smaller_name="d")


def _pair(seconds: int, *, unit: int, name: str, below: int, smaller: int, smaller_name: str) -> str:
    rest = seconds % unit // smaller
    return f"{seconds // unit}{name}" + (f"{rest}{smaller_name}" if rest and seconds < below else "")
