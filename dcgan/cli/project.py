"""Find the generated image nearest to a photograph, and its latent.

Writes the photograph, the nearest of 512 random images and the image found side by side, and the
latent as a file that `walk --seeds` takes."""

import argparse
from pathlib import Path

from dcgan.cli.console import find_model, progress_bar, writing
from dcgan.cli.flags import add_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add = parser.add_argument
    add_model(parser)
    add("image", metavar="IMAGE", help="an image file; it is fitted as images are for training")
    add("--starts", metavar="N", type=int, default=8, help="searches at a time (default: 8)")
    add("--steps", metavar="N", type=int, default=200, help="steps of each (default: 200)")
    add("--seed", metavar="N", type=int, default=0, help="of the random latents (default: 0)")
    add("--out", metavar="NAME", help="of both files, without ending (default: IMAGE-projected)")


def run(arguments: argparse.Namespace) -> None:
    """Search, write both files and print what was found."""
    import numpy as np

    from dcgan import DCGAN  # first, since it sets its framework up
    from dcgan.errors import MAX_SEED, whole
    from dcgan.export.project import MAX_STARTS, MAX_STEPS, TRIED

    starts = whole("--starts", arguments.starts, 1, MAX_STARTS)
    steps = whole("--steps", arguments.steps, 1, MAX_STEPS)
    seed = whole("--seed", arguments.seed, 0, MAX_SEED)
    gan = DCGAN.load(find_model(arguments.model))
    with progress_bar(total=steps + 1, unit=" steps") as bar:
        options = {"starts": starts, "steps": steps, "seed": seed, "report": bar.update}
        found = gan.project(arguments.image, **options)
    out = arguments.out or f"{Path(arguments.image).stem}-projected"
    with writing("--out", out):
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        found.comparison().save(f"{out}.png")
    found.save(f"{out}.npy")
    middle, least = np.median(found.random_errors), found.random_errors.min()
    print(f"{out}.png: the image, the nearest of {TRIED} random ones, and the one found")
    print(
        f"error: {found.error:.1f} of 255 levels; random images: {middle:.1f} (median), "
        f"{least:.1f} (least)"
    )
    print(f"{out}.npy: {arguments.prog} walk {arguments.model} --seeds {out}.npy,3,17")
