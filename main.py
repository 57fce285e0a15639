"""Train on a folder of images: `python main.py path/to/images`; see `python main.py --help`."""

from dcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
