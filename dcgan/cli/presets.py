"""List the known networks that `--preset` takes by name; with a name, show all about that one.

G and D are the numbers of weights of the generator and the discriminator as Keras counts them,
BatchNorm's statistics included."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="a preset, to see its training and how it differs from the original",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print a line per preset, or one preset's training and note."""
    from dcgan.networks.presets import find_preset, list_presets

    if arguments.name is None:
        for name, preset in list_presets().items():
            print(_line(name, preset))
        return
    preset = find_preset(arguments.name)
    print(_line(arguments.name, preset))
    epochs = {} if preset.epochs is None else {"epochs": preset.epochs}
    for setting, value in {**preset.training, **epochs}.items():
        print(f"  {setting}: {value}")
    print(f"  {preset.note}")


def _line(name: str, preset) -> str:
    size = "x".join(str(side) for side in preset.plan.img_size)
    generator, discriminator = preset.weights
    return f"{name:14}  {size:9}  G {generator:9,}  D {discriminator:9,}  {preset.source}"
