"""List the known networks that `--preset` takes by name; with a name, say all of that one.

Weights are counted as Keras counts them, BatchNorm's statistics included."""

import argparse

HELP = "list the known networks that --preset takes by name"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument("name", nargs="?", help="say all of this one")


def run(arguments: argparse.Namespace) -> int:
    """Print a line per preset, or one preset's settings and note."""
    from dcgan.networks.plan import count_weights
    from dcgan.networks.presets import PRESETS
    from dcgan.networks.recipes import find_preset

    chosen = PRESETS
    if arguments.name is not None:
        chosen = {arguments.name: find_preset(arguments.name)}
    for name, preset in chosen.items():
        size = "x".join(str(side) for side in preset.plan.img_size)
        counts = [count_weights(preset.plan, player) for player in ("generator", "discriminator")]
        print(f"{name:14}  {size:9}  G {counts[0]:9,}  D {counts[1]:9,}  {preset.source}")
    if arguments.name is not None:
        epochs = {} if preset.epochs is None else {"epochs": preset.epochs}
        for setting, value in {**preset.training, **epochs}.items():
            print(f"  {setting}: {value}")
        print(f"  {preset.note}")
    return 0
