"""What does a preset's name stand for? The arguments of `DCGAN`: its plan, and how to train it."""

import copy
import difflib

from dcgan.errors import ArgumentError
from dcgan.networks.presets import PRESETS, Preset

RECIPES = ("original", "own")

# A preset's plan lays these down; the constructor would pass over them in silence.
PLANNED = frozenset(
    "kernel_size stride input_size img_size dropout depth increment upsampling "
    "discriminator_norm network_plan".split()
)


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ArgumentError: there is none; the message lists those there are, and names the closest.
    """
    if isinstance(name, str) and name in PRESETS:
        return PRESETS[name]
    close = difflib.get_close_matches(str(name), PRESETS, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise ArgumentError(
        f"preset must be one of {', '.join(PRESETS)}. Received: {name!r:.100}.{meant}"
    )


def preset_options(name: str, recipe: str = "original", changes: dict | None = None) -> dict:
    """The constructor's arguments that make a preset.

    Args:
        name: of the preset.
        recipe: "original" trains as the preset's authors did: their optimizer, their batch size, no
            augmentation, no moving average. "own" takes the networks alone, and this package's
            defaults for the rest.
        changes: arguments of the constructor that go before the preset's.

    Raises:
        ArgumentError: the name or recipe is unknown, or a change contradicts the preset's networks.
    """
    preset = find_preset(name)
    if recipe not in RECIPES:
        raise ArgumentError(f"recipe must be 'original' or 'own'. Received: recipe={recipe!r:.100}")
    changes = dict(changes or {})
    for argument in sorted(PLANNED & changes.keys()):
        given = changes.pop(argument)
        fixed = getattr(preset.plan, argument, None)  # such as img_size, which may be repeated
        if fixed is None or (tuple(given) if isinstance(given, list) else given) != fixed:
            _refuse_change(name, argument, given, fixed)
    training = preset.training if recipe == "original" else {}
    # Keras changes an optimizer's config while it reads it: it gets a copy
    return copy.deepcopy(dict(training)) | changes | {"network_plan": preset.plan}


def _refuse_change(name: str, argument: str, given: object, fixed: object) -> None:
    where = "" if fixed is None else f" to {argument}={fixed}"
    raise ArgumentError(
        f"The preset {name!r} lays its networks down{where}, and {argument} cannot change them. "
        f"Received: {argument}={given!r:.100}. Leave it out, or build DCGAN({argument}=...) "
        "without a preset."
    )
