"""Write a page of many seeds to choose images from.

Open it in any browser: star images, keep the starred, and copy the command that makes them at full
size. It also shows the directions in which the generator changes. It is one file that needs no
network."""

import argparse
import shlex
from pathlib import Path

from dcgan.cli.console import find_model, progress_bar, writing
from dcgan.cli.flags import add_model, add_truncation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add = parser.add_argument
    add_model(parser)
    add(
        "-n",
        metavar="N",
        type=int,
        default=600,
        help="number of seeds; the page begins with 200, and more follow as it is scrolled "
        "(default: 600)",
    )
    add("--first", metavar="SEED", type=int, default=0, help="the first of them (default: 0)")
    add_truncation(parser)
    add("--out", metavar="HTML", help="file to write (default: browse.html beside the model)")


def run(arguments: argparse.Namespace) -> None:
    """Write the page and print where it is."""
    from dcgan.atomic import write_atomically
    from dcgan.errors import MAX_SEED, real, whole
    from dcgan.pages.browse import MAX_SEEDS, browse_page, images_on_page

    n = whole("n", arguments.n, 1, MAX_SEEDS)
    first = whole("--first", arguments.first, 0, MAX_SEED - n)
    truncation = real("--truncation", arguments.truncation, 0, 1)
    from dcgan import DCGAN  # imports Keras, which takes seconds

    model = find_model(arguments.model)
    gan = DCGAN.load(model)
    command = f"{arguments.prog} generate {shlex.quote(model)}"
    with progress_bar(total=images_on_page(n), unit=" images") as bar:
        seeds = range(first, first + n)
        page = browse_page(
            gan, seeds, name=model, command=command, truncation=truncation, report=bar.update
        )
    out = Path(arguments.out or Path(model).with_name("browse.html"))
    with writing("--out", out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, page)
    print(f"{out}: {n:,} seeds, {len(page) / 1e6:.1f} MB. Open it in a browser.")
