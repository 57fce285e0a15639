"""Make images with a trained model: single PNG files, and one sheet of all of them.

Image number i of a seed is always the same. Each file says inside which model, seed and number
it was made from."""

import argparse
import sys
from pathlib import Path

HELP = "make images with a trained model"

MOST_IMAGES = 1_000_000
CHUNK = 256  # images in memory at a time
MOST_ON_A_SHEET = 400  # more would be too small to see


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument("model", help="a .dcgan file, such as Results/sea/last.dcgan")
    parser.add_argument("-n", "--count", type=int, default=16, help="how many (default: 16)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: 0)")
    parser.add_argument("--out", default="images", help="folder to write to (default: images)")


def run(arguments: argparse.Namespace) -> int:
    """Write the images and say where they are."""
    import numpy as np
    from tqdm import tqdm

    from dcgan import DCGAN
    from dcgan.errors import RunError
    from dcgan.images import grid, png_bytes, save_png
    from dcgan.latents import draw_latents
    from dcgan.options import MAX_SEED, whole

    count = whole("-n", arguments.count, 1, MOST_IMAGES)
    seed = whole("--seed", arguments.seed, 0, MAX_SEED)
    gan = DCGAN.load(arguments.model)
    out = Path(arguments.out)
    made_by = {"Software": "dcgan", "dcgan-model": gan.sha256, "dcgan-seed": str(seed)}
    shown = []
    progress = tqdm(total=count, unit="image", delay=2, file=sys.stderr)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for first in range(0, count, CHUNK):
            latents = draw_latents(min(CHUNK, count - first), gan.input_size, seed, first)
            for number, image in enumerate(gan.generate(latents=latents), first):
                path = out / f"seed{seed}_{number:05d}.png"
                path.write_bytes(png_bytes(image, made_by | {"dcgan-number": str(number)}))
                if number < MOST_ON_A_SHEET:
                    shown.append(image)
            progress.update(len(latents))
        sheet = out / f"seed{seed}_sheet.png"
        save_png(sheet, grid(np.stack(shown)), made_by)
    except OSError as error:
        raise RunError(f"Cannot write to {arguments.out!r}: {error.strerror or error}.") from error
    finally:
        progress.close()
    on_sheet = "all" if count == len(shown) else f"the first {len(shown)}"
    print(f"{count} images in {out}, {on_sheet} on {sheet}")
    return 0
