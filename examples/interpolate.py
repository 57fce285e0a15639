"""Animate the way from one generated image to another: python -m examples.interpolate sea.dcgan

Draws a few latents, moves from each to the next and back to the first, and writes walk.gif beside
the model. Numbers after the model are the seeds of the latents: ... sea.dcgan 3 17 41
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dcgan import DCGAN


def between(first, second, shares):
    """Latents on the arc from one to the other: normal ones lie near a sphere, not inside it."""
    cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
    angle = max(np.arccos(np.clip(cosine, -1, 1)), 1e-6)  # no division by 0 for equal seeds
    shares = shares[:, None]
    return (np.sin((1 - shares) * angle) * first + np.sin(shares * angle) * second) / np.sin(angle)


def main(model, seeds=(3, 17, 41), frames=24):
    gan = DCGAN.load(model)
    keys = [np.random.default_rng(seed).standard_normal(gan.input_size) for seed in seeds]
    shares = np.arange(frames) / frames
    arcs = [between(key, keys[(number + 1) % len(keys)], shares) for number, key in enumerate(keys)]
    images = gan.generate(latents=np.concatenate(arcs))  # uint8 (len(seeds) * frames, H, W, C)
    if gan.img_size[2] == 1:
        images = images[..., 0]
    first, *rest = [Image.fromarray(image) for image in images]
    out = Path(model).with_name("walk.gif")
    first.save(out, save_all=True, append_images=rest, duration=60, loop=0)


if __name__ == "__main__":
    main(sys.argv[1], [int(seed) for seed in sys.argv[2:]] or (3, 17, 41))
