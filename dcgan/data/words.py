"""How is a file's name put into a message? On one line, whatever it holds."""


def printable(name: str) -> str:
    """`name` with line breaks, control characters and broken unicode written as escapes."""
    return "".join(
        character if character.isprintable() else _escape(character) for character in name
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def counted(number: int, thing: str) -> str:
    """`1 picture`, `2,000 pictures`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
