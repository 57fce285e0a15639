"""Train on images that are in memory: python -m examples.train_on_arrays

An array is uint8, or float in [0, 1] or [-1, 1], of shape (n, height, width, channels), or without
channels where images are gray. This one holds drawn discs.
"""

import numpy as np

from dcgan import DCGAN


def draw_discs(count, side=32, seed=0):
    """Color images of one disc each, of random position, radius and color, in [0, 1]."""
    random = np.random.default_rng(seed)
    x, y = random.uniform(0.3, 0.7, (2, count, 1, 1))
    radius = random.uniform(0.1, 0.3, (count, 1, 1))
    disc_color, background = random.uniform(0, 1, (2, count, 1, 1, 3))
    place = (np.arange(side) + 0.5) / side
    distance = np.hypot(place - x, place[:, None] - y)
    disc = np.clip((radius - distance) * side + 0.5, 0, 1)[..., None]  # a soft edge
    return (disc * disc_color + (1 - disc) * background).astype(np.float32)


def main(count=2000, epochs=30, side=32, **options):
    images = draw_discs(count, side)
    gan = DCGAN(save_path="Results/discs", img_size=(side, side, 3), **{"depth": 3, **options})
    gan.fit(images, epochs=epochs)
    generated = gan.generate(8)
    print("generated:", generated.shape, generated.dtype, "see Results/discs/samples.png")
    np.save(gan.run_path / "generated.npy", generated)  # `fit` takes the path of such a file too


if __name__ == "__main__":
    main()
