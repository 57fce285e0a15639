"""Train on a folder of pictures, or on arrays (.npy, .npz, MNIST idx files).

The run folder Results/<name> fills while it goes: real.png shows the pictures as the network sees
them, samples/ what it makes of them, losses.png how the two players stand. The same command again
goes on where the last one stopped."""

import argparse

from dcgan.cli.options import add_constructor_flags, given_options

HELP = "train on a folder of pictures (also without the word: python main.py path/to/images)"

# The sample set is small and its run short, so that a first look takes about two minutes.
SAMPLE_SET_MINUTES = 2.0
SAMPLE_SET_OPTIONS = {"img_size": (64, 64, 3)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        "images",
        nargs="?",
        help="a folder of pictures (sub-folders too), a .npy or .npz file, an idx file or a folder "
        "of them; without it a small set of seascapes is drawn and trained on",
    )
    parser.add_argument("--epochs", type=int, help="stop after so many passes over the pictures")
    parser.add_argument("--minutes", type=float, help="stop after so many minutes, saved")
    parser.add_argument(
        "--new", action="store_true", help="start a new numbered run instead of going on"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_constructor_flags(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, and say where the pictures are."""
    options = given_options(arguments)
    minutes = arguments.minutes
    if arguments.images is None:
        options = SAMPLE_SET_OPTIONS | options
        if minutes is None and arguments.epochs is None:
            minutes = SAMPLE_SET_MINUTES
    from dcgan import DCGAN  # imports Keras, which takes seconds: only when there is work

    gan = DCGAN(**options)
    gan.fit(
        arguments.images,
        epochs=arguments.epochs,
        minutes=minutes,
        verbose=0 if arguments.quiet else 1,
        resume=not arguments.new,
    )
    print(f"Pictures: {gan.run_path / 'samples.png'}  model: {gan.run_path / 'last.dcgan'}")
    return 0
