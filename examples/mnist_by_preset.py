"""Train a known system on MNIST: python -m examples.mnist_by_preset mnist.npz mnist-paper

`python main.py presets` lists the systems. MNIST may be Keras's mnist.npz or a folder of the idx
files.
"""

import sys

from PIL import Image

from dcgan import DCGAN


def main(mnist, preset="mnist-paper", epochs=50, **changes):
    gan = DCGAN.from_preset(preset, **changes)
    gan.summary()
    history = gan.fit(mnist, epochs=epochs)
    print("losses at the end:", {name: values[-1] for name, values in history.history.items()})
    digits = gan.generate(16)[..., 0]  # uint8 (16, 28, 28)
    sheet = digits.reshape(4, 4, 28, 28).swapaxes(1, 2).reshape(4 * 28, 4 * 28)
    Image.fromarray(sheet).save(gan.run_path / "digits.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
