"""Animate a walk from seed to seed and back to the first.

Its visible speed is constant. The same seeds give the same frames; a .npy file of `project` may
stand for one. An .mp4 needs `pip install dcgan[video]`; .webp and .gif do not."""

import argparse

from dcgan.cli.console import find_model
from dcgan.cli.flags import add_model, add_truncation, seed_list


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add = parser.add_argument
    add_model(parser)
    add("--seeds", metavar="LIST", default="0-5", help="such as 3,17,photo.npy (default: 0-5)")
    add("--seconds", metavar="X", type=float, default=12.0, help="length (default: 12)")
    add("--fps", metavar="X", type=float, default=24.0, help="frames per second (default: 24)")
    add("--grid", metavar="RxC", default="1x1", help="rows and columns of images (default: 1x1)")
    add("--scale", metavar="N", type=int, default=1, help="enlarge pixels N times (default: 1)")
    add_truncation(parser)
    add("--out", metavar="FILE", default="walk.webp", help=".mp4, .webp or .gif")


def run(arguments: argparse.Namespace) -> None:
    """Write the animation and print where it is."""
    from dcgan.animation import check_format
    from dcgan.errors import ArgumentError, whole
    from dcgan.latents import read_latent

    check_format(arguments.out)
    seeds: list = []
    for part in arguments.seeds.split(","):
        seeds += [read_latent(part)] if part.endswith(".npy") else seed_list(part)
    rows, cross, columns = arguments.grid.partition("x")
    if not (cross and rows.isdecimal() and columns.isdecimal()):
        raise ArgumentError(f"--grid must be like 3x3. Received: {arguments.grid!r}")
    scale = whole("--scale", arguments.scale, 1, 64)
    from dcgan import DCGAN  # imports Keras, which takes seconds

    gan = DCGAN.load(find_model(arguments.model))
    options = {"rows": int(rows), "columns": int(columns), "truncation": arguments.truncation}
    walk = gan.walk(seeds, arguments.seconds, fps=arguments.fps, **options)
    walk.save(arguments.out, scale)
    print(f"{arguments.out}: {len(walk.frames)} frames through seeds {arguments.seeds}")
