"""How do I use a generator where dcgan is not installed? With Keras and matplotlib alone.

Write the generator once, where dcgan is:

    DCGAN.load("sea.dcgan").generator.save("generator.keras")    # or "generator.h5"

and then, anywhere: python generate_with_keras_alone.py generator.keras
"""

import sys

import keras
import numpy as np
from matplotlib.figure import Figure


def main(path, rows=4, columns=4, seed=7, out="generated.png"):
    generator = keras.saving.load_model(path, compile=False)
    size = generator.input_shape[1]
    latents = np.random.default_rng(seed).standard_normal((rows * columns, size), np.float32)
    pictures = generator.predict(latents, verbose=0)  # in [-1, 1]
    figure = Figure(figsize=(2 * columns, 2 * rows), layout="constrained")
    for number, picture in enumerate(pictures, 1):
        axes = figure.add_subplot(rows, columns, number)
        picture = np.clip((picture + 1) / 2, 0, 1)
        if picture.shape[-1] == 4:  # colours come multiplied by alpha, the last channel
            picture[..., :3] = np.minimum(picture[..., :3] / np.maximum(picture[..., 3:], 1e-3), 1)
        axes.imshow(picture, cmap="gray")  # which is for those of one channel
        axes.axis("off")
    figure.savefig(out)


if __name__ == "__main__":
    main(sys.argv[1])
