"""Show what a model file is: its images, networks, training, and what its author says of it.

Nothing is computed, and no framework is loaded."""

import argparse

from dcgan.cli.console import find_model, writing
from dcgan.cli.flags import add_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_model(parser)
    parser.add_argument("--preview", metavar="PNG", help="also write the file's preview image")


def run(arguments: argparse.Namespace) -> None:
    """Print a line per fact."""
    from dcgan.errors import ModelFileError, printable
    from dcgan.images import RUN_IMAGE, save_png
    from dcgan.storage.model_file import read_model_file

    path = find_model(arguments.model)
    file = read_model_file(path)
    try:
        facts = _facts(path, file)
    except (KeyError, TypeError, ValueError) as error:  # no plan or training state of ours
        raise ModelFileError(f"{path!r} describes no model that can be shown.") from error
    for name, value in facts.items():
        print(f"{name:11} {printable(str(value))}")
    if arguments.preview:
        if file.preview is None:
            raise ModelFileError(f"{path!r} has no preview, as checkpoints have none.")
        with writing("--preview", arguments.preview):
            save_png(arguments.preview, file.preview, RUN_IMAGE)


def _facts(path: str, file) -> dict[str, object]:
    """What a model file says of itself."""
    from dcgan.storage.document import CARD_FIELDS

    plan, training = file.document["plan"], file.document["training"]
    data = training["data"]
    weights = sum(a.size for name, a in file.arrays.items() if name.startswith("generator/"))
    measured = training["health"]["count"] > 0
    status = f"status {training['status']}" if measured else "not measured"
    held = "the generator alone" if file.generator_only else "the whole model; training can go on"
    return {
        "file": f"{path}, {held}",
        "images": "x".join(map(str, plan["img_size"])),
        "generator": f"{weights:,} weights, depth {len(plan['generator'])}",
        "training": f"{training['step']:,} steps, {status}",
        "trained on": f"{data['count']:,} images" if data else "not known",
        "sha256": file.sha256,
        **{name: file.card.get(name, "not said") for name in CARD_FIELDS},
    }
