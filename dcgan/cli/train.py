"""Train on a folder of images or on arrays; this verb runs where none is given.

The run folder Results/<name> fills during training: real.png shows the images as the networks see
them, samples/ what the generator makes, losses.png the losses. The same command again resumes the
run where it stopped."""

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

from dcgan.cli.console import find_model, say
from dcgan.cli.flags import add_option_flags, as_flags, make_gan
from dcgan.errors import ArgumentError, DataError

# The sample set is small and its run short, so that a first look takes about two minutes.
SAMPLE_SET_MINUTES = 2.0
# In so few minutes many steps of small networks are ahead: benchmarks/QUALITY.md
SAMPLE_SET_OPTIONS = {
    "img_size": (64, 64, 3),
    "increment": 16,
    "batch_size": 8,
    "optimizer": 4e-4,
}

# 28 pixels are too few for the default depth of 4: the smallest map would be 2x2. So many plain
# images are learned faster in large batches: benchmarks/QUALITY.md
MNIST_OPTIONS = {"img_size": (28, 28, 1), "depth": 3, "batch_size": 64, "optimizer": 8e-4}
MNIST_HELP = (
    "train on MNIST, which Keras downloads once; at depth 3, in batches of 64 and with a learning "
    "rate of 8e-4 unless flags say otherwise"
)
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add = parser.add_argument
    add(
        "images",
        metavar="IMAGES",
        nargs="?",
        help="a folder of images, searched with its sub-folders; a .npy or .npz file; an idx file "
        "or a folder of them; or the folder of a run, which resumes. Without it, a small set of "
        "seascapes is drawn and trained on",
    )
    add("--dataset", choices=("mnist",), help=MNIST_HELP)
    add(
        "--preset",
        metavar="NAME",
        help="build the networks of a known system, and train them as its authors did; the verb "
        "presets lists them",
    )
    add(
        "--recipe",
        choices=("original", "own"),
        default="original",
        help="with --preset: original trains as the system's authors did, own takes their networks "
        "and this program's training (default: original)",
    )
    add(
        "--from",
        dest="start",
        metavar="MODEL",
        type=find_model,
        help="start from the weights of a trained model instead of random ones: its .dcgan file, "
        "run folder or run's name. Of another image size or depth, it gives the layers that fit",
    )
    add(
        "--epochs",
        metavar="N",
        type=int,
        help="stop after this many passes over the images, counted from the run's start. Without "
        "--epochs and --minutes: after about 24,000 steps (whole passes), or a preset's own "
        "number of passes",
    )
    add("--minutes", metavar="X", type=float, help="stop after so many minutes, all saved")
    add(
        "--devices",
        metavar="N",
        type=_devices,
        help="divide each batch among so many GPUs, with TensorFlow or JAX; or all (default: all)",
    )
    add(
        "--new",
        action="store_true",
        help="start a new run in a folder with the next free number, instead of resuming",
    )
    # What users of other programs type
    other: dict[str, Any] = {"default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
    add("--data", dest="data", **other)
    add("--image-size", dest="img_size", type=int, nargs="+", **other)
    add("--lr", dest="optimizer", type=float, **other)
    add("--until-done", action="store_true", help="stop when the status of the run is done")
    add("--quiet", action="store_true", help="show no progress bar")
    add("-v", "--verbose", action="store_true", help="a line per epoch with losses, not the bar")
    add_option_flags(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train, and print where the results are."""
    images = arguments.images
    if data := getattr(arguments, "data", None):
        if images is not None:
            raise ArgumentError(f"Give the images once. Received: {images!r} and --data {data}.")
        images = data
    epochs, minutes = arguments.epochs, arguments.minutes
    if images is not None and arguments.dataset is not None:
        raise ArgumentError(
            f"Train on a path or on --dataset, not on both. Received: {images!r} and --dataset "
            f"{arguments.dataset}. Leave one out."
        )
    if images is None and arguments.dataset is None and arguments.named and Path("train").is_dir():
        raise ArgumentError(
            "No images were given, and train is the name of a verb. For the folder of that name "
            "write ./train; for the sample set leave the verb out."
        )
    if arguments.preset is None and arguments.recipe != "original":
        raise ArgumentError("--recipe decides how the networks of a --preset train. Give both.")
    images, folder = _images_and_run(images, arguments)
    defaults: dict[str, Any] = SAMPLE_SET_OPTIONS if images is None else {}
    if arguments.dataset == "mnist":
        defaults = MNIST_OPTIONS
    gan, preset_epochs = make_gan(arguments, images, folder, defaults)
    if epochs is None and minutes is None:
        epochs = preset_epochs
        if images is None and arguments.dataset is None:
            epochs, minutes = None, SAMPLE_SET_MINUTES
    if arguments.dataset == "mnist":
        images = _download_mnist(arguments.prog)
    from dcgan.backend.devices import machine_in_words
    from dcgan.data.workers import available_cores
    from dcgan.training.callbacks.until_done import UntilDone

    if not arguments.quiet:
        say(f"This machine: {machine_in_words(available_cores(), gan.state.precision)}.")
    gan.fit(
        images,
        epochs=epochs,
        minutes=minutes,
        callbacks=[UntilDone()] if arguments.until_done else None,
        verbose=0 if arguments.quiet else 2 if arguments.verbose else 1,
        resume=not arguments.new,
    )
    print(f"Images: {gan.run_path / 'samples.png'}  model: {gan.run_path / 'last.dcgan'}")


def _images_and_run(path: str | None, arguments: Any) -> tuple[str | None, str | None]:
    """The images to train on, None for the sample set, and the run folder that `path` is, if any.

    Raises:
        ArgumentError: the run's images are unknown or gone, or --save-path is another folder.
    """
    from dcgan.storage.run_folder import SAMPLE_SET, read_run

    run = None if path is None else read_run(Path(path))
    if run is None:
        return path, None
    source = run["source"]
    if source is None:
        raise ArgumentError(
            f"The run in {path!r} does not say where its images are, for they were no files. "
            "Give the same images as when it was begun."
        )
    if source != SAMPLE_SET and not Path(source).exists():
        raise ArgumentError(
            f"The images of the run in {path!r} are no longer at {source!r}. Give the place where "
            f"they are now: {arguments.prog} path/to/images --save-path {path}"
        )
    if (other := getattr(arguments, "save_path", path)) != path:
        raise ArgumentError(
            f"{path!r} is a run, which resumes in its own folder. Leave --save-path {other} out, "
            "or give the folder of the images."
        )
    return (None if source == SAMPLE_SET else source), path


def _devices(text: str) -> int | None:
    """The value of --devices: a number, or None for all."""
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, or all, not {text!r}")
    return int(text)


def _download_mnist(prog: str):
    """MNIST's 60,000 training images, from Keras's cache or the network."""
    from keras.datasets import mnist

    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras draws its bar on stdout
            return mnist.load_data()[0][0]
    except Exception as error:  # Keras raises a bare Exception where there is no network
        raise DataError(
            f"MNIST cannot be downloaded ({str(error)[:200]}). Where there is a network, fetch "
            f"{MNIST_URL} or the idx files, and give the path: {prog} mnist.npz "
            f"{as_flags(MNIST_OPTIONS)}"
        ) from error
