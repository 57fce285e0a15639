"""Tell which of two models is better, or that no difference can be told.

Both are measured against the same real images, which both were trained on, so that small
differences show and neither model is favored."""

import argparse

from dcgan.cli.console import find_model, progress_bar
from dcgan.cli.evaluate import add_measuring_arguments, load, show

USAGE = "MODEL_A MODEL_B IMAGES [options]"


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
    from dcgan.evaluation import check_arguments

    network = check_arguments(arguments.n, arguments.seed, arguments.network)
    first, second = (load(find_model(name)) for name in (arguments.first, arguments.second))
    with progress_bar(desc="Measuring", unit=" images") as bar:
        comparison = compare(
            first,
            second,
            arguments.images,
            n=arguments.n,
            seed=arguments.seed,
            network=network,
            progress=bar.update,
        )
    text = comparison.text((arguments.first, arguments.second))
    show(comparison.to_dict(), text, comparison.notes, arguments.json)
