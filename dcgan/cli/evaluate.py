"""Measure how good a model's images are, and whether they are copies of the training images.

Each figure has a 95% interval and stands beside what real images, held out, score against the
training ones. Figures compare only under the same feature network and the same folder."""

import argparse
import json
import sys
from contextlib import contextmanager

HELP = "measure how good a model's images are, and whether they are copies"

LEAST_IMAGES = 10  # fewer have no neighbours to speak of
MOST_IMAGES = 50_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument("model", help="a .dcgan file, such as Results/sea/last.dcgan")
    parser.add_argument("folder", help="the images that it was trained on")
    add_measuring_arguments(parser)
    parser.add_argument(
        "--sheet", metavar="PNG", help="draw samples beside their nearest training images"
    )


def add_measuring_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that `evaluate` and `compare` share."""
    parser.add_argument(
        "-n", "--count", type=int, default=1000, help="how many images to make (default: 1000)"
    )
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: 0)")
    parser.add_argument(
        "--network",
        default="random",
        help="what compares images: random (default; needs no download), inception (Keras's "
        "InceptionV3, scaled: not the network of published FIDs), or the path of a .keras model",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Print what was measured."""
    from dcgan.errors import RunError
    from dcgan.images import RUN_IMAGE, save_png
    from dcgan.metrics.features import load_network
    from dcgan.metrics.memorization import sheet
    from dcgan.metrics.report import evaluate

    check_numbers(arguments)
    network = load_network(arguments.network)
    gan = load(arguments.model)
    train, held_out = training_images(gan, arguments.folder)
    generated = generate(gan, arguments)
    with counting(network) as counted:
        evaluation = evaluate(generated, train, held_out, counted)
    print(json.dumps(evaluation.to_dict(), indent=2) if arguments.json else evaluation.text())
    if arguments.sheet:
        try:
            image = sheet(generated, train, evaluation.memorization)
            save_png(arguments.sheet, image, RUN_IMAGE)
        except OSError as error:
            reason = error.strerror or error
            raise RunError(f"Cannot write --sheet {arguments.sheet!r}: {reason}.") from error
    return 0


def check_numbers(arguments: argparse.Namespace) -> None:
    """Refuse numbers that cannot work, before any work.

    Raises:
        ArgumentError: names the option.
    """
    from dcgan.options import MAX_SEED, whole

    whole("-n", arguments.count, LEAST_IMAGES, MOST_IMAGES)
    whole("--seed", arguments.seed, 0, MAX_SEED)


def load(path: str):
    """The model in a file, saying so: the framework takes seconds to start."""
    say(f"Loading {path}")
    from dcgan import DCGAN

    return DCGAN.load(path)


def training_images(gan, folder: str, also=None):
    """The images of a folder as the model saw them: those trained on, and those held out.

    The same slice is held out as in training, since it depends on the names and the seed alone.
    Where another model is given, only what that one was trained on `also` counts as trained on.

    Returns:
        two uint8 arrays (n, H, W, C); 4 channels with straight alpha.
    """
    import numpy as np

    from dcgan.data import open_images
    from dcgan.images import unpremultiply

    settings = gan.get_config()
    images = open_images(
        folder, gan.img_size, resize=settings["resize"], background=settings["background"]
    )
    train, held_out = _split(gan, images.names)
    if also is not None:
        train = np.intersect1d(train, _split(also, images.names)[0])
    trained_on = gan.data.get("sha256")
    if trained_on is None:
        say(
            "Note: the model does not tell which images it was trained on (a data set, or none), "
            "so none is taken to have been held out."
        )
    elif trained_on != images.fingerprint:
        say(
            f"Note: the files in {folder} have not the names, sizes and times that this model was "
            "trained on. If the images are others, the verdict on copying says nothing about "
            "those that it was trained on."
        )
    parts = [images.pixels[part] for part in (train, held_out)]
    return [unpremultiply(part) for part in parts] if gan.img_size[2] == 4 else parts


def _split(gan, names: list[str]):
    """Which images the model was trained on and which were held out: two lists of indices."""
    from dcgan.data.order import split

    if gan.data.get("sha256") is None or gan.data.get("held_out") == 0:
        return range(len(names)), []
    return split(names, gan.seed)


def generate(gan, arguments: argparse.Namespace):
    """The samples that are measured: uint8 (count, H, W, C)."""
    say(f"Generating {arguments.count:,} images")
    return gan.generate(arguments.count, seed=arguments.seed)


@contextmanager
def counting(network):
    """The same feature network, with a bar on stderr that counts the images it has seen."""
    from tqdm import tqdm

    from dcgan.metrics.features import FeatureNetwork

    with tqdm(desc="Measuring", unit=" images", delay=2, file=sys.stderr, leave=False) as bar:

        def function(images):
            found = network.function(images)
            bar.update(len(images))
            return found

        yield FeatureNetwork(network.name, function)


def say(line: str) -> None:
    """Tell a person something that is no result."""
    print(line, file=sys.stderr)
