"""Write a small file to share: the generator alone, with what its author says of it.

It generates, walks, browses and exports as the whole model does, and training cannot continue from
it. What an earlier file said is kept where it is not said anew; show prints it."""

import argparse

from dcgan.cli.console import find_model
from dcgan.cli.flags import add_model

CARD = {
    "author": "who made the model",
    "license": "under which others may use it, such as CC-BY-4.0",
    "data": "the images that it was trained on",
    "note": "what else others should know",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_model(parser)
    parser.add_argument("--out", metavar="FILE", required=True, help="the .dcgan file to write")
    for name, text in CARD.items():
        parser.add_argument(f"--{name}", metavar="TEXT", help=text)


def run(arguments: argparse.Namespace) -> None:
    """Write the file, and print what it holds."""
    from dcgan import DCGAN  # imports Keras, which takes seconds
    from dcgan.cli import show

    gan = DCGAN.load(find_model(arguments.model))
    given = {name: getattr(arguments, name) for name in CARD}
    card = gan.card | {name: text for name, text in given.items() if text is not None}
    gan.save(arguments.out, generator_only=True, card=card)
    show.run(argparse.Namespace(model=arguments.out, preview=None))
