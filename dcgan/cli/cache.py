"""Show what is kept between runs, decoded images and compiled steps, or delete it."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "--clear",
        action="store_true",
        help="delete decoded images and compiled steps; your own files stay, and are decoded again",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print a line per decoded source and the total, or how much was deleted."""
    from dcgan.data.cache import cache_entries, cache_folder, clear_cache, compiled_size
    from dcgan.errors import printable

    if arguments.clear:
        print(f"{clear_cache() / 1e6:,.1f} MB deleted in {cache_folder()}")
        return
    entries = cache_entries()
    for source, images, size in entries:
        print(f"{size / 1e6:10,.1f} MB  {images:8,} images  {printable(source)}")
    if compiled := compiled_size():
        print(f"{compiled / 1e6:10,.1f} MB  steps compiled by JAX")
    total = sum(size for *_, size in entries) + compiled
    print(f"{total / 1e6:10,.1f} MB  in {cache_folder()}")
