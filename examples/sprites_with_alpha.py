"""How do I make sprites with a transparent ground? python -m examples.sprites_with_alpha

With four channels the networks learn the outline too. Here the sprites are drawn: little creatures,
the same left and right. Your own go into a folder as PNG files with alpha.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from dcgan import DCGAN


def draw_sprite(random, side):
    """A creature on an 8x8 grid, as RGBA."""
    half = random.random((8, 4)) < np.linspace(0.35, 0.9, 4)  # fuller towards the middle
    body = np.concatenate([half, half[:, ::-1]], axis=1)
    color = random.integers(60, 256, 3)
    sprite = np.zeros((8, 8, 4), np.uint8)
    sprite[body] = [*color, 255]
    eye = random.integers(1, 4)
    sprite[eye, [2, 5]] = [255, 255, 255, 255]
    return Image.fromarray(sprite).resize((side, side), Image.Resampling.NEAREST)


def main(folder="sprites", count=1000, side=32, epochs=60, **options):
    Path(folder).mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for number in range(count):
        draw_sprite(random, side).save(Path(folder, f"{number:04d}.png"))

    gan = DCGAN(img_size=(side, side, 4), **{"depth": 3, "mirror": True, **options})
    gan.fit(folder, epochs=epochs)
    for number, image in enumerate(gan.generate(8, seed=1)):  # uint8 (8, 32, 32, 4)
        Image.fromarray(image).save(f"new_sprite_{number}.png")


if __name__ == "__main__":
    main()
