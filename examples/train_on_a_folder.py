"""Train on your own folder of images: python -m examples.train_on_a_folder path/to/images

Results/<name of the folder>/ fills during training: real.png shows the images as the networks see
them, samples/ what the generator makes, losses.png the losses of both networks. Stop it with
Ctrl-C; the same call resumes.
"""

import sys

from PIL import Image

from dcgan import DCGAN


def main(folder, minutes=60, img_size=(150, 150, 3), **options):
    gan = DCGAN(img_size=img_size, **options)
    gan.fit(folder, minutes=minutes)
    for number, image in enumerate(gan.generate(4, seed=7)):  # uint8 (4, 150, 150, 3)
        Image.fromarray(image).save(gan.run_path / f"new_{number}.png")
    # the whole model is in last.dcgan already; the generator alone is a smaller file to share
    gan.save(gan.run_path / "generator.dcgan", generator_only=True)


if __name__ == "__main__":
    main(sys.argv[1])
