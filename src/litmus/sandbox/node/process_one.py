"""Process 1 of a container is its main process: here that has another number, and 1 is this machine's.

``kill 1`` and ``/proc/1/fd/1`` are common in commands and scripts, and as root the first would end the machine. So both
are replaced in what is said to a container, as mount paths are; ``kill -9 -1`` means the main process' group. The shim
does the same for Python. What a program does by itself can't be seen.
"""

import re
from collections.abc import Sequence
from pathlib import Path

MAIN = "LITMUS_SANDBOX_MAIN"
"""The variable with the number of the main process, for commands that are run in a container later."""
ITSELF = "$$"
"""The number in a script that the main process itself is."""

_SHELLS = ("ash", "bash", "dash", "ksh", "sh", "zsh")
_SIGNAL = r"\s+(?:-[sn]\s*|-)\w+(?:\s+--)?"
_KILL = re.compile(rf"(?<![\w./-])((?:/usr)?(?:/bin/)?kill(?:{_SIGNAL}\s+-?|(?:\s+--)?\s+))1(?![\w.])")
_PROC = re.compile(r"(?<![\w./-])/proc/1(?=/)")


def meant(words: Sequence[str], number: str) -> list[str]:
    """A command line whose process 1 is ``number``, which may be ``ITSELF`` for the command line of a container."""
    if not words:
        return []
    if Path(words[0]).name in _SHELLS:
        return [words[0], *(_script(word, number) for word in words[1:])]
    if number == ITSELF:
        return list(words)  # it knows its number, but has no word for it
    if Path(words[0]).name == "kill":
        return _script(" ".join(words), number).split(" ")
    return [_PROC.sub(f"/proc/{number}", word) for word in words]


def _script(text: str, number: str) -> str:
    text = _KILL.sub(lambda match: match[1] + number, text)
    return _PROC.sub(lambda _: f"/proc/{number}", text)
