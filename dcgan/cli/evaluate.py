"""Measure how good a model's images are, and whether they are copies of the training images.

Each estimate has a 95% interval and stands beside what held-out real images score against the
training images. Estimates compare only under the same feature network and the same images."""

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from dcgan.cli.console import find_model, progress_bar, say, writing
from dcgan.cli.flags import add_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_model(parser)
    parser.add_argument("images", metavar="IMAGES", help="the images that the model was trained on")
    add_measuring_arguments(parser)
    parser.add_argument(
        "--sheet",
        metavar="PNG",
        help="also write a contact sheet of the most suspicious generated images, each beside the "
        "nearest real ones",
    )


def add_measuring_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `evaluate` and `compare` share."""
    parser.add_argument(
        "-n",
        metavar="N",
        type=int,
        default=1000,
        help="number of images to generate; more give narrower intervals (default: 1000)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="seed of the generated images (default: 0)"
    )
    parser.add_argument(
        "--network",
        metavar="NAME|KERAS",
        default="random",
        help="feature network by which images are compared: random, which needs no download; "
        "inception, Keras's InceptionV3, whose values are not those of published FIDs; or the path "
        "of a .keras model (default: random)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> None:
    """Print the estimates and the verdict on copying."""
    from dcgan import evaluate  # the package sets its framework up
    from dcgan.images import RUN_IMAGE, save_png

    if arguments.sheet:
        with writing("--sheet", arguments.sheet):  # before minutes of measuring
            Path(arguments.sheet).parent.mkdir(parents=True, exist_ok=True)
    evaluation = measure(evaluate, [arguments.model], arguments)
    text = evaluation.text().replace("Ask for n=", "Add -n ")
    show(evaluation.to_dict(), text, evaluation.notes, arguments.json)
    if arguments.sheet:
        with writing("--sheet", arguments.sheet):
            save_png(arguments.sheet, evaluation.contact_sheet(), RUN_IMAGE)


def measure(measuring: Callable, names: Iterable[str], arguments: argparse.Namespace) -> Any:
    """What `dcgan.evaluate` or `dcgan.compare` says of the models of these names."""
    from dcgan import DCGAN
    from dcgan.evaluation import check_arguments

    network = check_arguments(arguments.n, arguments.seed, arguments.network)
    models = []
    for path in map(find_model, names):
        say(f"Loading {path}")
        models.append(DCGAN.load(path))
    options = {"n": arguments.n, "seed": arguments.seed, "network": network}
    with progress_bar(desc="Measuring", unit=" images") as bar:
        return measuring(*models, arguments.images, **options, progress=bar.update)


def show(plain: dict, text: str, notes: Iterable[str], as_json: bool) -> None:
    """Print the results to stdout, and the notes, which JSON holds too, to stderr."""
    for note in notes:
        say(f"Note: {note}")
    print(json.dumps(plain, indent=2) if as_json else text)
