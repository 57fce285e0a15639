"""How do I walk from one image to another? python -m examples.interpolate sea.dcgan 3 17 41

Each number is a seed: the first image of that seed, as `generate(1, seed=3)` shows it. The walk
goes from each to the next and back to the first, and is written as walk.gif.
"""

import sys

import numpy as np
from PIL import Image

from dcgan import DCGAN
from dcgan.latents import draw_latents


def between(first, second, shares):
    """Latents on the arc from one to the other: normal ones lie near a sphere, not inside it."""
    cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    angle = max(np.arccos(np.clip(cosine, -1, 1)), 1e-6)  # of a seed to itself there is none
    shares = shares[:, None]
    return (np.sin((1 - shares) * angle) * first + np.sin(shares * angle) * second) / np.sin(angle)


def main(model, seeds=(3, 17, 41), frames=24, out="walk.gif"):
    gan = DCGAN.load(model)
    keys = [draw_latents(1, gan.input_size, seed)[0] for seed in seeds]
    shares = np.arange(frames) / frames
    ways = [between(key, keys[(number + 1) % len(keys)], shares) for number, key in enumerate(keys)]
    images = gan.generate(latents=np.concatenate(ways))
    if gan.img_size[2] == 1:
        images = images[..., 0]
    first, *rest = [Image.fromarray(image) for image in images]
    first.save(out, save_all=True, append_images=rest, duration=60, loop=0)


if __name__ == "__main__":
    main(sys.argv[1], [int(seed) for seed in sys.argv[2:]] or (3, 17, 41))
