"""What does `inspect` do? Looks at a folder before any training: a page here, one with images."""

import argparse
import sys
import time

HELP = "look at a folder before training: what is usable, sizes, duplicates, what to expect"
WARM_UP_STEPS, MEASURED_STEPS = 2, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("folder", help="a folder of images, or a .npy, .npz or idx file")
    parser.add_argument(
        "--img-size",
        nargs=3,
        type=int,
        metavar=("H", "W", "C"),
        help="height, width and channels to look at them in (default: proposed from the images)",
    )
    parser.add_argument(
        "--out", default="inspect.html", help="where the page with images goes (%(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the page, and write the one for the browser."""
    from dcgan.atomic import write_atomically
    from dcgan.errors import RunError
    from dcgan.inspection.inspect import inspect_folder

    size = tuple(arguments.img_size) if arguments.img_size else None
    inspection = inspect_folder(arguments.folder, size, measure=_measure)
    print(inspection.text(), end="")
    try:
        write_atomically(arguments.out, inspection.html())
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"Cannot write --out {arguments.out!r}: {reason}.") from error
    print(f"With images: {arguments.out}")
    return 0


def _measure(proposal) -> tuple[float, float | None]:
    """Seconds per 1,000 steps and bytes of memory, from a few real training steps."""
    print("Measuring a few training steps ...", file=sys.stderr)
    from dcgan import DCGAN
    from dcgan.data.sample_set import draw_seascapes

    gan = DCGAN(
        img_size=proposal.img_size,
        depth=proposal.depth,
        batch_size=proposal.batch_size,
        augmentation=1.0,  # as small folders get it
    )
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
