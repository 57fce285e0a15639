"""Pages of the manual that are made from the program, and the order of its sections.

MkDocs calls `on_config` and `on_page_markdown`. A page holds `<!-- generated: NAME -->` where
a part of it comes from the program, so it is never older than the program.
"""

import argparse
import re
from importlib import import_module
from pathlib import Path

from dcgan.cli.console import Parser

DOCS = Path(__file__).parent
SECTIONS = {  # title: folder
    "Tutorial": "tutorial",
    "How to": "how-to",
    "Reference": "reference",
    "Explanation": "explanation",
}
PLACE = re.compile(r"<!-- generated: ([a-z-]+) -->")


def on_config(config):
    """Set the navigation: the sections in their order, each with all pages of its folder."""
    navigation = [{"Home": "index.md"}]
    for title, folder in SECTIONS.items():
        pages = sorted(f"{folder}/{page.name}" for page in (DOCS / folder).glob("*.md"))
        if title == "Reference":
            pages.append("options.md")
        navigation.append({title: pages})
    config.nav = [*navigation, {"Examples": "examples.md"}]
    return config


def on_page_markdown(markdown, **_):
    """Put what the program says where a page asks for it."""
    return PLACE.sub(lambda place: PARTS[place[1]](), markdown)


def command_line() -> str:
    """Every verb with all its arguments and flags, read from its parser."""
    from dcgan.cli import VERBS

    return "\n".join(verb_section(verb) for verb in VERBS)


def verb_section(verb: str) -> str:
    """The part of the command-line page on one verb."""
    module = import_module(f"dcgan.cli.{verb}")
    parts = [
        f"## {verb}",
        plain(module.__doc__),
        f"```text\ndcgan {verb} {parser_of(verb).words()}".rstrip() + "\n```",
    ]
    for group in parser_of(verb)._action_groups:
        rows = [row(action) for action in group._group_actions if shown(action)]
        if rows:
            table = ["| argument | what it does |", "|---|---|", *rows]
            named = (group.title or "").removeprefix("positional ")
            title = [f"**{named}**"] if named not in ("", "options") else []
            parts += [*title, "\n".join(table)]
    return "\n\n".join(parts) + "\n"


def parser_of(verb: str) -> Parser:
    """The parser of a verb, as the command line makes it."""
    parser = Parser(prog=f"dcgan {verb}")
    import_module(f"dcgan.cli.{verb}").add_arguments(parser)
    return parser


def shown(action: argparse.Action) -> bool:
    """Whether the help shows an argument."""
    return action.help is not argparse.SUPPRESS and "--help" not in action.option_strings


def row(action: argparse.Action) -> str:
    """An argument as a row of a table."""
    values = action.metavar if action.nargs != 0 else ""
    if action.choices and action.metavar is None:
        values = ", ".join(map(str, action.choices))
    elif isinstance(values, tuple):
        values = " ".join(values)
    names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{values}`"
    value = f" `{values}`" if values and action.option_strings else ""
    text = (action.help or "") % {"default": action.default}
    return f"| {names}{value} | {escaped(text)} |"


def presets() -> str:
    """The presets in a table, and a paragraph on each with its source and note."""
    from dcgan.networks.presets import list_presets

    table = ["| preset | image size | weights of G | weights of D |", "|---|---|---|---|"]
    notes = []
    for name, preset in list_presets().items():
        size = "x".join(map(str, preset.plan.img_size))
        generator, discriminator = preset.weights
        table.append(f"| `{name}` | {size} | {generator:,} | {discriminator:,} |")
        notes.append(f"**{name}**: {escaped(preset.source)}. {escaped(preset.note)}")
    return "\n\n".join(["\n".join(table), *notes])


def limits() -> str:
    """The thresholds of the status, from where the program has them."""
    from dcgan.metrics import leak
    from dcgan.training import health

    done = f"{health.DONE_SHARE:.0%} of the first KID is left"
    named_when = {
        "discriminator winning": f"D scores real images above {health.D_SURE:g} and generated ones "
        f"below {1 - health.D_SURE:.2g}, and the samples do not improve",
        "collapsing": f"the samples have less than {health.MIN_VARIETY:.0%} of the real images' "
        "variety",
        "memorizing": f"over {health.MAX_MEMORIZED:.0%} of the samples are copies of training "
        "images, more than chance explains; or D overfits, and the samples do not improve",
        "leaking augmentation": f"over {health.MAX_LEAKED:.0%} of the samples look augmented (of "
        f"real images, {leak.CHANCE:.0%} do)",
        "stalled": f"no better KID for {health.PATIENCE} measurements, and more than {done}",
        "done": f"no better KID for {health.PATIENCE} measurements, and at most {done}",
        "learning": "none of these",
    }
    rows = [f"| `{status}` | {text} |" for status, text in named_when.items()]
    return "\n".join(["| status | named when |", "|---|---|", *rows])


def design() -> str:
    """The rooms of the package with what each imports."""
    import sys

    sys.path.insert(0, str(DOCS))
    try:
        from design import as_table, imports_of_rooms
    finally:
        sys.path.remove(str(DOCS))
    return as_table(imports_of_rooms(DOCS.parent / "dcgan"))


def plain(text: str) -> str:
    """Paragraphs in which nothing is taken for HTML."""
    return text.replace("<", "&lt;")


def escaped(text: str) -> str:
    """Text in one cell of a table."""
    return plain(" ".join(text.split())).replace("|", r"\|").replace("*", r"\*")


PARTS = {
    "command-line": command_line,
    "presets": presets,
    "limits": limits,
    "design": design,
}
