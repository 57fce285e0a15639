"""Make sprites with a transparent background: python -m examples.sprites_with_alpha

With four channels the networks learn the outline too. Here the sprites are drawn: small symmetric
creatures. To train on your own, give `fit` a folder of PNG files with alpha.
"""

import numpy as np
from PIL import Image

from dcgan import DCGAN


def draw_sprite(random, side):
    """A creature on an 8x8 grid, uint8 (side, side, 4)."""
    half = random.random((8, 4)) < np.linspace(0.35, 0.9, 4)  # fuller towards the middle
    body = np.concatenate([half, half[:, ::-1]], axis=1)
    color = random.integers(60, 256, 3)
    sprite = np.zeros((8, 8, 4), np.uint8)
    sprite[body] = [*color, 255]
    eye = random.integers(1, 4)
    sprite[eye, [2, 5]] = [255, 255, 255, 255]
    return np.asarray(Image.fromarray(sprite).resize((side, side), Image.Resampling.NEAREST))


def main(count=1000, side=32, epochs=60, **options):
    random = np.random.default_rng(0)
    sprites = np.stack([draw_sprite(random, side) for _ in range(count)])

    options = {"depth": 3, "horizontal_flip": True, **options}
    gan = DCGAN(save_path="Results/sprites", img_size=(side, side, 4), **options)
    gan.fit(sprites, epochs=epochs)
    for number, image in enumerate(gan.generate(8, seed=1)):  # uint8 (8, 32, 32, 4)
        Image.fromarray(image).save(gan.run_path / f"new_sprite_{number}.png")


if __name__ == "__main__":
    main()
