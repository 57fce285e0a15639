"""The command line of the benchmarks: `python -m benchmarks VERB`, from the root of the clone."""

import argparse
import os
from importlib import import_module

VERBS = {
    "speed": "time the training step, fit and generate, in one table",
    "layers": "time our layers for TensorFlow against Keras's",
    "recording": "time a step on PyTorch as Keras takes it, and recorded",
    "peak": "measure the fastest convolution and matrix product of this machine",
    "data": "time the decoding of images, and measure its memory",
    "devices": "reckon what several devices exchange and gain",
    "quality": "train a recipe with several seeds, and append what it gives to a table",
    "exports": "write a model in each format: size, difference and time",
    "survive": "kill a training 100 times and check that each start resumes",
    "gallery": "train an entry of the gallery and write its page",
    "class_system": "train the preset sea on square images of another size",
}

ENVIRONMENT = {  # where the user has not set it: all verbs measure the same thing
    "KERAS_BACKEND": "tensorflow",
    "TF_ENABLE_ONEDNN_OPTS": "1",  # as dcgan sets it; some verbs import Keras first
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def main(argv: list[str] | None = None) -> int:
    """Run one benchmark; returns the exit status."""
    listing = "\n".join(f"  {verb:14}{help}" for verb, help in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"verbs:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=VERBS, metavar="VERB", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the verb; try --help")
    given = parser.parse_args(argv)
    return import_module(f"benchmarks.{given.verb}").main(given.arguments)


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT | os.environ)
    raise SystemExit(main())
