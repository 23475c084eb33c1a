"""Carrying out recipes until nothing is left: one way for the helper, its guardian, and who is sent after a crash."""

import time
from collections.abc import Callable, Sequence

from .contract import Fault, FaultError, TargetGoneError, Undo

# Between two looks at what could not be undone at once, in seconds.
_AGAIN_S = 0.3


def undo(
    mechanism: type[Fault],
    recipes: Sequence[tuple[str, Undo]],
    *,
    patience_s: float,
    going_on: Callable[[], object] = lambda: None,
) -> dict[str, str]:
    """What is still there by target, {} when everything is undone. Tries again for ``patience_s``; raises nothing.

    ``going_on`` is called ahead of each target: who watches us learns that many targets are not one that hangs.
    """
    give_up = time.monotonic() + patience_s
    while True:
        left = look(mechanism, recipes, going_on=going_on)
        if not left or time.monotonic() > give_up:
            return left
        time.sleep(_AGAIN_S)


def look(
    mechanism: type[Fault], recipes: Sequence[tuple[str, Undo]], *, going_on: Callable[[], object] = lambda: None
) -> dict[str, str]:
    """One round over all recipes; one that fails does not keep the others from being undone."""
    found = {}
    for name, recipe in recipes:
        if recipe.get("kind") != "none":
            going_on()
            found[name] = _one(mechanism, recipe)
    return {name: rest for name, rest in found.items() if rest}


def _one(mechanism: type[Fault], recipe: Undo) -> str:
    try:
        mechanism.revert(recipe)
        return mechanism.leftovers(recipe)
    except TargetGoneError:
        return ""
    except FaultError as error:
        return str(error) or "it could not be undone"
    except Exception as error:  # noqa: BLE001 - a defect in one mechanism must not leave the other targets as they are
        return f"defect: {type(error).__name__}: {error}"
