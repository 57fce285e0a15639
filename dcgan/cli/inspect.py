"""Look at images before training: what is usable, sizes, duplicates, and what to expect.

A page of text is printed, and a page with the images themselves is written for the browser."""

import argparse
import shlex
import sys
import time

from dcgan.cli.console import say, writing
from dcgan.cli.flags import as_flags, size_of

WARM_UP_STEPS, MEASURED_STEPS = 2, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "images", metavar="IMAGES", help="a folder of images, or a .npy, .npz or idx file"
    )
    parser.add_argument(
        "--img-size",
        nargs="+",
        type=int,
        metavar="N",
        help="size to look at the images in, as in training (default: chosen to suit them)",
    )
    parser.add_argument(
        "--out",
        metavar="HTML",
        default="inspect.html",
        help="file to write the page with images to (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the page of text, and write the one for the browser."""
    from dcgan.atomic import write_atomically
    from dcgan.inspection.inspect import inspect
    from dcgan.pages.inspected import inspection_page

    size = size_of(arguments.img_size) if arguments.img_size else None
    inspection = inspect(arguments.images, size, measure=_measure)
    print(inspection.text(), end="")
    flags = as_flags(inspection.proposal.options())
    command = f"{arguments.prog} {shlex.quote(arguments.images)} {flags}"
    print(f"To train with these settings: {command}")
    with writing("--out", arguments.out):
        write_atomically(arguments.out, inspection_page(inspection))
    print(f"With images: {arguments.out}")


def _measure(proposal) -> tuple[float, float | None]:
    """Seconds per 1,000 steps and bytes of memory, from a few real training steps."""
    say("Measuring a few training steps")
    from dcgan import DCGAN
    from dcgan.data.sample_set import draw_seascapes

    gan = DCGAN(**proposal.options(), augmentation=1.0)  # as small folders get it
    batch = draw_seascapes(proposal.batch_size, proposal.img_size)
    for _ in range(WARM_UP_STEPS):  # the first one compiles
        gan.train_on_batch(batch)
    start = time.perf_counter()
    for _ in range(MEASURED_STEPS):
        gan.train_on_batch(batch)
    seconds = (time.perf_counter() - start) / MEASURED_STEPS
    return 1000 * seconds, _peak_memory()


def _peak_memory() -> float | None:
    """Most bytes that this process has held; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
