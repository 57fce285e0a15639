"""What does `cache` do? Tells where decoded images are kept and how many, or deletes them."""

import argparse

HELP = "show where decoded images are kept and how large that is, or clear it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--clear", action="store_true", help="delete all decoded images")


def run(arguments: argparse.Namespace) -> int:
    """Print one line per decoded folder and the total, or what was freed."""
    from dcgan.data.cache import cache_entries, cache_folder, clear_cache
    from dcgan.errors import printable

    if arguments.clear:
        print(f"{clear_cache() / 1e6:,.1f} MB freed in {cache_folder()}")
        return 0
    entries = cache_entries()
    for entry in entries:
        source = printable(entry.source)
        print(f"{entry.size / 1e6:10,.1f} MB  {entry.images:8,} images  {source}")
    total = sum(entry.size for entry in entries)
    print(f"{total / 1e6:10,.1f} MB  in {cache_folder()}")
    return 0
