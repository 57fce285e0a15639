"""Command line of a fresh clone: `python main.py path/to/images`; see `python main.py --help`."""

from dcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prog="python main.py"))
