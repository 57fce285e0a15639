"""How good is the class-API system, the preset `sea`, on squares of another size?

    python benchmarks/class_system.py path/to/images --side 64 --minutes 30 --save-path class-64

Its networks with its rule for their first map, and its training; presets have one size only. What
it writes is a run like any other.
"""

import argparse

from dcgan import DCGAN
from dcgan.networks.presets import PRESETS, class_system

DEPTH, KERNEL = 4, 3


def first_side(side: int) -> int:
    """The side of the generator's first map: 10 at 150, as the system reckons it."""
    for _ in range(DEPTH):
        side = (side - KERNEL) // 2 + 1
    return side + 2


def main() -> None:
    """Train it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", help="a folder of images")
    parser.add_argument("--side", type=int, required=True, help="of the images, in pixels")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--save-path", required=True, help="the run folder")
    given = parser.parse_args()
    size, first = (given.side, given.side, 3), first_side(given.side)
    plan = class_system(size, (first, first), DEPTH)
    gan = DCGAN(network_plan=plan, save_path=given.save_path, **PRESETS["sea"].training)
    gan.fit(given.images, minutes=given.minutes)


if __name__ == "__main__":
    main()
