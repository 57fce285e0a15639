"""Tell which of two models is better, or that no difference can be told.

Both are measured against the same real images, which both were trained on, so that small
differences show and neither model is favored."""

import argparse

from dcgan.cli.evaluate import add_measuring_arguments, measure, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument("first", metavar="MODEL_A", help="a .dcgan file")
    parser.add_argument("second", metavar="MODEL_B", help="another one, of the same image size")
    parser.add_argument(
        "images", metavar="IMAGES", help="the images that both models were trained on"
    )
    add_measuring_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the verdict."""
    from dcgan import compare  # the package sets its framework up

    names = arguments.first, arguments.second
    comparison = measure(compare, names, arguments)
    show(comparison.to_dict(), comparison.text(names), comparison.notes, arguments.json)
