"""The design in one drawing, made from the imports: python docs/design.py writes CONTRIBUTING.md.

Each box is a folder or a file of the package; an arrow leads from the one that imports to the one
that is imported.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "CONTRIBUTING.md"
DRAWING = re.compile(r"```mermaid\n.*?```", re.DOTALL)
ALL_USE = "errors"  # an arrow from everywhere says nothing


def imports_of_rooms(package: Path) -> dict[str, set[str]]:
    """What each folder or file directly below a package imports of the others, by name."""
    rooms: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        if not room.startswith("__"):
            rooms.setdefault(room, set()).update(imported(path, package.name) - {room})
    return {room: targets & rooms.keys() for room, targets in rooms.items()}


def imported(path: Path, package: str) -> set[str]:
    """Names directly below the package that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top == package and rest:
                # `from dcgan import DCGAN` means the file that holds the class
                found.add({"DCGAN": "gan"}.get(rest, rest.split(".")[0]))
    return found


def ordered(rooms: dict[str, set[str]]) -> list[str]:
    """Every room before those that it imports; of several, the first by the alphabet.

    Raises:
        ValueError: some import each other in a circle.
    """
    order: list[str] = []
    while len(order) < len(rooms):
        left = rooms.keys() - order
        free = [room for room in left if not any(room in rooms[other] for other in left)]
        if not free:
            raise ValueError(f"These import each other: {sorted(left)}")
        order.append(min(free))
    return order


def reduced(rooms: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without the imports that a chain of others already shows."""
    below: dict[str, set[str]] = {}
    for room in reversed(ordered(rooms)):
        below[room] = set(rooms[room]).union(*(below[target] for target in rooms[room]))
    return {
        room: {t for t in targets if not any(t in below[other] for other in targets - {t})}
        for room, targets in rooms.items()
    }


def as_mermaid(rooms: dict[str, set[str]]) -> str:
    """The drawing, as GitHub shows it."""
    shown = {room: targets - {ALL_USE} for room, targets in rooms.items() if room != ALL_USE}
    fewer = reduced(shown)
    lines = ["```mermaid", "flowchart TD"]
    for room in ordered(shown):
        lines += [f"    {room} --> {target}" for target in sorted(fewer[room])]
    return "\n".join([*lines, "```"])


def as_table(rooms: dict[str, set[str]]) -> str:
    """The same in words, with all imports."""
    lines = ["| folder or file | imports |", "|---|---|"]
    for room in ordered(rooms):
        targets = ", ".join(name for name in ordered(rooms) if name in rooms[room])
        lines.append(f"| `{room}` | {targets or 'nothing of the package'} |")
    return "\n".join(lines)


def with_drawing(page: str) -> str:
    """The page with the drawing of the package as it is now."""
    return DRAWING.sub(lambda _: as_mermaid(imports_of_rooms(ROOT / "dcgan")), page)


if __name__ == "__main__":
    PAGE.write_text(with_drawing(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
