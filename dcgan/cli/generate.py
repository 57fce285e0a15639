"""Generate images with a trained model: a PNG file for each, and a contact sheet of all of them.

Image number i of a seed is always the same. Each file holds the model, the seed and the number
that it was generated from."""

import argparse
from pathlib import Path

from dcgan.cli.console import progress_bar

HELP = "generate images with a trained model"
USAGE = "MODEL [options]"

MAX_IMAGES = 1_000_000
CHUNK = 256  # images in memory at a time
MAX_ON_SHEET = 400  # more would be too small to see


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "model", metavar="MODEL", help="a .dcgan file, such as Results/sea/last.dcgan"
    )
    parser.add_argument(
        "-n", dest="n", metavar="N", type=int, default=16, help="number of images (default: 16)"
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=int,
        default=0,
        help="seed of the images; another seed gives other images (default: 0)",
    )
    parser.add_argument(
        "--out", metavar="DIR", default="images", help="folder to write to (default: images)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the images and print where they are."""
    import numpy as np

    from dcgan.errors import MAX_SEED, RunError, whole
    from dcgan.images import grid, png_bytes, save_png
    from dcgan.latents import draw_latents

    n = whole("n", arguments.n, 1, MAX_IMAGES)
    seed = whole("seed", arguments.seed, 0, MAX_SEED)
    from dcgan import DCGAN  # imports Keras, which takes seconds

    gan = DCGAN.load(arguments.model)
    out = Path(arguments.out)
    made_by = {"Software": "dcgan", "dcgan-model": gan.model_hash, "dcgan-seed": str(seed)}
    shown: list[np.ndarray] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        with progress_bar(total=n, unit=" images") as bar:
            for first in range(0, n, CHUNK):
                latents = draw_latents(min(CHUNK, n - first), gan.input_size, seed, first)
                for number, image in enumerate(gan.generate(latents=latents), first):
                    path = out / f"seed{seed}_{number:05d}.png"
                    path.write_bytes(png_bytes(image, made_by | {"dcgan-number": str(number)}))
                    if number < MAX_ON_SHEET:
                        shown.append(image)
                bar.update(len(latents))
        sheet = out / f"seed{seed}_contact_sheet.png"
        save_png(sheet, grid(np.stack(shown)), made_by)
    except OSError as error:
        raise RunError(f"Cannot write to {arguments.out!r}: {error.strerror or error}.") from error
    on_sheet = "all" if n == len(shown) else f"the first {len(shown)}"
    print(f"{n:,} images in {out}, {on_sheet} on {sheet}")
    return 0
