"""Generate where dcgan is not installed, with Keras and matplotlib alone.

Write the generator once, where dcgan is:

    DCGAN.load("sea.dcgan").generator.save("generator.keras")    # or "generator.h5"

and then, anywhere: python generate_with_keras_alone.py generator.keras
It writes generated.png beside the generator.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure


def main(path, rows=4, columns=4, seed=7):
    generator = keras.saving.load_model(path, compile=False)
    size = generator.input_shape[1]
    latents = np.random.default_rng(seed).standard_normal((rows * columns, size), np.float32)
    images = generator.predict(latents, verbose=0)  # in [-1, 1]
    figure = Figure(figsize=(2 * columns, 2 * rows), layout="constrained")
    for number, image in enumerate(images, 1):
        axes = figure.add_subplot(rows, columns, number)
        image = np.clip((image + 1) / 2, 0, 1)
        if image.shape[-1] == 4:  # colors come multiplied by alpha, the last channel
            image[..., :3] = np.minimum(image[..., :3] / np.maximum(image[..., 3:], 1e-3), 1)
        axes.imshow(image, cmap="gray")  # the color map is used for one channel only
        axes.axis("off")
    figure.savefig(Path(path).with_name("generated.png"))


if __name__ == "__main__":
    main(sys.argv[1])
