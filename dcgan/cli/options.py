"""Which flags does the constructor give? Those of its signature, explained by its docstring."""

import argparse
import ast
import re
from pathlib import Path

# Not flags: a plan is chosen by --preset, and nobody names the Keras model.
NOT_FLAGS = ("self", "name", "network_plan")


def add_constructor_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each of `DCGAN`'s arguments, without importing it: that would take seconds.

    A flag that is not given is left out of the namespace, so that every default stands in one
    place, the signature.
    """
    defaults, explanations = _read_signature()
    group = parser.add_argument_group("the networks and their training (arguments of DCGAN)")
    for name, default in defaults.items():
        names = dict.fromkeys([f"--{name.replace('_', '-')}", f"--{name}"])
        text = explanations[name].replace("%", "%%") + f" Default: {default}."
        group.add_argument(
            *names, dest=name, default=argparse.SUPPRESS, help=text, **_kind(name, default)
        )


def given_options(arguments: argparse.Namespace) -> dict:
    """The constructor's arguments among parsed ones."""
    return {name: value for name, value in vars(arguments).items() if name in _read_signature()[0]}


def _kind(name: str, default: object) -> dict:
    """How argparse is to read a flag, from the kind of its default."""
    if isinstance(default, bool):
        return {"action": argparse.BooleanOptionalAction}
    if isinstance(default, tuple):
        return {"type": int, "nargs": len(default), "metavar": "N"}
    if isinstance(default, int | float):
        return {"type": type(default), "metavar": "N"}
    number = name == "augmentation" or name.endswith("optimizer")
    return {"type": _number_or_name if number else str, "metavar": "VALUE"}


def _number_or_name(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _read_signature() -> tuple[dict, dict]:
    """Names and defaults of the constructor's arguments, and what the docstring says of each."""
    source = Path(__file__).parent.parent / "gan.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    cls = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "DCGAN")
    constructor = next(
        n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"
    )
    positional = constructor.args.args
    pairs = [
        *zip(positional[-len(constructor.args.defaults) :], constructor.args.defaults, strict=True),
        *zip(constructor.args.kwonlyargs, constructor.args.kw_defaults, strict=True),
    ]
    defaults = {a.arg: ast.literal_eval(d) for a, d in pairs if a.arg not in NOT_FLAGS}
    entries = re.findall(
        r"^    (\w+): (.*?)(?=^    \w+: |^\w|\Z)", ast.get_docstring(cls), flags=re.M | re.S
    )
    return defaults, {name: " ".join(text.split()) for name, text in entries}
