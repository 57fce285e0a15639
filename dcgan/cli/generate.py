"""Generate images and a contact sheet of them with a trained model.

Image number i of a seed is always the same. Each is a PNG file that holds the model, the seed and
the number that it was generated from."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dcgan.cli.console import find_model, progress_bar, writing
from dcgan.cli.flags import add_model, add_truncation, seed_list

CHUNK = 256  # images in memory at a time
MAX_MOVE = 10  # standard deviations; beyond, no latent is ever drawn
MAX_ON_SHEET = 400  # more would be too small to see


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add = parser.add_argument
    add_model(parser)
    add("-n", metavar="N", type=int, help="number of images (default: 16)")
    add(
        "--seed",
        metavar="N",
        type=int,
        help="seed of the images; another seed gives other images (default: 0)",
    )
    add("--seeds", metavar="LIST", help="the image of each of these seeds, such as 3,9,100-140")
    add_truncation(parser)
    add(
        "--best-of",
        metavar="K",
        type=int,
        default=1,
        help="make K for each image, and keep the one that the discriminator takes most for real, "
        "which helps where many images are malformed (default: 1)",
    )
    add("--near", metavar="SEED", type=int, help="variations of the image of this seed")
    add(
        "--distance",
        metavar="X",
        type=float,
        help="with --near: how far they vary, from 0 (not at all) to 1 (default: 0.3)",
    )
    add(
        "--move",
        metavar="LIST",
        help="move the images along directions that browse shows, in standard deviations, such as "
        "3=1.5,1=-2 for the third and the first",
    )
    add("--out", metavar="DIR", default="generated", help="folder to write to (default: generated)")


def run(arguments: argparse.Namespace) -> None:
    """Write the images and print where they are."""
    import numpy as np

    from dcgan.errors import MAX_SEED, counted, real, whole
    from dcgan.images import enlarged_grid, png_bytes, save_png
    from dcgan.latents import MAX_BEST_OF, MAX_IMAGES, draw_latents

    _check_together(arguments)
    n = whole("n", 16 if arguments.n is None else arguments.n, 1, MAX_IMAGES)
    seed = whole("seed", arguments.seed or 0, 0, MAX_SEED)
    truncation = real("truncation", arguments.truncation, 0, 1)
    best_of = whole("--best-of", arguments.best_of, 1, MAX_BEST_OF)
    seeds = None if arguments.seeds is None else seed_list(arguments.seeds)
    moves = {} if arguments.move is None else _moves(arguments.move)
    if arguments.near is not None:
        whole("--near", arguments.near, 0, MAX_SEED)
        arguments.distance = 0.3 if arguments.distance is None else arguments.distance
        real("--distance", arguments.distance, 0, 1)
    from dcgan import DCGAN  # imports Keras, which takes seconds
    from dcgan.evaluation import best_rows

    gan = DCGAN.load(find_model(arguments.model))
    best_rows(gan, draw_latents(0, gan.input_size), best_of)  # refuses before any work
    shift = _shift(gan, moves)
    out, total = Path(arguments.out), n if seeds is None else len(seeds)
    made_by = {"Software": "dcgan", "dcgan-model": gan.model_hash}
    made_by |= {} if truncation == 1 else {"dcgan-truncation": str(truncation)}
    shown: list[np.ndarray] = []
    with writing("--out", out):
        out.mkdir(parents=True, exist_ok=True)
        with progress_bar(total=total, unit=" images") as bar:
            for names, latents in _pieces(arguments, n * best_of, seed, seeds, gan.input_size):
                latents = latents * np.float32(truncation) + shift
                chosen = best_rows(gan, latents, best_of)
                images = gan.generate(latents=latents[chosen])
                for row, image in zip(chosen, images, strict=True):
                    name, facts = names[row]
                    (out / f"{name}.png").write_bytes(png_bytes(image, made_by | facts))
                    if len(shown) < MAX_ON_SHEET:
                        shown.append(image)
                bar.update(len(images))
        drawn = f"seed{seed}" if seeds is None else f"seeds{arguments.seeds[:60]}"
        drawn = _prefix(arguments) + drawn + (f"_best_of_{best_of}" if best_of > 1 else "")
        sheet = out / f"{drawn}_contact_sheet.png"
        save_png(sheet, enlarged_grid(np.stack(shown)), made_by | {"dcgan-drawn": drawn})
    on_sheet = "all" if total == len(shown) else f"the first {len(shown)}"
    print(f"{counted(total, 'image')} in {out}, {on_sheet} on {sheet}")


def _check_together(arguments: argparse.Namespace) -> None:
    """Refuse flags of which one would have no effect."""
    from dcgan.errors import ArgumentError

    given = {name for name, value in vars(arguments).items() if value is not None}
    given -= {"best_of"} if arguments.best_of == 1 else set()
    flags = {"n": "-n", "seed": "--seed", "near": "--near", "best_of": "--best-of"}
    for name in flags if "seeds" in given else ():
        if name in given:
            raise ArgumentError(
                f"Give {flags[name]} or --seeds, not both: --seeds says which images."
            )
    if "distance" in given and "near" not in given:
        raise ArgumentError("--distance is how far --near goes. Give both.")


def _pieces(
    arguments: argparse.Namespace, n: int, seed: int, seeds: list[int] | None, size: int
) -> Iterator[tuple[list[tuple[str, dict[str, str]]], Any]]:
    """A file name with facts for each image, and their latents, a chunk at a time."""
    import numpy as np

    from dcgan.latents import draw_latents, turn

    total = n if seeds is None else len(seeds)
    chunk = CHUNK * arguments.best_of
    for first in range(0, total, chunk):
        numbers = range(first, min(first + chunk, total))
        addresses = [(seed, k) if seeds is None else (seeds[k], 0) for k in numbers]
        latents = np.concatenate([draw_latents(1, size, *address) for address in addresses])
        added = {} if arguments.move is None else {"dcgan-move": arguments.move}
        if arguments.near is not None:
            center = draw_latents(1, size, arguments.near)[0]
            latents = np.stack([turn(center, row, arguments.distance) for row in latents])
            added |= {"dcgan-near": str(arguments.near), "dcgan-distance": str(arguments.distance)}
        names = [f"{_prefix(arguments)}seed{s}_{k:05d}" for s, k in addresses]
        facts = [{"dcgan-seed": str(s), "dcgan-number": str(k)} | added for s, k in addresses]
        yield list(zip(names, facts, strict=True)), latents


def _prefix(arguments: argparse.Namespace) -> str:
    """What file names begin with, so that images of one seed do not overwrite each other."""
    near = "" if arguments.near is None else f"near{arguments.near}_"
    move = "" if arguments.move is None else f"move{arguments.move[:60]}_"
    truncated = "" if arguments.truncation == 1 else f"truncation{arguments.truncation:g}_"
    return near + move + truncated


def _moves(text: str) -> dict[int, float]:
    """Standard deviations by the number of a direction, as they are typed: `3=1.5,1=-2`."""
    from dcgan.errors import ArgumentError
    from dcgan.pages.browse import DIRECTIONS

    try:
        pairs = [part.split("=") for part in text.split(",")]
        moves = {int(number): float(amount) for number, amount in pairs}
        if not all(0 < n <= DIRECTIONS and abs(amount) <= MAX_MOVE for n, amount in moves.items()):
            raise ValueError
    except ValueError:
        raise ArgumentError(
            f"--move must be directions from 1 to {DIRECTIONS} with standard deviations from "
            f"-{MAX_MOVE} to {MAX_MOVE}, such as 3=1.5,1=-2. Received: {text[:200]!r}"
        ) from None
    return moves


def _shift(gan: Any, moves: dict[int, float]) -> Any:
    """What is added to every latent: float32 `(input_size,)`, or 0."""
    if not moves:
        return 0
    from dcgan.pages.browse import DIRECTIONS
    from dcgan.pages.directions import find_directions, first_layer

    directions = find_directions(first_layer(gan.generator), gan.input_size, DIRECTIONS)
    return sum(amount * directions.steps[number - 1] for number, amount in moves.items())
