"""Train on a folder of images, or on arrays (.npy, .npz, MNIST idx files).

The run folder Results/<name> fills while it goes: real.png shows the images as the network sees
them, samples/ what it makes of them, losses.png how the two players stand. The same command again
goes on where the last one stopped."""

import argparse
import contextlib
import sys

from dcgan.cli.options import add_constructor_flags, given_options
from dcgan.errors import ArgumentError, DataError
from dcgan.networks.recipes import find_preset

HELP = "train on a folder of images (also without the word: python main.py path/to/images)"

# The sample set is small and its run short, so that a first look takes about two minutes.
SAMPLE_SET_MINUTES = 2.0
SAMPLE_SET_OPTIONS = {"img_size": (64, 64, 3)}

# 28 pixels are too few for the default depth of 4: the smallest map would be 2x2.
MNIST_OPTIONS = {"img_size": (28, 28, 1), "depth": 3}
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        "images",
        nargs="?",
        help="a folder of images (sub-folders too), a .npy or .npz file, an idx file or a folder "
        "of them; without it a small set of seascapes is drawn and trained on",
    )
    parser.add_argument(
        "--dataset", choices=("mnist",), help="train on MNIST, which is downloaded once by Keras"
    )
    parser.add_argument(
        "--preset", help="networks and training of a known system: python main.py presets"
    )
    parser.add_argument(
        "--recipe",
        default="original",
        help="with --preset: original trains as its authors did, own takes their networks and this "
        "program's training (default: original)",
    )
    parser.add_argument(
        "--epochs",
        type=int,
        help="stop after so many passes over the images "
        "(default: without --minutes too, 24,000 steps; a preset's own number)",
    )
    parser.add_argument("--minutes", type=float, help="stop after so many minutes, saved")
    parser.add_argument(
        "--new", action="store_true", help="start a new numbered run instead of going on"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_constructor_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, and say where the images are."""
    images, epochs, minutes = arguments.images, arguments.epochs, arguments.minutes
    if images is not None and arguments.dataset is not None:
        raise ArgumentError(
            f"Train on a path or on --dataset, not on both. Received: {images!r} and --dataset "
            f"{arguments.dataset}. Leave one out."
        )
    if arguments.preset is None and arguments.recipe != "original":
        raise ArgumentError("--recipe says how the networks of a --preset train. Give both.")
    gan = _make(arguments)
    if epochs is None and minutes is None:
        if images is None and arguments.dataset is None:
            minutes = SAMPLE_SET_MINUTES
        elif arguments.preset is not None and arguments.recipe == "original":
            epochs = find_preset(arguments.preset).epochs
    if arguments.dataset == "mnist":
        images = _download_mnist()
    gan.fit(
        images,
        epochs=epochs,
        minutes=minutes,
        verbose=0 if arguments.quiet else 1,
        resume=not arguments.new,
    )
    print(f"Images: {gan.run_path / 'samples.png'}  model: {gan.run_path / 'last.dcgan'}")
    return 0


def _make(arguments: argparse.Namespace):
    """The DCGAN that the flags ask for."""
    options = given_options(arguments)
    if arguments.dataset == "mnist":
        options.setdefault("save_path", "Results/mnist")
    if arguments.preset is not None:
        find_preset(arguments.preset)  # a wrong name is said before Keras is imported
    from dcgan import DCGAN  # imports Keras, which takes seconds: only when there is work

    if arguments.preset is not None:
        return DCGAN.from_preset(arguments.preset, recipe=arguments.recipe, **options)
    if arguments.dataset == "mnist":
        options = MNIST_OPTIONS | options
    elif arguments.images is None:
        options = SAMPLE_SET_OPTIONS | options
    return DCGAN(**options)


def _download_mnist():
    """MNIST's 60,000 training images, from Keras's cache or the network."""
    from keras.datasets import mnist

    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras draws its bar on stdout
            return mnist.load_data()[0][0]
    except Exception as error:  # Keras raises a bare Exception where there is no network
        raise DataError(
            f"MNIST cannot be downloaded ({str(error)[:200]}). Where there is a network, fetch "
            f"{MNIST_URL} or the idx files, and give the path: python main.py mnist.npz "
            "--img-size 28 28 1 --depth 3"
        ) from error
