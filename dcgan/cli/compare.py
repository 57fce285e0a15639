"""Say which of two models makes images more like those in a folder, or that none can be told.

Both are measured against the same real images, those that both were trained on, so that small
differences show and neither is favoured."""

import argparse
import json

from dcgan.cli import evaluate

HELP = "say which of two models is better, or that no difference can be told"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument("first", metavar="MODEL_A", help="a .dcgan file")
    parser.add_argument("second", metavar="MODEL_B", help="another one, of the same image size")
    parser.add_argument("folder", help="the images that both were trained on")
    evaluate.add_measuring_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the verdict."""
    from dcgan.errors import ArgumentError
    from dcgan.metrics.features import load_network
    from dcgan.metrics.report import compare

    evaluate.check_numbers(arguments)
    network = load_network(arguments.network)
    first, second = evaluate.load(arguments.first), evaluate.load(arguments.second)
    if first.img_size != second.img_size:
        raise ArgumentError(
            "Two models are compared on images of one size. Received: "
            f"{arguments.first} makes {first.img_size}, {arguments.second} {second.img_size}"
        )
    fitted = [(gan.options["resize"], gan.options["background"]) for gan in (first, second)]
    if fitted[0] != fitted[1]:
        evaluate.say(
            f"Note: {arguments.second} was trained on images fitted otherwise ({fitted[1]}) than "
            f"those that both are compared with ({fitted[0]}), which favours {arguments.first}."
        )
    elif first.data.get("sha256") != second.data.get("sha256"):
        evaluate.say("Note: the two models were trained on different images, or copies of them.")
    train, _ = evaluate.training_images(first, arguments.folder, also=second)
    made = [evaluate.generate(gan, arguments) for gan in (first, second)]
    with evaluate.counting(network) as counted:
        verdict = compare(*made, train, counted)
    if arguments.json:
        print(json.dumps(verdict.to_dict(), indent=2))
    else:
        print(verdict.text((arguments.first, arguments.second)))
    return 0
