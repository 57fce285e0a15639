"""The class-API system, the preset `sea`, trained on square images of another size.

    python -m benchmarks class_system path/to/images --side 64 --minutes 30 --save-path class-64

A preset has one size only. This uses the system's networks, its rule for the size of their first
map, and its training, and writes an ordinary run folder.
"""

import argparse

from dcgan import DCGAN
from dcgan.networks.presets import PRESETS, class_system

DEPTH, KERNEL = 4, 3


def first_side(side: int) -> int:
    """Side of the generator's first map as the system computes it: 10 at 150."""
    for _ in range(DEPTH):
        side = (side - KERNEL) // 2 + 1
    return side + 2


def main(argv: list[str] | None = None) -> int:
    """Train it; returns the exit status."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks class_system", description=__doc__.splitlines()[0]
    )
    parser.add_argument("images", help="a folder of images")
    parser.add_argument(
        "--side", type=int, required=True, help="height and width of the images, in pixels"
    )
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--save-path", required=True, help="the run folder")
    given = parser.parse_args(argv)
    size, first = (given.side, given.side, 3), first_side(given.side)
    plan = class_system(size, (first, first), DEPTH)
    gan = DCGAN(network_plan=plan, save_path=given.save_path, **PRESETS["sea"].training)
    gan.fit(given.images, minutes=given.minutes)
    return 0
