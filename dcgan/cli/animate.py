"""Animate how a run's samples developed, as .mp4, .webp or .gif.

Each training leaves a small animation.gif in its run folder; this is in full size. An .mp4 needs
`pip install dcgan[video]`."""

import argparse
from pathlib import Path

from dcgan.cli.console import find_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder, or the name of a run in Results")
    add("--fps", metavar="X", type=float, default=8.0, help="grids per second (default: 8)")
    add("--scale", metavar="N", type=int, default=1, help="enlarge pixels N times (default: 1)")
    add("--out", metavar="FILE", default="animation.webp", help=".mp4, .webp or .gif")


def run(arguments: argparse.Namespace) -> None:
    """Write the animation and print where it is."""
    from dcgan.errors import counted
    from dcgan.pages.development import save_animation

    folder = find_run(arguments.run)
    count = save_animation(folder, Path(arguments.out), arguments.scale, arguments.fps)
    print(f"{arguments.out}: {counted(count, 'grid')} of samples of {folder}")
