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
    images = generator.predict(latents, verbose=0)  # in [-1, 1]
    figure = Figure(figsize=(2 * columns, 2 * rows), layout="constrained")
    for number, image in enumerate(images, 1):
        axes = figure.add_subplot(rows, columns, number)
        image = np.clip((image + 1) / 2, 0, 1)
        if image.shape[-1] == 4:  # colors come multiplied by alpha, the last channel
            image[..., :3] = np.minimum(image[..., :3] / np.maximum(image[..., 3:], 1e-3), 1)
        axes.imshow(image, cmap="gray")  # which is for those of one channel
        axes.axis("off")
    figure.savefig(out)


if __name__ == "__main__":
    main(sys.argv[1])
