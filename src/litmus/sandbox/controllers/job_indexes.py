"""The completed indexes of an Indexed Job as text: ``0,2-4,7``, as in its status. Pure.

Documentation: "Jobs", "Completion mode"; two neighbours are written with a comma, three or more as a range.
"""

from collections.abc import Iterable, Iterator


def parse(text: str) -> set[int]:
    """The indexes that the text names; parts that are no numbers are passed over."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            found.update(range(int(first), int(last or first) + 1))
    return found


def text(indexes: Iterable[int]) -> str:
    """The indexes in increasing order, ranges drawn together."""
    parts = []
    for first, last in _runs(sorted(set(indexes))):
        if last - first >= 2:
            parts.append(f"{first}-{last}")
        else:
            parts += [str(number) for number in range(first, last + 1)]
    return ",".join(parts)


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for end, number in enumerate(numbers):
        if end + 1 == len(numbers) or numbers[end + 1] != number + 1:
            yield numbers[start], number
            start = end + 1
