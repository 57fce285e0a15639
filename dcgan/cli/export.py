"""Export a generator to onnx, litert, savedmodel, keras, h5 or a web page.

It is verified that the generator gives the same images there. onnx runs in ONNX Runtime and most
other engines, litert on phones, savedmodel in TensorFlow, keras and h5 in plain Keras: latents go
in, images come out, without this package. web is one page that makes new images in any browser, on
a phone too."""

import argparse

from dcgan.cli.console import find_model
from dcgan.cli.flags import add_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_model(parser)
    parser.add_argument(
        "--to",
        metavar="FORMAT",
        help="onnx, litert, savedmodel, keras, h5 or web (default: by the ending of --out)",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        required=True,
        help="the file to write, which ends in .onnx, .tflite, .keras, .h5 or .html; a folder for "
        "savedmodel",
    )
    parser.add_argument(
        "--output",
        choices=("float", "uint8"),
        default="float",
        help="images in [-1, 1], or whole numbers from 0 to 255 (default: float)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Export, and print how well it was verified."""
    from dcgan import DCGAN  # imports Keras, which takes seconds

    gan = DCGAN.load(find_model(arguments.model))
    difference = gan.export(arguments.out, arguments.to, output=arguments.output)
    print(
        f"{arguments.out}: verified with 16 seeds; images differ by at most {difference:g} of 255 "
        "levels."
    )
