"""How do I train on my own folder of images? python -m examples.train_on_a_folder path/to/images

Results/<name of the folder>/ fills while it goes: real.png shows the images as the networks see
them, samples/ what is made of them so far, losses.png how the two players stand. Stop it with
Ctrl-C; the same call goes on where it stopped.
"""

import sys

from PIL import Image

from dcgan import DCGAN


def main(folder, minutes=60, img_size=(150, 150, 3), **options):
    gan = DCGAN(img_size=img_size, **options)
    gan.fit(folder, minutes=minutes)
    for number, image in enumerate(gan.generate(4, seed=7)):  # uint8 (4, 150, 150, 3)
        Image.fromarray(image).save(f"new_{number}.png")
    gan.save("trained.dcgan")  # all of it: to share, to generate, to go on training


if __name__ == "__main__":
    main(sys.argv[1])
