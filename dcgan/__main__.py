"""Command line of an installed package: `python -m dcgan path/to/images`."""

from dcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prog="python -m dcgan"))
