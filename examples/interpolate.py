"""Animate the way from one generated image to another: python -m examples.interpolate sea.dcgan

Walks from seed to seed and back to the first, at a constant visible speed, and writes walk.webp
beside the model. Numbers after the model are the seeds: ... sea.dcgan 3 17 41
"""

import sys
from pathlib import Path

from dcgan import DCGAN


def main(model, seeds=(3, 17, 41), seconds=6.0):
    walk = DCGAN.load(model).walk(seeds, seconds)  # a notebook displays it
    walk.save(Path(model).with_name("walk.webp"))


if __name__ == "__main__":
    main(sys.argv[1], [int(seed) for seed in sys.argv[2:]] or (3, 17, 41))
